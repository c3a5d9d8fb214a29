"""Processes as their users see them: one interface, whoever carries it out.

:class:`Service` is what the shell and Python programs are written against.
:class:`~pstack_core.runtime.local_service.LocalService` does the work in this
process, on the user's own spool; :class:`~pstack_core.runtime.client.Client`
asks the daemon to.  :func:`~pstack_core.runtime.connect.connect` chooses.
Everything here is light to import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

    from pstack_core.runtime.stored_result import StoredResult

#: All states of a process, in the order of its life.
STATES = ("waiting", "running", "paused", "finished", "failed", "killed")
#: States that a process never leaves.
FINAL = frozenset({"finished", "failed", "killed"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One process to be: an application and how to run it.

    ``application`` is the file's content, XML or gzip; ``name`` is what ``ps``
    shows; ``folder`` is where the application's own header files are looked for.
    ``priority``: higher runs first.  ``after``: PIDs that must finish well first;
    if one does not, this process fails with reason ``dependency``.  ``after_any``:
    PIDs that must end first, however.  ``retries``: how often it runs again after a
    failure or the loss of its runner.  ``timeout`` and ``cpu_seconds`` are in
    seconds, ``memory`` in bytes; None means no limit.  ``properties`` overrides
    graph properties by text.  ``array_index`` and ``array_value`` say which of an
    array of processes this is.  ``private``: other users see that it exists, and
    nothing of its logs and results.  ``log_lines``: log lines that are kept; None
    means what the service keeps by default.
    """

    application: bytes = field(repr=False)
    name: str = "application"
    folder: str = ""
    engine: str = "local"
    priority: int = 0
    label: str = ""
    after: tuple[int, ...] = ()
    after_any: tuple[int, ...] = ()
    retries: int = 0
    timeout: float | None = None
    memory: int | None = None
    cpu_seconds: float | None = None
    max_events: int | None = None
    level: int = 1
    seed: int = 0
    threads: int = 1
    properties: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    dialect: str | None = None
    instance: str | None = None
    array_index: int | None = None
    array_value: str | None = None
    private: bool = False
    log_lines: int | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessInfo:
    """A process as ``ps`` and ``top`` show it.  Times are seconds since the epoch.

    ``exit_code`` is the application's own; ``exit_status`` is what ``pstack run``
    would have exited with (0 to 255), None until the end.  ``reason`` is one of
    ``exit halt idle timeout limit assert crash killed`` after a run, ``error``
    where the application could not be run, ``lost`` where its runner vanished,
    ``dependency`` where a process that it came after failed; empty until the end.
    ``detail`` is a sentence about the end.  Counts are those of the moment for a
    running process; None where nothing is known yet.  ``rate`` is deliveries per
    second, of late while running, of the whole run afterwards.
    """

    pid: int
    state: str
    name: str
    owner: str
    uid: int
    engine: str
    priority: int = 0
    label: str = ""
    reason: str = ""
    detail: str = ""
    exit_code: int | None = None
    exit_status: int | None = None
    submitted: float = 0.0
    started: float | None = None
    ended: float | None = None
    attempt: int = 0  # runs so far, the present one included
    retries: int = 0
    after: tuple[int, ...] = ()
    array_index: int | None = None
    array_value: str | None = None
    private: bool = False
    regions: int = 1
    devices: int | None = None
    edges: int | None = None
    delivered: int | None = None
    sent: int | None = None
    rate: float | None = None
    cpu_seconds: float | None = None
    memory_bytes: int | None = None

    @property
    def final(self) -> bool:
        """Whether it has ended for good."""
        return self.state in FINAL

    def seconds(self, now: float) -> float | None:
        """How long it has run, or ran; None if it never started."""
        if self.started is None:
            return None
        return max(0.0, (now if self.ended is None else self.ended) - self.started)


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which processes; every field narrows.  Empty tuples and None mean all.

    ``limit`` keeps the latest submitted.  The order is by PID.
    """

    pids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    ended_before: float | None = None
    limit: int | None = None


ALL = Query()
#: Processes that have not ended: what ``ps`` shows without ``-a``.
ALIVE = Query(states=("waiting", "running", "paused"))


@dataclass(frozen=True)
class Transition:
    """One line of a process's history."""

    time: float
    state: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What ``show`` prints."""

    process: ProcessInfo
    history: list[Transition]
    waiting_because: str = ""  # a sentence, for a waiting process
    where: str = ""  # host and process ids of what runs it, for a running one
    log_lines: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)  # as submitted


@dataclass(frozen=True)
class LogLine:
    """One log line.  ``number`` counts from 1 within a process, so ``after=number`` resumes."""

    number: int
    time: float
    device: str
    level: int
    text: str


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """An engine and what it is doing."""

    name: str
    kind: str
    host: str
    slots: int
    running: int = 0
    waiting: int = 0
    available: bool = True
    detail: str = ""
    features: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SpoolInfo:
    """What ``pstack spool`` shows.  ``problems`` is what the integrity check found."""

    path: str
    bytes: int
    counts: Mapping[str, int]  # by state
    applications: int
    schema: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """Who serves: ``daemon`` is False where the work is done in the caller's process."""

    daemon: bool
    pid: int
    version: str
    spool: str
    socket: str = ""
    inbox: str = ""
    started: float = 0.0
    user: str = ""  # who the service takes the caller for
    admin: bool = False


class Service(ABC):
    """Processes: submit them, watch them, act on them, collect them.

    A context manager; leaving it closes the connection, or ends the scheduler in
    this process (what then runs is requeued).  Safe to use from several threads.
    Every method may raise a :class:`~pstack_core.runtime.errors.ServiceError`,
    :class:`NoSuchProcess` for an unknown PID and :class:`NotAllowed` among them.
    """

    #: Whether submitted processes run on when this object is closed.
    persistent: bool

    @abstractmethod
    def submit(self, requests: Sequence[Request]) -> list[int]:
        """Queue processes; their PIDs, after the spool has committed them: all or none."""

    @abstractmethod
    def processes(self, query: Query = ALIVE) -> list[ProcessInfo]:
        """The processes that a query selects, by PID."""

    @abstractmethod
    def show(self, pid: int) -> Details:
        """Everything about one process."""

    @abstractmethod
    def wait(self, pids: Sequence[int], timeout: float | None = None) -> list[ProcessInfo]:
        """Wait until all have ended, or ``timeout`` seconds; the processes as they then are."""

    @abstractmethod
    def kill(self, pids: Sequence[int], force: bool = False) -> list[ProcessInfo]:
        """End processes: ask, then SIGTERM, then SIGKILL; at once with ``force``.

        Returns without waiting for the end; ended ones are left as they are.
        """

    @abstractmethod
    def pause(self, pids: Sequence[int]) -> list[ProcessInfo]:
        """Hold waiting processes back and stop running ones where they are."""

    @abstractmethod
    def resume(self, pids: Sequence[int]) -> list[ProcessInfo]:
        """Let paused processes go on."""

    @abstractmethod
    def logs(self, pid: int, after: int = 0, limit: int | None = None) -> list[LogLine]:
        """Log lines with numbers above ``after``, oldest first, at most ``limit``."""

    @abstractmethod
    def follow(self, pid: int, after: int = 0) -> Iterator[LogLine]:
        """Log lines as they come, until the process has ended."""

    @abstractmethod
    def result(self, pid: int) -> StoredResult:
        """Metrics and final states of a process that ran; raises NoResult otherwise."""

    @abstractmethod
    def application(self, pid: int) -> tuple[str, bytes]:
        """Name and content of the application of a process."""

    @abstractmethod
    def rerun(self, pids: Sequence[int]) -> list[int]:
        """Queue the same again, as new processes of the caller; their PIDs."""

    @abstractmethod
    def remove(self, pids: Sequence[int]) -> int:
        """Forget ended processes, their logs and results; how many there were."""

    @abstractmethod
    def clean(self, query: Query = ALL) -> int:
        """Forget all ended processes that a query selects and the caller may remove; how many."""

    @abstractmethod
    def changes(self) -> Iterator[ProcessInfo]:
        """Every change of state from now on, as it happens, of processes the caller may see.

        Ends when the service is closed.
        """

    @abstractmethod
    def engines(self) -> list[EngineStatus]:
        """Every engine, and how much of it is in use."""

    @abstractmethod
    def spool_info(self, check: bool = False) -> SpoolInfo:
        """Path, size and counts; ``check`` reads the whole file for damage."""

    @abstractmethod
    def vacuum(self) -> SpoolInfo:
        """Give free space back to the file system."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Write a consistent copy of the spool, while it is in use."""

    @abstractmethod
    def drive(self) -> None:
        """Run waiting processes from now on, also where no daemon does; ``wait`` implies it."""

    @abstractmethod
    def status(self) -> ServiceStatus:
        """Who serves."""

    @abstractmethod
    def close(self) -> None:
        """Leave; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
