"""What one service consists of in a Python process: spool, scheduler, news, and who shares them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pstack_core.engines.registry import describe, registry
from pstack_core.runtime.hub import Changed, Hub
from pstack_core.runtime.logbook import Logbook
from pstack_core.runtime.notify import Notifier
from pstack_core.runtime.policy import Policy
from pstack_core.runtime.runner_pool import RunnerPool
from pstack_core.runtime.scheduler import LEASE, Live, Scheduler
from pstack_core.runtime.view import info
from pstack_core.runtime.workers import recover, worker_name
from pstack_spool import Engine, NoSuchProcess, Spool

if TYPE_CHECKING:
    from pstack_core.engines.engine import EngineInfo
    from pstack_core.runtime.paths import Paths

_log = logging.getLogger(__name__)

#: Changes read from the spool at a time.
_BATCH = 500


class Host:
    """A spool and whoever works on it here.

    ``drive`` runs the scheduler in a thread of its own; a daemon awaits
    :meth:`schedule` in its loop instead.
    """

    def __init__(self, paths: Paths, policy: Policy | None = None) -> None:
        self.paths = paths
        self.policy = policy or Policy()
        self.spool = Spool(paths.spool)
        self.hub = Hub()
        self.scheduler: Scheduler | None = None
        self._engines: dict[str, EngineInfo] | None = None
        self._lock = threading.RLock()
        self._seen = self.spool.last_change()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def engines(self) -> Mapping[str, EngineInfo]:
        """Every engine by name, described once."""
        with self._lock:
            if self._engines is None:
                self._engines = {
                    name: describe(engine) for name, engine in registry().engines().items()
                }
            return self._engines

    def slots(self) -> dict[str, int]:
        """How many tasks each engine runs at once."""
        return {
            name: self.policy.slots.get(name, engine.slots)
            for name, engine in self.engines().items()
            if engine.available
        }

    def live(self, pid: int) -> Live | None:
        """What is known of a process that runs here."""
        return None if self.scheduler is None else self.scheduler.live(pid)

    def wake(self) -> None:
        """Have the scheduler look at the spool now."""
        if self.scheduler is not None:
            self.scheduler.wake()

    def announce(self) -> None:
        """Tell listeners what has changed in the spool since the last time."""
        if not self.hub.heard:
            return
        with self._lock:
            while changes := self.spool.changes(after=self._seen, limit=_BATCH):
                self._seen = changes[-1].number
                latest = {change.pid: change for change in changes}
                for pid in latest:
                    try:
                        process = self.spool.get(pid)
                    except NoSuchProcess:
                        continue
                    self.hub.publish(Changed(info(process, self.live(pid))))

    def catch_up(self) -> None:
        """Somebody begins to listen: what happened before is no news."""
        with self._lock:
            if not self.hub.heard:
                self._seen = self.spool.last_change()

    # The scheduler

    def drive(self) -> None:
        """Run waiting processes in a thread of this process, from now on."""
        with self._lock:
            if self._thread is not None:
                return
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._drive(ready)), name="pstack-scheduler", daemon=True
            )
            self._thread.start()
        ready.wait()

    async def _drive(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self.schedule(ready))
        await asyncio.wait([self._task])
        if not self._task.cancelled() and self._task.exception() is not None:
            _log.error("the scheduler failed", exc_info=self._task.exception())

    async def schedule(self, ready: threading.Event | None = None) -> None:
        """Run waiting processes until cancelled."""
        slots = self.slots()
        for engine in self.engines().values():
            self.spool.announce(_row(engine, slots.get(engine.name, 0)))
        recover(self.spool)
        pool = RunnerPool(max(2, sum(slots.values())))
        self.scheduler = Scheduler(
            self.spool,
            pool,
            slots,
            Logbook(self.spool, self.hub),
            self.announce,
            worker=worker_name(),
            share=self.policy.share,
        )
        notifier = Notifier(self.hub, registry().manager)
        if ready is not None:
            ready.set()
        try:
            await self.scheduler.run()
        finally:
            notifier.close()
            self.scheduler = None

    def close(self) -> None:
        """End the scheduler of this process; what it runs waits again."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
            thread.join(2 * LEASE)
        self.spool.close()


def _row(engine: EngineInfo, slots: int) -> Engine:
    return Engine(
        name=engine.name,
        kind=engine.kind,
        host=engine.host,
        slots=slots,
        available=engine.available,
        detail=engine.detail,
        features=sorted(engine.features),
    )
