"""The spool as its users see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pstack_spool import (
    applications,
    claims,
    dependencies,
    engines,
    lifecycle,
    logs,
    processes,
    results,
)
from pstack_spool.db import Database
from pstack_spool.migrations import migrate
from pstack_spool.model import (
    Change,
    Claim,
    Engine,
    LogBound,
    LogLine,
    Orders,
    Outcome,
    Process,
    Result,
    Size,
    State,
    Submission,
    Waiting,
)
from pstack_spool.transitions import Action

if TYPE_CHECKING:
    from os import PathLike

_BOUND = LogBound()
_NOTHING: Mapping[int, Mapping[str, Any]] = {}


class Spool:
    """Processes in a SQLite file, shared safely by threads and by processes.

    The file is created, readable by its owner alone, or brought to the present
    schema.  ``clock`` says what time it is, in seconds since the epoch.  ``timeout``
    is how many seconds to wait while somebody else writes.  Each method is one
    transaction: it happens entirely or, when it raises, not at all.  Any may raise
    :class:`SpoolError`; those about a PID raise :class:`NoSuchProcess`.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
        timeout: float = 10.0,
    ) -> None:
        self.path = Path(path).absolute()
        self._clock = clock
        self._database = Database(self.path, migrate, timeout)

    # Submitting

    def submit(self, submissions: Sequence[Submission]) -> list[int]:
        """Queue processes, all or none; their PIDs, once they are on the disk.

        Raises BadSubmission for a field that cannot be, NoSuchProcess for ``after``.
        """
        # Compressing is slow: done for new contents, before anybody has to wait.
        packed: dict[int, applications.Packed] = {}
        with self._database.read() as connection:
            for submission in submissions:
                content = submission.application
                if id(content) not in packed and not applications.present(
                    connection, applications.digest(content)
                ):
                    packed[id(content)] = applications.pack(content)

        def pack(content: bytes) -> applications.Packed:
            return packed.get(id(content)) or applications.pack(content)

        with self._database.write(durable=True) as connection:
            return processes.submit(connection, submissions, self._clock(), pack)

    def rerun(self, pid: int, owner: str | None = None, uid: int | None = None) -> int:
        """Queue the same application with the same options, not its ``after``; the new PID."""
        with self._database.write(durable=True) as connection:
            return processes.rerun(connection, pid, self._clock(), owner, uid)

    # Looking

    def get(self, pid: int) -> Process:
        """A process."""
        with self._database.sentences():
            return processes.get(self._database.connection(), pid)

    def select(
        self,
        *,
        pids: Iterable[int] | None = None,
        states: Iterable[str] | None = None,
        owners: Iterable[str] | None = None,
        labels: Iterable[str] | None = None,
        engines: Iterable[str] | None = None,
        ended_before: float | None = None,
        limit: int | None = None,
    ) -> list[Process]:
        """Processes that meet every condition given, by PID; ``limit`` keeps the latest."""
        with self._database.sentences():
            return processes.select(
                self._database.connection(),
                pids=pids,
                states=states,
                owners=owners,
                labels=labels,
                engines=engines,
                ended_before=ended_before,
                limit=limit,
            )

    def counts(self) -> dict[State, int]:
        """How many processes are in each state."""
        with self._database.sentences():
            return processes.counts(self._database.connection())

    def history(self, pid: int) -> list[Change]:
        """Every change of a process's state, oldest first."""
        with self._database.read() as connection:
            return processes.history(connection, pid)

    def changes(self, after: int = 0, limit: int = 1000) -> list[Change]:
        """Changes of all processes with numbers above ``after``, oldest first.

        Those of removed processes are gone.
        """
        with self._database.sentences():
            return processes.changes(self._database.connection(), after, limit)

    def last_change(self) -> int:
        """The number of the latest change: where to begin with :meth:`changes`."""
        with self._database.sentences():
            return processes.last_change(self._database.connection())

    def why_waiting(self, pid: int) -> Waiting:
        """What keeps a process from running."""
        with self._database.read() as connection:
            return processes.waiting(connection, pid)

    def after(self, pid: int) -> list[tuple[int, str]]:
        """(PID, ``ok`` or ``any``) of what a process was submitted to come after."""
        with self._database.sentences():
            return dependencies.of(self._database.connection(), pid)

    def tasks(self, pid: int) -> tuple[str, ...]:
        """The engine of each region of a process."""
        with self._database.sentences():
            return processes.tasks(self._database.connection(), pid)

    def application(self, key: str) -> bytes:
        """The content of an application, by ``Process.application``."""
        with self._database.sentences():
            return applications.load(self._database.connection(), key)

    # What users ask

    def kill(self, pid: int) -> State:
        """End a process: at once if nobody holds it, else by its worker, which is told.

        Returns the state it is in now; raises NotAllowed if it has ended.
        """
        return self._ask(pid, Action.KILL)

    def pause(self, pid: int) -> State:
        """Hold a waiting process back at once; have its worker stop a running one."""
        return self._ask(pid, Action.PAUSE)

    def resume(self, pid: int) -> State:
        """Let a paused process wait again, or have its worker let it go on."""
        return self._ask(pid, Action.RESUME)

    def remove(self, pids: Sequence[int]) -> None:
        """Forget ended processes, their logs and results; all or none, NotAllowed if one lives."""
        with self._database.write() as connection:
            processes.remove(connection, pids)

    def clean(
        self,
        *,
        states: Iterable[str] | None = None,
        owners: Iterable[str] | None = None,
        labels: Iterable[str] | None = None,
        engines: Iterable[str] | None = None,
        ended_before: float | None = None,
    ) -> list[int]:
        """Forget all ended processes that meet every condition given; their PIDs."""
        with self._database.write() as connection:
            found = processes.select(
                connection,
                pids=None,
                states=states,
                owners=owners,
                labels=labels,
                engines=engines,
                ended_before=ended_before,
                limit=None,
            )
            pids = [process.pid for process in found if process.state.final]
            processes.remove(connection, pids)
        return pids

    # What workers do

    def claim(
        self,
        worker: str,
        capacity: Mapping[str, int],
        *,
        lease: float,
        share: int | None = None,
        most: int | None = None,
    ) -> list[Process]:
        """Take the next processes to run, in the order of the queue; they are running now.

        ``worker`` is a name that no other worker ever had.  ``capacity`` is how many
        tasks the worker can take on each engine; an engine's announced slots are a
        limit for all workers together.  The regions of a process are claimed all or
        none.  ``share`` is how many processes of one owner may be held at once,
        ``most`` how many are claimed now.  The claim is kept for ``lease`` seconds.
        """
        with self._database.sentences():
            if not claims.anything_claimable(self._database.connection()):
                return []
        with self._database.write() as connection:
            now = self._clock()
            pids = claims.claim(connection, worker, capacity, now, lease, share, most)
            return [processes.get(connection, pid) for pid in pids]

    def started(
        self, claim: Claim, *, devices: int | None = None, edges: int | None = None
    ) -> None:
        """The process is loaded and goes now.  Raises LeaseLost, as all reports do."""
        with self._database.write() as connection:
            lifecycle.started(connection, claim, self._clock(), devices, edges)

    def heartbeat(
        self,
        held: Sequence[Claim],
        *,
        lease: float,
        stats: Mapping[int, Mapping[str, Any]] = _NOTHING,
    ) -> Orders:
        """Keep claims for ``lease`` seconds from now; what has become of them and is wanted.

        ``stats`` are counts to show, by PID.
        """
        with self._database.write() as connection:
            return claims.heartbeat(connection, held, self._clock(), lease, stats)

    def paused(self, claim: Claim) -> State:
        """The worker has stopped the process."""
        return self._obeyed(claim, Action.PAUSE)

    def resumed(self, claim: Claim) -> State:
        """The worker has let the process go on."""
        return self._obeyed(claim, Action.RESUME)

    def end(self, claim: Claim, outcome: Outcome) -> State:
        """The run is over: keep its outcome and result, or queue it again.

        Returns its state: ``waiting`` (or ``paused``) if a failed process has retries
        left.  Raises LeaseLost for a report that comes too late, and keeps nothing.
        """
        with self._database.write() as connection:
            return lifecycle.end(connection, claim, self._clock(), outcome)

    def release(self, claim: Claim, detail: str = "") -> State:
        """Give a process back unfinished; it waits again, and that is no failure of it."""
        with self._database.write() as connection:
            return lifecycle.release(connection, claim, self._clock(), detail)

    def expire(self) -> list[tuple[int, State]]:
        """Take processes whose lease is over from their workers; (PID, new state).

        They wait again if retries are left, else they fail with reason ``lost``, or
        are killed where that was asked for.
        """
        return self._lose(lambda connection: claims.over(connection, self._clock()))

    def abandon(self, worker: str) -> list[tuple[int, State]]:
        """The worker is known to be dead: take its processes at once, as :meth:`expire`."""
        return self._lose(lambda connection: claims.held_by(connection, worker))

    def workers(self) -> dict[str, int]:
        """Workers that hold processes, and how many."""
        with self._database.sentences():
            return claims.workers(self._database.connection())

    # Logs, results, engines

    def append_logs(
        self,
        pid: int,
        lines: Iterable[tuple[float, int, str, int, str]],
        bound: LogBound = _BOUND,
    ) -> int:
        """Add log lines (time, region, device, level, text); the number of the last.

        Beyond ``bound`` the first and the latest half are kept.
        """
        with self._database.write() as connection:
            return logs.append(connection, pid, lines, bound)

    def logs(self, pid: int, after: int = 0, limit: int | None = None) -> list[LogLine]:
        """Log lines with numbers above ``after``, oldest first, at most ``limit``.

        One line, of no device and level 0, stands for lines that were left out.
        """
        with self._database.read() as connection:
            return logs.read(connection, pid, after, limit)

    def last_log(self, pid: int) -> int:
        """The number of the latest log line; 0 if there is none."""
        with self._database.sentences():
            return logs.last(self._database.connection(), pid)

    def result(self, pid: int) -> Result | None:
        """The metrics of a process that ran; None if it left none."""
        with self._database.sentences():
            return results.load(self._database.connection(), pid)

    def states(self, pid: int) -> Iterator[bytes]:
        """The npz file of the final states, in pieces; nothing if there is none."""
        with self._database.sentences():
            yield from results.parts(self._database.connection(), pid)

    def announce(self, engine: Engine) -> None:
        """Say what an engine is; ``seen`` becomes the present time."""
        with self._database.write() as connection:
            engines.announce(connection, engine, self._clock())

    def engines(self) -> list[Engine]:
        """The engines that were announced, by name."""
        with self._database.sentences():
            return engines.listed(self._database.connection())

    def forget_engine(self, name: str) -> None:
        """An engine is gone for good."""
        with self._database.write() as connection:
            engines.forget(connection, name)

    def in_use(self) -> dict[str, int]:
        """Tasks that run now, by engine."""
        with self._database.sentences():
            return dict(claims.engines_in_use(self._database.connection()))

    # The file

    def batch(self, *, durable: bool = False) -> AbstractContextManager[Any]:
        """A transaction around several calls of this thread: all happen or none, and faster.

        ``durable`` is needed around :meth:`submit` and :meth:`rerun`.
        """
        return self._database.write(durable)

    def size(self) -> Size:
        """Bytes and rows."""
        from pstack_spool import maintenance

        return maintenance.size(self._database)

    def integrity(self) -> list[str]:
        """Read the whole file; what is wrong with it, nothing if it is sound."""
        from pstack_spool import maintenance

        return maintenance.problems(self._database)

    def vacuum(self) -> int:
        """Write the file anew without its free space; the bytes given back."""
        from pstack_spool import maintenance

        return maintenance.vacuum(self._database)

    def backup(self, target: str | PathLike[str]) -> None:
        """Write a consistent copy while the spool is in use; a file that exists is refused."""
        from pstack_spool import maintenance

        maintenance.backup(self._database, Path(target))

    def close(self) -> None:
        """Close the connections of all threads; they must be done."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, pid: int, action: Action) -> State:
        with self._database.write() as connection:
            return lifecycle.ask(connection, pid, action, self._clock())

    def _obeyed(self, claim: Claim, action: Action) -> State:
        with self._database.write() as connection:
            return lifecycle.obeyed(connection, claim, action, self._clock())

    def _lose(self, find: Callable[[Any], Sequence[int]]) -> list[tuple[int, State]]:
        with self._database.sentences():
            if not find(self._database.connection()):
                return []
        with self._database.write() as connection:
            return claims.lose(connection, find(connection), self._clock())
