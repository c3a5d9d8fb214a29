"""Processes through a daemon: how many a second, and how soon it answers with a long queue."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pstack_core.runtime.service import Request
from tests.bench.workloads import EXAMPLES
from tests.daemon.service import ENDLESS, OwnDaemon, own_daemon

#: Holds a slot and leaves the processor to what is measured.
DOZING = ENDLESS.replace(b"deviceState->count++;", b"usleep(20000);").replace(
    b"<MessageTypes>", b"<SharedCode>#include &lt;unistd.h&gt;</SharedCode><MessageTypes>"
)

RING = (EXAMPLES / "ring.xml").read_bytes()
COUNT = 1000
QUEUED = 10_000


@dataclass(frozen=True)
class Spooling:
    """Rates in processes a second; ``rival`` is task-spooler's, None where it is not installed."""

    rate: float
    rival: float | None
    daemon_seconds: float  # CPU of the daemon itself, a process
    submit_seconds: float  # one, to a daemon with a long queue; median
    ps_seconds: float  # ``pstack ps`` of the whole queue, from prompt to prompt; median


def spooling(folder: Path) -> Spooling:
    """Measure on a spool of its own below ``folder``."""
    os.environ["PSTACK_SPOOL"] = str(folder / "bench-spool.db")
    try:
        with own_daemon() as daemon:
            rate, used = _through(daemon)
            rival = _task_spooler(folder)
            submit, ps = _with_a_queue(daemon)
    finally:
        del os.environ["PSTACK_SPOOL"]
    return Spooling(rate, rival, used, submit, ps)


def _through(daemon: OwnDaemon) -> tuple[float, float]:
    request = Request(application=RING, name="ring.xml", level=0)
    with daemon.client() as client:
        client.wait(client.submit([request] * 10))  # compiled, and runners started
        before = _cpu_seconds(daemon.pid)
        begin = time.perf_counter()
        client.wait(client.submit([request] * COUNT))
        seconds = time.perf_counter() - begin
    return COUNT / seconds, (_cpu_seconds(daemon.pid) - before) / COUNT


def _cpu_seconds(pid: int) -> float:
    """CPU time of one process, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _task_spooler(folder: Path) -> float | None:
    """As many ``true`` through task-spooler, two at a time."""
    tsp = shutil.which("tsp")
    if tsp is None:
        return None
    environment = {**os.environ, "TS_SOCKET": str(folder / "tsp"), "TS_SLOTS": "2"}
    environment["TS_MAXFINISHED"] = "10"

    def call(*arguments: str) -> None:
        subprocess.run([tsp, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)

    call("-S", "2")
    try:
        begin = time.perf_counter()
        for _ in range(COUNT):
            call("-n", "true")
        call("-N", "2", "-n", "true")  # needs both slots: the last of all
        call("-w")
        return COUNT / (time.perf_counter() - begin)
    finally:
        call("-K")


def _with_a_queue(daemon: OwnDaemon) -> tuple[float, float]:
    """Behind processes that hold every slot for longer than this takes."""
    waiting = Request(application=RING, name="ring.xml")
    with daemon.client() as client:
        slots = os.cpu_count() or 1
        client.submit([Request(application=DOZING, name="dozing", priority=100)] * slots)
        client.submit([waiting] * QUEUED)
        times = []
        for _ in range(21):
            begin = time.perf_counter()
            client.submit([waiting])
            times.append(time.perf_counter() - begin)
        command = [sys.executable, "-m", "pstack_core", "ps"]
        asked = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            asked.append(time.perf_counter() - begin)
        client.kill([one.pid for one in client.processes()])
    return statistics.median(times), statistics.median(asked)
