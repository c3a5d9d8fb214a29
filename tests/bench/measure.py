"""Run things and measure them; a number of a figure's name is a median of several runs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pstack_core as pstack
from pstack_core.graph import Graph, save
from tests.bench.limit import compile_limit, run_limit, write_plate
from tests.bench.workloads import EXAMPLES, Workload

#: The command of the environment that runs this.
PSTACK = [str(Path(sys.executable).with_name("pstack"))]

#: Loads a file in a process of its own and prints seconds and the growth of its peak memory.
#: The peak is VmHWM: unlike ru_maxrss it does not begin with that of the parent.
LOAD = """\
import sys, time
import pstack_core as pstack
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
pstack.load(sys.argv[2])
before = peak()
start = time.perf_counter()
graph = pstack.load(sys.argv[1])
print(time.perf_counter() - start, peak() - before)
"""

#: Runs a command and prints the peak memory of its largest process, from a small parent.
PEAK = """\
import os, sys
null = os.open(os.devnull, os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
print(os.wait4(process, 0)[2].ru_maxrss * 1024)
"""


@dataclass
class Speed:
    """Deliveries per second of one workload, and of the limit in the same minutes."""

    name: str
    devices: int
    edges: int
    deliveries: int
    rate: float
    limit: float | None = None  # the loop in C, with ready-to-send
    limit_ratio: float | None = None  # median of the ratios of neighbouring runs
    bare: float | None = None  # and the loop without it
    bare_ratio: float | None = None
    load_seconds: float | None = None  # from a file, where there is one


@dataclass
class Loading:
    """Reading one XML file."""

    name: str
    edges: int
    megabytes: float
    seconds: float
    peak_bytes: float  # growth of the process while loading
    bytes_per_device: float
    bytes_per_edge: float


@dataclass
class Compile:
    """One compile with an empty cache, and a run that finds it there."""

    name: str
    seconds: float
    cached_seconds: float


def speed(workload: Workload, repeats: int, folder: Path) -> Speed:
    """Run a workload, and the limit where there is one, in turns."""
    graph = workload.build()
    pstack.run(graph, max_events=1)  # compiled and cached from here on
    rates: dict[str, list[float]] = {"pstack": [], "limit": [], "bare": []}
    deliveries = 0
    programs = {}
    if workload.heat_steps:
        programs = {"limit": compile_limit(folder), "bare": compile_limit(folder, ready=False)}
        write_plate(graph, workload.heat_steps, folder / "plate")
    for _ in range(repeats):
        for name, program in programs.items():
            rates[name].append(run_limit(program, folder / "plate").rate)
        result = pstack.run(graph, level=0)
        if (result.reason, result.exit_code) != ("exit", 0):
            raise RuntimeError(f"{workload.name} ended with {result.reason} {result.exit_code}")
        deliveries = result.finished.counters.delivered
        rates["pstack"].append(deliveries / result.finished.run_seconds)
    speed = Speed(
        workload.name,
        len(graph.devices),
        len(graph.edges),
        deliveries,
        statistics.median(rates["pstack"]),
    )
    for name in programs:
        ratios = [ours / loop for ours, loop in zip(rates["pstack"], rates[name], strict=True)]
        setattr(speed, name, statistics.median(rates[name]))
        setattr(speed, f"{name}_ratio", statistics.median(ratios))
    return speed


def public_speed(name: str, path: Path, repeats: int) -> Speed:
    """Run a public application that ends by itself."""
    start = time.perf_counter()
    graph = pstack.load(path)
    load_seconds = time.perf_counter() - start
    measured = speed(Workload(name, lambda: graph), repeats, path.parent)
    measured.load_seconds = load_seconds
    return measured


def loading(name: str, graph: Graph, repeats: int, folder: Path) -> Loading:
    """Write a graph as XML and read it in fresh processes."""
    path = folder / "load.xml"
    save(graph, path, version="v3")
    seconds, peaks = [], []
    for _ in range(repeats):
        output = _run([sys.executable, "-c", LOAD, path, EXAMPLES / "ring.xml"])
        one, peak = map(float, output.split())
        seconds.append(one)
        peaks.append(peak)
    device_bytes, edge_bytes = column_bytes(graph)
    return Loading(
        name,
        len(graph.edges),
        path.stat().st_size / 1e6,
        statistics.median(seconds),
        statistics.median(peaks),
        device_bytes / len(graph.devices),
        edge_bytes / len(graph.edges),
    )


def column_bytes(graph: Graph) -> tuple[int, int]:
    """Bytes that a loaded graph holds for its devices and for its edges."""
    devices, edges = graph.devices, graph.edges
    of_devices = [devices.type, devices.row, devices.names.offsets]
    of_devices += [*devices.properties, *devices.state]
    of_edges = [edges.dst, edges.dst_pin, edges.src, edges.src_pin, edges.send_index, edges.row]
    of_edges += [*edges.properties.values(), *edges.state.values()]
    return (
        sum(column.nbytes for column in of_devices) + len(devices.names.arena),
        sum(column.nbytes for column in of_edges),
    )


def compiling(name: str, path: Path) -> Compile:
    """Run an application with an empty compile cache, and again."""
    with tempfile.TemporaryDirectory() as cache:
        environment = dict(os.environ, XDG_CACHE_HOME=cache)
        both = []
        for _ in range(2):
            command = [*PSTACK, "run", path, "--json", "--quiet", "--max-events", "1"]
            output = subprocess.run(command, capture_output=True, check=False, env=environment)
            both.append(json.loads(output.stdout)["metrics"]["Compile seconds"])
    return Compile(name, *both)


def command_seconds(repeats: int) -> list[float]:
    """Wall seconds of ``pstack run ring.xml``, compiled before: one number a run."""
    command = [*PSTACK, "run", EXAMPLES / "ring.xml", "--quiet"]
    _run(command)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        _run(command)
        seconds.append(time.perf_counter() - start)
    return seconds


def peak_bytes(graph: Graph, folder: Path) -> float:
    """Peak resident bytes of ``pstack run``: of the largest of its processes."""
    path = folder / "peak.xml"
    save(graph, path, version="v3")
    command = [*PSTACK, "run", path, "--quiet", "--states", folder / "states.npz"]
    return float(_run([sys.executable, "-S", "-c", PEAK, *command]))


def _run(command: list) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
