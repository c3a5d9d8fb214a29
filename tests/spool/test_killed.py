"""Processes that use one spool are killed at random moments: nothing is lost or done twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from pstack_spool import Spool, State, Submission

WORKER = """
import os, sys, time
from pstack_spool import Outcome, Spool
path, name = sys.argv[1:]
spool = Spool(path)
while True:
    for process in spool.claim(name, {"local": 3}, lease=30.0):
        spool.started(process.claim, devices=1)
        spool.append_logs(process.pid, [(time.time(), 0, "d", 1, "x" * 100)] * 20)
        spool.heartbeat([process.claim], lease=30.0, stats={process.pid: {"n": 1}})
        spool.end(process.claim, Outcome(metrics={"by": name}, states=bytes(5000)))
        os.write(1, b"%d\\n" % process.pid)
    time.sleep(0.001)
"""

SUBMITTER = """
import os, sys
from pstack_spool import Spool, Submission
path, name = sys.argv[1:]
spool = Spool(path)
while True:
    for pid in spool.submit([Submission(application=name.encode() * 50, retries=1000)] * 2):
        os.write(1, b"%d\\n" % pid)
"""


class Crowd:
    """Child processes, whose acknowledgements are kept."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.alive: dict[str, subprocess.Popen[bytes]] = {}
        self.outputs: list[tuple[str, Path]] = []
        self.count = 0

    def start(self, kind: str) -> None:
        self.count += 1
        name = f"{kind}{self.count}"
        output = self.folder / f"{name}.out"
        code = {"worker": WORKER, "submitter": SUBMITTER}[kind]
        with output.open("wb") as file:
            self.alive[name] = subprocess.Popen(
                [sys.executable, "-c", code, str(self.path), name], stdout=file
            )
        self.outputs.append((kind, output))

    def kill(self, name: str) -> None:
        process = self.alive.pop(name)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it had ended by itself"

    def told(self, kind: str) -> list[int]:
        """The PIDs that children acknowledged, whole lines only."""
        texts = [output.read_text() for of, output in self.outputs if of == kind]
        return [int(line) for text in texts for line in text.splitlines(True) if line[-1] == "\n"]


def test_nothing_is_lost_or_done_twice(path: Path, tmp_path: Path) -> None:
    rng = random.Random(7)
    spool = Spool(path)
    spool.submit([Submission(application=b"first", retries=1000)] * 50)
    crowd = Crowd(path, tmp_path)
    try:
        for kind in ("worker", "worker", "worker", "submitter"):
            crowd.start(kind)
        for _ in range(25):
            time.sleep(rng.uniform(0.02, 0.25))
            name = rng.choice(list(crowd.alive))
            crowd.kill(name)
            spool.abandon(name)
            crowd.start(name.rstrip("0123456789"))
        for name in list(crowd.alive):
            if name.startswith("submitter"):
                crowd.kill(name)
        deadline = time.monotonic() + 60
        while spool.select(states=["waiting", "running"]) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        for name in list(crowd.alive):
            crowd.kill(name)
    assert spool.integrity() == []
    assert spool.workers() == {}
    processes = {process.pid: process for process in spool.select()}
    submitted, ended = crowd.told("submitter"), crowd.told("worker")
    assert len(submitted) > 50
    assert len(ended) > 50
    assert set(submitted) <= set(processes)
    assert max(Counter(ended).values()) == 1
    for pid, process in processes.items():
        assert process.state is State.FINISHED
        finals = [change for change in spool.history(pid) if change.after.final]
        assert len(finals) == 1
        claims = [change for change in spool.history(pid) if change.after == "running"]
        assert len(claims) == process.attempt == process.failures + 1
        assert spool.result(pid).metrics == {"by": claims[-1].worker}
        assert b"".join(spool.states(pid)) == bytes(5000)
        assert spool.last_log(pid) % 20 == 0
    spool.close()
