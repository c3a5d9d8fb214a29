"""A spool on a clock that tests turn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pstack_spool import Process, Spool, Submission


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool.db"


@pytest.fixture
def spool(path: Path, clock: Clock) -> Iterator[Spool]:
    with Spool(path, clock=clock) as opened:
        yield opened


def submit(spool: Spool, **fields: object) -> int:
    """Submit one process with what a test cares about; its PID."""
    [pid] = spool.submit([Submission(**{"application": b"<Graphs/>", **fields})])
    return pid


def claim(spool: Spool, worker: str = "w", **arguments: object) -> Process:
    """Claim the next process."""
    capacity = arguments.pop("capacity", {"local": 100})
    [process] = spool.claim(worker, capacity, most=1, **{"lease": 30.0, **arguments})
    return process
