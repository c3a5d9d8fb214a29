"""The bare loop in C that heat is compared with."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pstack_core.graph import Graph

SOURCE = Path(__file__).with_name("limit_heat.c")


@dataclass(frozen=True)
class LimitRun:
    deliveries: int
    seconds: float
    values: np.ndarray  # float32[cells], final temperatures

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.deliveries / self.seconds


def compile_limit(folder: Path, ready: bool = True) -> Path:
    """Compile the loop into ``folder`` with the compiler that pstack uses, at -O2.

    Without ``ready`` the loop leaves the ready-to-send handlers out.
    """
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise RuntimeError("the benchmark needs a C compiler: install g++ or clang")
    program = folder / ("limit_heat" if ready else "limit_heat_bare")
    # gcc and clang under their C++ names compile C when told so.
    flags = ["-O2", f"-DREADY={int(ready)}"]
    subprocess.run([compiler, "-x", "c", *flags, "-o", program, SOURCE], check=True)
    return program


def write_plate(graph: Graph, steps: int, path: Path) -> None:
    """Write the cells and edges of a heat graph as ``limit_heat.c`` reads them."""
    cells = len(graph.devices) - 1  # the monitor is the last device
    inside = graph.edges.dst < cells
    src, dst = graph.edges.src[inside], graph.edges.dst[inside]
    order = np.argsort(src, kind="stable")
    weight = graph.edges.properties[0, 0]["weight"][graph.edges.row[inside]]
    first = np.zeros(cells + 1, np.uint32)
    np.cumsum(np.bincount(src, minlength=cells), out=first[1:])
    table = graph.devices.properties[0]
    with path.open("wb") as file:
        np.array([cells, len(src), steps], "<u4").tofile(file)
        table["initial"].astype("<f4").tofile(file)
        table["self_weight"].astype("<f4").tofile(file)
        first.astype("<u4").tofile(file)
        dst[order].astype("<u4").tofile(file)
        weight[order].astype("<f4").tofile(file)


def run_limit(program: Path, plate: Path) -> LimitRun:
    """Run the loop once."""
    values = plate.with_suffix(".values")
    result = subprocess.run([program, plate, values], capture_output=True, text=True, check=True)
    deliveries, seconds = result.stdout.split()
    return LimitRun(int(deliveries), float(seconds), np.fromfile(values, "<f4"))
