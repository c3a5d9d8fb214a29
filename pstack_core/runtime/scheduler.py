"""Starts waiting processes when there is room, follows them and writes down how they end.

One asyncio task a running process; nothing polls.  The scheduler looks into the
spool when it is woken: by a submission, by an end, and once in a while for what
other schedulers on the same spool did.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pstack_core.runtime import reports
from pstack_core.runtime.errors import ServiceError
from pstack_core.runtime.exit_status import NO_ENGINE
from pstack_core.runtime.logbook import Logbook
from pstack_core.runtime.runner_pool import Runner, RunnerPool
from pstack_core.runtime.users import user
from pstack_spool import Outcome, SpoolError, State

if TYPE_CHECKING:
    from pstack_spool import Claim, Process, Spool

_log = logging.getLogger(__name__)

#: Seconds that a claim holds without a sign of life, and between such signs.
LEASE = 15.0
PULSE = 1.0
#: Seconds that a process gets to end after it was asked to, and after SIGTERM.
PATIENCE = 3.0
LAST_PATIENCE = 1.0


@dataclass
class Live:
    """What is known of a process while it runs."""

    process: Process
    runner: Runner | None = None
    killed: bool = False
    forced: bool = False
    paused: bool = False
    lost: bool = False
    devices: int | None = None
    edges: int | None = None
    sent: int | None = None
    delivered: int | None = None
    rate: float | None = None
    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    stats_seconds: float = 0.0
    ending: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def claim(self) -> Claim:
        """What gives us the right to report."""
        return self.process.claim


class Scheduler:
    """Runs the processes of a spool, as many at once as the engines have slots.

    ``slots`` is by engine; ``share`` bounds how many of one user's run at once.
    ``changed`` is called with the PID whenever a process is in a new state.
    """

    def __init__(
        self,
        spool: Spool,
        pool: RunnerPool,
        slots: dict[str, int],
        logbook: Logbook,
        changed: Callable[[], object],
        *,
        worker: str,
        share: int | None = None,
    ) -> None:
        self._spool = spool
        self._pool = pool
        self._slots = slots
        self._logbook = logbook
        self._changed = changed
        self.worker = worker
        self._share = share
        self._live: dict[int, Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._pulse_due = True
        self._force: set[int] = set()

    # From any thread

    def wake(self) -> None:
        """Look for processes to start, and at what users want of running ones, now."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                loop.call_soon_threadsafe(self._look)

    def force(self, pids: list[int]) -> None:
        """Kill these at once, if they run here."""
        self._force.update(pids)
        self.wake()

    def live(self, pid: int) -> Live | None:
        """What is known of a process that runs here."""
        return self._live.get(pid)

    @property
    def running(self) -> int:
        """How many processes run here."""
        return len(self._live)

    # In its loop

    async def run(self) -> None:
        """Run processes until cancelled; then those that still run wait again."""
        self._loop = asyncio.get_running_loop()
        pulse = asyncio.create_task(self._pulse())
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                try:
                    if self._pulse_due:
                        self._pulse_due = False
                        self._obey()
                    self._start_waiting()
                except SpoolError as error:
                    _log.error("%s", error)
                    await asyncio.sleep(PULSE)
        finally:
            self._loop = None
            pulse.cancel()
            self._give_back()

    def _look(self) -> None:
        self._pulse_due = True
        self._woken.set()

    async def _pulse(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(PULSE)
            self._pool.trim()

    def _start_waiting(self) -> None:
        room = self._room()
        if not any(room.values()):
            return
        processes = self._spool.claim(self.worker, room, lease=LEASE, share=self._share)
        for process in processes:
            self._live[process.pid] = Live(process)
            task = asyncio.create_task(self._carry_out(self._live[process.pid]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if processes:
            self._changed()

    def _room(self) -> dict[str, int]:
        """Free slots of every engine."""
        room = dict(self._slots)
        for live in self._live.values():
            room[live.process.engine] -= live.process.regions
        return {engine: free for engine, free in room.items() if free > 0}

    def _obey(self) -> None:
        """Show that we live, and do what users want of our processes."""
        expired = self._spool.expire()
        if expired:
            self._changed()
        orders = self._spool.heartbeat([one.claim for one in self._live.values()], lease=LEASE)
        for pid in orders.lost:
            if live := self._live.get(pid):
                live.lost = True
                self._end(live, force=True)
        for pid in orders.kill:
            if live := self._live.get(pid):
                self._end(live, force=pid in self._force)
        for pid in orders.pause:
            self._hold(pid, True)
        for pid in orders.resume:
            self._hold(pid, False)
        self._force.clear()

    def _hold(self, pid: int, paused: bool) -> None:
        live = self._live.get(pid)
        if live is None or live.killed:
            return
        live.paused = paused
        if live.runner is not None:
            task = asyncio.create_task(self._tell(live, "pause" if paused else "resume"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if paused:
            self._spool.paused(live.claim)
        else:
            self._spool.resumed(live.claim)
        self._changed()

    def _end(self, live: Live, force: bool) -> None:
        """End a process here, politely unless ``force``."""
        first = not live.killed
        live.killed = True
        if force and not live.forced:
            live.forced = True
            if live.runner is not None:
                live.runner.signal(signal.SIGKILL)
        elif first and live.runner is not None:
            live.ending = asyncio.create_task(self._escalate(live))

    async def _escalate(self, live: Live) -> None:
        assert live.runner is not None
        await self._tell(live, "stop")
        await asyncio.sleep(PATIENCE)
        live.runner.signal(signal.SIGTERM)
        await asyncio.sleep(LAST_PATIENCE)
        live.runner.signal(signal.SIGKILL)

    async def _tell(self, live: Live, what: str) -> None:
        assert live.runner is not None
        with contextlib.suppress(ConnectionError):
            await live.runner.send({"type": what})

    async def _carry_out(self, live: Live) -> None:
        """A process from claim to end."""
        pid = live.process.pid
        try:
            outcome = await self._outcome(live)
            if not live.lost:
                with self._spool.batch():
                    self._logbook.end(pid)
                    self._spool.end(live.claim, outcome)
        except SpoolError as error:
            # Its lease will run out, and it is then run again or failed.
            _log.error("process %d: %s", pid, error)
        finally:
            if live.ending is not None:
                live.ending.cancel()
            self._live.pop(pid, None)
            self._look()
        self._changed()

    async def _outcome(self, live: Live) -> Outcome:
        process = live.process
        try:
            live.runner = await self._pool.acquire(user(process.uid), process.engine)
        except ServiceError as error:
            return Outcome(state=State.FAILED, reason="error", detail=str(error), exit_status=1)
        runner = live.runner
        if live.killed:
            self._pool.release(runner)
            return _killed("it was killed before it started")
        try:
            ended = await self._follow(live, runner)
        except BaseException:
            self._pool.discard(runner)
            raise
        if ended is None:
            return self._died(live, self._pool.discard(runner))
        if live.forced:
            self._pool.discard(runner)
        else:
            self._pool.release(runner)
        report, states = ended
        if report.output:
            now = time.time()
            output = [(now, "", 0, line) for line in report.output.splitlines()]
            await self._logbook.add(process.pid, output)
        return Outcome(
            state=State(report.state),
            reason=report.reason,
            detail=report.detail or ("it was asked to end" if live.killed else ""),
            exit_code=report.exit_code,
            exit_status=report.exit_status,
            # An application that is wrong stays wrong; an engine may be better next time.
            retry=report.reason != "error" or report.exit_status == NO_ENGINE,
            metrics=report.metrics,
            states=states or None,
        )

    async def _follow(self, live: Live, runner: Runner) -> tuple[reports.Ended, bytes] | None:
        """Have it run; what its runner says of its end, None if the runner died."""
        process = live.process
        order = _order(process)
        application: bytes | None = None
        self._logbook.begin(process.pid, process.options["log_lines"])
        try:
            await runner.send(order)
            if live.paused:
                await self._tell(live, "pause")
            while (frame := await runner.receive()) is not None:
                message, payload = frame
                kind = message.get("type")
                if kind == "log":
                    await self._logbook.add(process.pid, reports.lines(message))
                elif kind == "need" and application is None:
                    application = self._spool.application(process.application)
                    await runner.send(order, application)
                elif kind == "started":
                    start = reports.started(message)
                    live.devices, live.edges = start.devices, start.edges
                    self._spool.started(live.claim, devices=start.devices, edges=start.edges)
                elif kind == "stats":
                    _note(live, reports.counts(message))
                elif kind == "ended":
                    return reports.ended(message), payload
                else:
                    raise reports.BadReport(f"{str(kind)[:40]!r} at this moment")
        except ConnectionError:
            pass
        except reports.BadReport as error:
            _log.warning("the runner of process %d was killed: it said %s", process.pid, error)
        return None

    def _died(self, live: Live, status: int) -> Outcome:
        if live.killed:
            return _killed("it was killed" if live.forced else "it did not end when asked to")
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        detail = f"its runner ended unexpectedly ({how}), perhaps for lack of memory"
        return Outcome(
            state=State.FAILED,
            reason="lost",
            detail=detail,
            exit_status=128 - status if status < 0 else 1,
        )

    def _give_back(self) -> None:
        """The end of the scheduler: what runs is stopped and waits again."""
        for task in self._tasks:
            task.cancel()
        for live in self._live.values():
            live.lost = True
            if live.runner is not None:
                self._pool.discard(live.runner)
            with contextlib.suppress(SpoolError):
                self._spool.release(live.claim, "its scheduler ended: it runs again from the start")
        self._live.clear()
        self._pool.close()


def _note(live: Live, counts: reports.Counts) -> None:
    """Counters of the moment."""
    period = counts.seconds - live.stats_seconds
    if period > 0:
        live.rate = (counts.delivered - (live.delivered or 0)) / period
    live.stats_seconds = counts.seconds
    live.sent, live.delivered = counts.sent, counts.delivered
    live.cpu_seconds, live.memory_bytes = counts.cpu_seconds, counts.memory_bytes


def _killed(detail: str) -> Outcome:
    return Outcome(
        state=State.KILLED, reason="killed", detail=detail, exit_status=128 + signal.SIGKILL
    )


def _order(process: Process) -> dict[str, Any]:
    """What the runner is told."""
    options = process.options
    settings = dict(options["settings"])
    settings["timeout"], settings["memory"] = process.timeout, process.memory
    how_loaded = [settings[name] for name in ("properties", "strict", "dialect", "instance")]
    return {
        "type": "run",
        "pid": process.pid,
        "key": repr((process.application, options["folder"], process.name, how_loaded)),
        "name": process.name,
        "folder": options["folder"],
        "engine": process.engine,
        "settings": settings,
    }
