"""News for those who wait in the daemon's loop: ends of processes, log lines, changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pstack_core.runtime.errors import Busy
from pstack_core.runtime.follow import Follower
from pstack_core.runtime.hub import Changed, Lines, News
from pstack_core.runtime.service import LogLine, ProcessInfo

if TYPE_CHECKING:
    from pstack_core.runtime.host import Host
    from pstack_core.runtime.local_service import LocalService

#: News that may wait for a slow reader.
MOST = 2000
#: Seconds between looks at the spool for what other schedulers did.
GLANCE = 2.0


class Stream:
    """News that one reader is interested in; ``missed`` is set when there were too many."""

    def __init__(self, wanted: Callable[[News], bool]) -> None:
        self.missed = False
        self._wanted = wanted
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[News] = asyncio.Queue(MOST)

    def hear(self, news: News) -> None:
        """Called with all news, in any thread."""
        if self._wanted(news):
            self._loop.call_soon_threadsafe(self._put, news)

    async def next(self, timeout: float | None) -> News | None:
        """The next news; None if there are none for ``timeout`` seconds, or some were missed."""
        if self.missed:
            self.missed = False
            while not self._queue.empty():
                self._queue.get_nowait()
            return None
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except TimeoutError:
            return None

    def _put(self, news: News) -> None:
        if self._queue.full():
            self.missed = True
        else:
            self._queue.put_nowait(news)


@contextmanager
def listening(host: Host, wanted: Callable[[News], bool]) -> Iterator[Stream]:
    """A stream of news from now on."""
    stream = Stream(wanted)
    host.catch_up()
    end = host.hub.subscribe(stream.hear)
    try:
        yield stream
    finally:
        end()


async def wait(
    host: Host, service: LocalService, pids: tuple[int, ...], timeout: float | None
) -> list[ProcessInfo]:
    """Wait until all have ended, or the time is over; the processes as they then are."""
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    wanted = set(pids)

    def ends(news: News) -> bool:
        return isinstance(news, Changed) and news.process.final and news.process.pid in wanted

    with listening(host, ends) as stream:
        left = await asyncio.to_thread(service.unfinished, pids)
        while left:
            pause = GLANCE if deadline is None else min(GLANCE, deadline - loop.time())
            if pause <= 0:
                break
            news = await stream.next(pause)
            if isinstance(news, Changed):
                left.discard(news.process.pid)
            else:
                left &= await asyncio.to_thread(service.unfinished, tuple(left))
    return await asyncio.to_thread(service.in_order, pids)


async def follow(
    host: Host, service: LocalService, pid: int, after: int
) -> AsyncIterator[list[LogLine]]:
    """Log lines as they come, until the process has ended."""

    def of_it(news: News) -> bool:
        if isinstance(news, Lines):
            return news.pid == pid
        return news.process.pid == pid and news.process.final

    with listening(host, of_it) as stream:
        follower = Follower(service, pid, after)
        while not follower.ended:
            while lines := await asyncio.to_thread(follower.read):
                yield lines
            if not service.unfinished((pid,)):
                break
            while not follower.ended and (news := await stream.next(GLANCE)) is not None:
                if lines := follower.take(news):
                    yield lines
        while lines := await asyncio.to_thread(follower.read):
            yield lines


async def changes(host: Host, service: LocalService) -> AsyncIterator[list[ProcessInfo]]:
    """Changes of state as they happen.  Raises Busy for a reader that is too slow."""
    with listening(host, lambda news: isinstance(news, Changed)) as stream:
        while True:
            news = await stream.next(None)
            if news is None:
                raise Busy("changes came faster than they were read: look at 'pstack ps' again")
            assert isinstance(news, Changed)
            shown = service.visible(news.process)
            if shown is not None:
                yield [shown]
