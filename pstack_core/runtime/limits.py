"""What one user may take of a daemon: connections, requests a second, bytes at a time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pstack_core.runtime.errors import Busy


@dataclass(frozen=True)
class Bounds:
    """How much; seconds, bytes and counts."""

    connections: int = 512
    connections_of_one: int = 128
    requests_per_second: float = 1000.0
    burst: float = 2000.0
    bytes_at_once: int = 1 << 30
    hello_seconds: float = 10.0
    frame_seconds: float = 60.0


class Limits:
    """Counts what the users of a daemon take."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds = bounds
        self._clock = clock
        self._connections: Counter[int] = Counter()
        self._tokens: dict[int, tuple[float, float]] = {}  # left, when
        self._bytes = 0
        self._freed = asyncio.Condition()

    def connect(self, uid: int) -> None:
        """Count a connection.  Raises Busy."""
        if self._connections.total() >= self.bounds.connections:
            raise Busy(f"the daemon has {self.bounds.connections} connections: try again later")
        if self._connections[uid] >= self.bounds.connections_of_one:
            raise Busy(
                f"you have {self._connections[uid]} connections to the daemon: close some first"
            )
        self._connections[uid] += 1

    def disconnect(self, uid: int) -> None:
        """A connection has ended."""
        self._connections[uid] -= 1
        if not self._connections[uid]:
            del self._connections[uid]
            left, when = self._tokens.get(uid, (0.0, 0.0))
            full = left + (self._clock() - when) * self.bounds.requests_per_second
            if full >= self.bounds.burst:
                self._tokens.pop(uid, None)

    async def request(self, uid: int) -> None:
        """Count a request; one too many a second waits for its turn."""
        now = self._clock()
        left, when = self._tokens.get(uid, (self.bounds.burst, now))
        left = min(self.bounds.burst, left + (now - when) * self.bounds.requests_per_second) - 1
        self._tokens[uid] = left, now
        if left < 0:
            await asyncio.sleep(-left / self.bounds.requests_per_second)

    @asynccontextmanager
    async def payload(self, size: int) -> AsyncIterator[None]:
        """Room for a payload; waits until others have been dealt with."""
        async with self._freed:
            await self._freed.wait_for(
                lambda: not self._bytes or self._bytes + size <= self.bounds.bytes_at_once
            )
            self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size
            async with self._freed:
                self._freed.notify_all()
