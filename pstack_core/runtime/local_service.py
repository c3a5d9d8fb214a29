"""The service in this process, on the spool, for one caller."""

from __future__ import annotations

import json
import os
import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.runtime import checks
from pstack_core.runtime.errors import (
    BadRequest,
    Busy,
    NoResult,
    NoSuchProcess,
    NotAllowed,
    ServiceError,
    Unavailable,
    WrongState,
)
from pstack_core.runtime.follow import Follower
from pstack_core.runtime.hub import Changed, News
from pstack_core.runtime.service import (
    ALIVE,
    ALL,
    FINAL,
    Details,
    EngineStatus,
    LogLine,
    ProcessInfo,
    Query,
    Request,
    Service,
    ServiceStatus,
    SpoolInfo,
    Transition,
)
from pstack_core.runtime.stored_result import StoredResult
from pstack_core.runtime.view import Caller, counted, info, waiting_sentence
from pstack_core.version import __version__
from pstack_spool import BadSubmission, SpoolError, State, Submission
from pstack_spool import NoSuchProcess as NotInSpool
from pstack_spool import NotAllowed as NotInThisState

if TYPE_CHECKING:
    from pstack_core.runtime.host import Host
    from pstack_spool import Process

#: Seconds between looks at the spool while waiting for what another process runs.
GLANCE = 0.5


class LocalService(Service):
    """What ``caller`` may do with the spool of ``host``.

    ``owns_host``: closing this closes the host.
    """

    def __init__(self, host: Host, caller: Caller, owns_host: bool = True) -> None:
        self._host = host
        self._spool = host.spool
        self.caller = caller
        self.persistent = not owns_host
        self._owns_host = owns_host
        self._closed = False
        self._streams: set[queue.SimpleQueue[News | None]] = set()

    # Submitting

    def submit(self, requests: Sequence[Request], mark: str = "") -> list[int]:
        """As for every service; ``mark`` is kept with the processes, to know them again."""
        policy = self._host.policy
        self._check_user()
        checks.check_requests(requests, policy, self._host.engines())
        with _sentences():
            self._check_room(len(requests))
            pids = self._spool.submit([self._submission(request, mark) for request in requests])
        self._host.wake()
        self._host.announce()
        return pids

    def _check_user(self) -> None:
        """Refuse to run as a user that we cannot become."""
        if os.geteuid() not in (0, self.caller.uid):
            raise NotAllowed(
                "this daemon is not root's, so it runs processes of its own user only: "
                "start a daemon of your own"
            )

    def _check_room(self, more: int) -> None:
        """Refuse what would make the caller's part of the queue too long."""
        most = self._host.policy.most_waiting
        # Most often a look at the whole queue is enough, and that is quick.
        if self._spool.counts()[State.WAITING] + more <= most:
            return
        waiting = len(self._spool.select(states=("waiting",), owners=(self.caller.name,)))
        if waiting + more > most:
            raise Busy(
                f"{waiting} processes of {self.caller.name} wait already: at most {most} may; "
                "submit more when some have ended"
            )

    def _submission(self, request: Request, mark: str) -> Submission:
        settings = {
            "engine": request.engine,
            "level": request.level,
            "seed": request.seed,
            "threads": request.threads,
            "max_events": request.max_events,
            "cpu_seconds": request.cpu_seconds,
            "properties": dict(request.properties),
            "options": dict(request.options),
            "strict": request.strict,
            "dialect": request.dialect,
            "instance": request.instance,
        }
        options = {
            "settings": settings,
            "folder": request.folder,
            "after": [*request.after, *request.after_any],
            "private": request.private,
            "log_lines": request.log_lines,
            "mark": mark,
        }
        return Submission(
            application=request.application,
            name=request.name,
            owner=self.caller.name,
            uid=self.caller.uid,
            engine=request.engine,
            priority=request.priority,
            label=request.label,
            after=request.after,
            after_any=request.after_any,
            retries=request.retries,
            timeout=request.timeout,
            memory=request.memory,
            options=options,
            array_index=request.array_index,
            array_value=request.array_value,
        )

    def rerun(self, pids: Sequence[int]) -> list[int]:
        with _sentences():
            for pid in pids:
                self._readable(pid)
            caller = self.caller
            self._check_user()
            self._check_room(len(pids))
            with self._spool.batch(durable=True):
                new = [self._spool.rerun(pid, owner=caller.name, uid=caller.uid) for pid in pids]
        self._host.wake()
        self._host.announce()
        return new

    # Looking

    def processes(self, query: Query = ALIVE) -> list[ProcessInfo]:
        owners = query.owners
        if not self._host.policy.look and not self.caller.admin:
            if owners and self.caller.name not in owners:
                return []
            owners = (self.caller.name,)
        with _sentences():
            found = self._spool.select(
                pids=query.pids or None,
                states=query.states or None,
                owners=owners or None,
                labels=query.labels or None,
                engines=query.engines or None,
                ended_before=query.ended_before,
                limit=query.limit,
            )
        return [self._info(process) for process in found]

    def show(self, pid: int) -> Details:
        with _sentences():
            process = self._readable(pid)
            history = self._spool.history(pid)
            shown = self._info(process)
            because = ""
            if not shown.final and process.worker is None:
                because = waiting_sentence(
                    self._spool.why_waiting(pid), self._host.scheduler is not None
                )
            result = self._spool.result(pid) if shown.final else None
            if result is not None:
                shown = replace(shown, **counted(shown, result.metrics))
            log_lines = self._spool.last_log(pid)
        live = self._host.live(pid)
        where = process.worker or ""
        if live is not None and live.runner is not None:
            where = f"{os.uname().nodename}, runner {live.runner.pid}"
        return Details(
            process=shown,
            history=[Transition(one.time, str(one.after), one.detail) for one in history],
            waiting_because=because,
            where=where,
            log_lines=log_lines,
            options=json.loads(process.options_json),
        )

    def logs(self, pid: int, after: int = 0, limit: int | None = None) -> list[LogLine]:
        with _sentences():
            self._readable(pid)
            return [
                LogLine(line.number, line.time, line.device, line.level, line.text)
                for line in self._spool.logs(pid, after=after, limit=limit)
            ]

    def follow(self, pid: int, after: int = 0) -> Iterator[LogLine]:
        with self._news() as news:
            follower = Follower(self, pid, after)
            while not follower.ended:
                while lines := follower.read():
                    yield from lines
                with _sentences():
                    if self._spool.get(pid).state.final:
                        break
                # What runs elsewhere brings no news, so the spool is looked at now and then.
                for one in _until_quiet(news, GLANCE):
                    if one is None:
                        return
                    yield from follower.take(one)
            while lines := follower.read():
                yield from lines

    def changes(self) -> Iterator[ProcessInfo]:
        with self._news() as news:
            while (one := news.get()) is not None:
                if isinstance(one, Changed):
                    shown = self.visible(one.process)
                    if shown is not None:
                        yield shown

    def result(self, pid: int) -> StoredResult:
        with _sentences():
            process = self._readable(pid)
            result = self._spool.result(pid)
            if result is None:
                raise NoResult(self._no_result(process))
            npz = b"".join(self._spool.states(pid)) or None
        return StoredResult(result.metrics, process.exit_status or 0, process.detail, npz)

    def application(self, pid: int) -> tuple[str, bytes]:
        with _sentences():
            process = self._readable(pid)
            return process.name, self._spool.application(process.application)

    # Acting

    def wait(self, pids: Sequence[int], timeout: float | None = None) -> list[ProcessInfo]:
        self.drive()
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._news() as news:
            left = self.unfinished(pids)
            while left:
                pause = GLANCE
                if deadline is not None:
                    pause = min(pause, deadline - time.monotonic())
                    if pause <= 0:
                        break
                quiet = True
                for one in _until_quiet(news, pause):
                    if one is None:
                        raise Unavailable("the service was closed")
                    quiet = False
                    if isinstance(one, Changed) and one.process.final:
                        left.discard(one.process.pid)
                    if not left:
                        break
                if quiet:
                    left &= self.unfinished(list(left))
        return self.in_order(pids)

    def unfinished(self, pids: Sequence[int]) -> set[int]:
        """Those of some processes that have not ended."""
        return {shown.pid for shown in self.in_order(pids) if not shown.final}

    def in_order(self, pids: Sequence[int]) -> list[ProcessInfo]:
        """Processes as they are now, in the order of ``pids``.  Raises NoSuchProcess."""
        found = {shown.pid: shown for shown in self.processes(Query(pids=tuple(set(pids))))}
        for pid in pids:
            if pid not in found:
                raise NoSuchProcess(f"there is no process {pid}: see pstack ps -a")
        return [found[pid] for pid in pids]

    def kill(self, pids: Sequence[int], force: bool = False) -> list[ProcessInfo]:
        with _sentences():
            for process in self._mine(pids):
                if not process.state.final:
                    with suppress(NotInThisState):  # it ended just now
                        self._spool.kill(process.pid)
        if force and self._host.scheduler is not None:
            self._host.scheduler.force(list(pids))
        return self._acted(pids)

    def pause(self, pids: Sequence[int]) -> list[ProcessInfo]:
        with _sentences():
            for process in self._mine(pids):
                if process.state.value != "paused":
                    self._spool.pause(process.pid)
        return self._acted(pids)

    def resume(self, pids: Sequence[int]) -> list[ProcessInfo]:
        with _sentences():
            for process in self._mine(pids):
                self._spool.resume(process.pid)
        return self._acted(pids)

    def remove(self, pids: Sequence[int]) -> int:
        with _sentences():
            mine = self._mine(pids)
            self._spool.remove([process.pid for process in mine])
        return len(mine)

    def clean(self, query: Query = ALL) -> int:
        states = tuple(state for state in query.states if state in FINAL) or tuple(sorted(FINAL))
        if query.states and not set(query.states) & FINAL:
            return 0
        found = self.processes(replace(query, states=states))
        pids = [shown.pid for shown in found if self.caller.may_act(shown.uid)]
        with _sentences():
            self._spool.remove(pids)
        return len(pids)

    # The service itself

    def engines(self) -> list[EngineStatus]:
        with _sentences():
            alive = self._spool.select(states=("waiting", "running", "paused"))
        slots = self._host.slots()
        running = [process.engine for process in alive if process.worker is not None]
        waiting = [process.engine for process in alive if process.worker is None]
        return [
            EngineStatus(
                name=engine.name,
                kind=engine.kind,
                host=engine.host,
                slots=slots.get(engine.name, 0),
                running=running.count(engine.name),
                waiting=waiting.count(engine.name),
                available=engine.available,
                detail=engine.detail,
                features=tuple(sorted(engine.features)),
            )
            for engine in self._host.engines().values()
        ]

    def spool_info(self, check: bool = False) -> SpoolInfo:
        if check:
            self._admin("check the whole spool")
        with _sentences():
            size = self._spool.size()
            return SpoolInfo(
                path=size.path,
                bytes=size.bytes,
                counts={str(state): n for state, n in self._spool.counts().items()},
                applications=size.rows["applications"],
                schema=size.schema,
                problems=tuple(self._spool.integrity()) if check else (),
            )

    def vacuum(self) -> SpoolInfo:
        self._admin("vacuum the spool")
        with _sentences():
            self._spool.vacuum()
        return self.spool_info()

    def backup(self, path: Path) -> None:
        if self.caller.uid not in (0, os.geteuid()):
            # The file would be the service's, wherever the caller wants it.
            raise NotAllowed("only root and the service's own user may copy the spool")
        with _sentences():
            self._spool.backup(path)

    def drive(self) -> None:
        if self._owns_host:
            with _sentences():
                self._host.drive()

    def status(self) -> ServiceStatus:
        return ServiceStatus(
            daemon=False,
            pid=os.getpid(),
            version=__version__,
            spool=str(self._host.paths.spool),
            user=self.caller.name,
            admin=self.caller.admin,
        )

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for stream in list(self._streams):
            stream.put(None)
        if self._owns_host:
            self._host.close()

    # Who may what

    def visible(self, shown: ProcessInfo) -> ProcessInfo | None:
        """A process as the caller may see it; None if not at all."""
        if self.caller.may_act(shown.uid):
            return shown
        if not self._host.policy.look:
            return None
        if not shown.private:
            return shown
        return replace(
            shown, name="(private)", label="", reason="", detail="", exit_code=None,
            exit_status=None, after=(), array_index=None, array_value=None, devices=None,
            edges=None, delivered=None, sent=None, rate=None, cpu_seconds=None, memory_bytes=None,
        )  # fmt: skip

    def _info(self, process: Process) -> ProcessInfo:
        shown = self.visible(info(process, self._host.live(process.pid)))
        if shown is None:
            raise _no_such(process.pid)
        return shown

    def _readable(self, pid: int) -> Process:
        """A process whose logs and results the caller may read."""
        process = self._spool.get(pid)
        if self.caller.may_act(process.uid):
            return process
        if not self._host.policy.look:
            raise _no_such(pid)
        if process.options.get("private"):
            raise NotAllowed(f"process {pid} of {process.owner} is private")
        return process

    def _mine(self, pids: Iterable[int]) -> list[Process]:
        """Processes that the caller may act on, all or none."""
        found = [self._spool.get(pid) for pid in pids]
        for process in found:
            if not self.caller.may_act(process.uid):
                if not self._host.policy.look:
                    raise _no_such(process.pid)
                raise NotAllowed(
                    f"process {process.pid} belongs to {process.owner}: only {process.owner} "
                    "and administrators may do this"
                )
        return found

    def _admin(self, what: str) -> None:
        if not self.caller.admin:
            raise NotAllowed(f"only administrators of the service may {what}")

    def _acted(self, pids: Sequence[int]) -> list[ProcessInfo]:
        self._host.wake()
        self._host.announce()
        return self.in_order(pids)

    def _no_result(self, process: Process) -> str:
        if not process.state.final:
            return f"process {process.pid} is {process.state}: it has no result yet"
        why = process.detail or process.reason
        return f"process {process.pid} left no result: {why}"

    @contextmanager
    def _news(self) -> Iterator[queue.SimpleQueue[News | None]]:
        """All news from now on; None when the service is closed."""
        news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
        self._streams.add(news)
        with _sentences():
            self._host.catch_up()
        end = self._host.hub.subscribe(news.put)
        try:
            yield news
        finally:
            end()
            self._streams.discard(news)


def _until_quiet(news: queue.SimpleQueue[News | None], timeout: float) -> Iterator[News | None]:
    """News as they come, until there are none for ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            yield news.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return


def _no_such(pid: int) -> NoSuchProcess:
    return NoSuchProcess(f"there is no process {pid}: see pstack ps -a")


@contextmanager
def _sentences() -> Iterator[None]:
    """The spool's errors as the service's."""
    try:
        yield
    except ServiceError:
        raise
    except NotInSpool as error:
        raise NoSuchProcess(str(error)) from None
    except NotInThisState as error:
        raise WrongState(str(error)) from None
    except BadSubmission as error:
        raise BadRequest(str(error)) from None
    except SpoolError as error:
        raise Unavailable(str(error)) from None
