"""What goes into a spool and what comes out of it: plain values, light to import.

Times are seconds since the epoch, from the spool's clock.  Rows that come out in
thousands are named tuples, because those are made fastest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class State(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"  # held back while it waited, or stopped while it ran
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"

    @property
    def final(self) -> bool:
        """Whether a process never leaves this state."""
        return self in FINAL


FINAL = frozenset({State.FINISHED, State.FAILED, State.KILLED})


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One process to be.

    ``application`` is the file's content, ``name`` what people call it.
    ``priority``: higher first, from -1000 to 1000.  ``after``: PIDs that must finish
    with exit code 0 first; if one does not, this process fails with reason
    ``dependency``.  ``after_any``: PIDs that must end first, however.  ``retries``:
    how often it is run again after a failure or the loss of its worker.
    ``timeout`` is in seconds, ``memory`` in bytes; the spool only keeps them, as it
    keeps ``options`` (what JSON can say).  ``regions``: the engine of each region,
    where there are several; all are claimed together.  ``private``: whether others
    than its owner are kept from its logs and results, by whoever serves them.
    """

    application: bytes = field(repr=False)
    name: str = "application"
    owner: str = ""
    uid: int = 0
    engine: str = "local"
    priority: int = 0
    label: str = ""
    after: Sequence[int] = ()
    after_any: Sequence[int] = ()
    retries: int = 0
    timeout: float | None = None
    memory: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    regions: Sequence[str] = ()
    array_index: int | None = None
    array_value: str | None = None
    private: bool = False


class Claim(NamedTuple):
    """The right to run a process: what a worker shows when it reports.

    ``attempt`` counts claims of the process, so a late report about an earlier run
    is told from one about the present run, even by the same worker.
    """

    pid: int
    attempt: int
    worker: str


class Process(NamedTuple):
    """A process as the spool knows it; columns of the table ``processes``.

    ``reason`` is a word and ``detail`` a sentence about its end, or about why it
    waits again.  ``failures``: attempts that failed or were lost.  ``not_before``:
    when it may be claimed at the earliest.  ``worker`` holds it until ``lease``, and
    is None while nobody does.  ``request``: what its user wants of its worker
    (``kill``, ``pause`` or ``resume``), empty if nothing.  ``unmet``: processes that
    it still comes after.
    """

    pid: int
    state: State
    reason: str
    detail: str
    exit_code: int | None
    exit_status: int | None
    owner: str
    uid: int
    name: str
    application: str
    engine: str
    regions: int
    priority: int
    label: str
    array_index: int | None
    array_value: str | None
    retries: int
    failures: int
    attempt: int
    timeout: float | None
    memory: int | None
    submitted: float
    started: float | None
    ended: float | None
    not_before: float
    worker: str | None
    lease: float | None
    request: str
    unmet: int
    rerun_of: int | None
    devices: int | None
    edges: int | None
    private: int  # 0 or 1
    stats_json: str
    options_json: str

    @property
    def options(self) -> dict[str, Any]:
        """The options as submitted."""
        found: dict[str, Any] = json.loads(self.options_json)
        return found

    @property
    def stats(self) -> dict[str, Any]:
        """What its worker counted last."""
        found: dict[str, Any] = json.loads(self.stats_json)
        return found

    @property
    def claim(self) -> Claim:
        """The present claim; ValueError if no worker holds the process."""
        if self.worker is None:
            raise ValueError(f"process {self.pid} is {self.state}: nobody holds it")
        return Claim(self.pid, self.attempt, self.worker)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended, as its worker reports it.

    ``state`` is a final one.  ``retry``: whether another attempt may help, for
    ``failed``.  ``metrics`` is what JSON can say; ``states`` is an npz file's content.
    ``stats`` are the few counts that lists show; None leaves the last heartbeat's.
    """

    state: State = State.FINISHED
    reason: str = ""
    detail: str = ""
    exit_code: int | None = None
    exit_status: int | None = None
    retry: bool = True
    stats: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    states: bytes | None = field(default=None, repr=False)


class Orders(NamedTuple):
    """What a worker learns from its heartbeat: PIDs, by what to do about them.

    ``lost``: no longer its own; stop them and report nothing.  The others are what
    users want of processes that it runs.
    """

    lost: tuple[int, ...]
    kill: tuple[int, ...]
    pause: tuple[int, ...]
    resume: tuple[int, ...]


class Change(NamedTuple):
    """One change of state; ``number`` counts all changes in the spool."""

    number: int
    pid: int
    time: float
    before: State | None  # None: submitted
    after: State
    worker: str | None
    detail: str


class LogLine(NamedTuple):
    """One line of a process's log; ``number`` counts from 1 within the process."""

    number: int
    time: float
    region: int
    device: str
    level: int
    text: str


@dataclass(frozen=True)
class LogBound:
    """How much log is kept of one process: the first half and the last half of this."""

    lines: int = 100_000
    bytes: int = 32 << 20


@dataclass(frozen=True)
class Engine:
    """An engine as a scheduler announced it; ``slots`` is how many tasks it runs at once."""

    name: str
    kind: str = ""
    host: str = ""
    slots: int = 1
    available: bool = True
    detail: str = ""
    features: Sequence[str] = ()
    seen: float = 0.0


class Result(NamedTuple):
    """What a run left behind; ``states_size`` is the size of its npz file, None without one."""

    pid: int
    metrics: dict[str, Any]
    states_size: int | None


@dataclass(frozen=True)
class Waiting:
    """Why a process waits; everything is empty or zero if it is about to start.

    ``after``: (PID, state) of what it still comes after.  ``ahead``: processes that
    may be claimed before it on its engine.  ``slots`` is None for an engine that
    nobody has announced; ``in_use`` counts its running tasks.
    """

    state: State
    after: tuple[tuple[int, State], ...] = ()
    not_before: float = 0.0
    ahead: int = 0
    engine: str = ""
    slots: int | None = None
    in_use: int = 0
    available: bool = True
    engine_detail: str = ""


@dataclass(frozen=True)
class Size:
    """How big a spool is, in bytes and rows."""

    path: str
    bytes: int  # all its files together
    free: int  # of those, what vacuum would give back
    rows: Mapping[str, int]  # by table
    schema: int
    sqlite: str
