"""Whatever is killed, every accepted process ends exactly once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pytest

from pstack_core.runtime.errors import Unavailable
from pstack_core.runtime.service import FINAL, Query, Request
from pstack_core.runtime.usage import children
from pstack_spool import Spool
from tests.daemon.service import RING, OwnDaemon, processes_of


def load(daemon: OwnDaemon, count: int, seed: int, accepted: list[int]) -> threading.Thread:
    """A client that submits ``count`` processes, a few at a time, whatever the daemon does."""
    chance = random.Random(seed)

    def submit() -> None:
        left = count
        while left:
            some = min(left, chance.randint(1, 4))
            try:
                with daemon.client() as client:
                    for _ in range(3):
                        pids = client.submit([Request(application=RING, name="ring.xml")] * some)
                        accepted.extend(pids)
                        left -= len(pids)
                        some = min(left, some)
                        if not left:
                            return
                        time.sleep(chance.uniform(0, 0.03))
            except Unavailable:
                time.sleep(0.02)

    thread = threading.Thread(target=submit)
    thread.start()
    return thread


def check_spool(daemon: OwnDaemon, accepted: list[int], total: int) -> None:
    """All accepted processes are there, each ended well and once, and the file is sound."""
    with Spool(daemon.paths.spool) as spool:
        assert spool.integrity() == []
        processes = {process.pid: process for process in spool.select()}
        assert len(accepted) == len(set(accepted)) == total
        assert set(accepted) <= set(processes)
        for pid, process in processes.items():
            assert process.state == "finished", (process.state, process.detail)
            assert process.exit_code == 0
            ends = [one for one in spool.history(pid) if one.after.value in FINAL]
            assert len(ends) == 1
            result = spool.result(pid)
            assert result is not None
            assert result.metrics["Delivered messages"] == 40
            assert [line.text for line in spool.logs(pid)][-1] == "the token is back after 40 hops"


def finish(daemon: OwnDaemon) -> None:
    """Wait until nothing waits or runs."""
    with daemon.client() as client:
        client.wait([one.pid for one in client.processes()], timeout=60)
        assert client.processes() == []


def crash_daemon(daemon: OwnDaemon, moments: int, total: int, seed: int) -> None:
    chance = random.Random(seed)
    accepted: list[int] = []
    clients = [load(daemon, total // 4, seed * 10 + n, accepted) for n in range(4)]
    for _ in range(moments):
        time.sleep(chance.uniform(0.02, 0.6))
        daemon.kill()
        daemon.start()
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    finish(daemon)
    daemon.stop()
    check_spool(daemon, accepted, total)
    assert processes_of(daemon.paths.spool) == []


def test_killed_daemon(daemon: OwnDaemon) -> None:
    crash_daemon(daemon, moments=3, total=40, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_daemon_at_fifty_moments(daemon: OwnDaemon) -> None:
    crash_daemon(daemon, moments=50, total=200, seed=2)


def kill_workers(daemon: OwnDaemon, kills: int, total: int, seed: int) -> None:
    chance = random.Random(seed)
    accepted: list[int] = []
    with daemon.client() as client:
        some = [Request(application=RING, name="ring.xml", retries=1000)] * total
        accepted += client.submit(some)
        killed = 0
        while killed < kills and client.processes():
            time.sleep(chance.uniform(0.01, 0.1))
            runners = children(daemon.pid)
            chosen = runners + [worker for runner in runners for worker in children(runner)]
            if chosen:
                try:
                    os.kill(chance.choice(chosen), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed += 1
        client.wait(accepted, timeout=100)
        # Nothing but what was hit had to run again.
        attempts = [one.attempt for one in client.processes(Query(pids=tuple(accepted)))]
        assert sum(attempts) <= total + killed
    daemon.stop()
    check_spool(daemon, accepted, total)


def test_killed_workers(daemon: OwnDaemon) -> None:
    kill_workers(daemon, kills=5, total=30, seed=3)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_workers_killed_fifty_times(daemon: OwnDaemon) -> None:
    kill_workers(daemon, kills=50, total=200, seed=4)
