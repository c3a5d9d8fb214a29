"""Log lines on their way into the spool: in batches, and from there to whoever follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pstack_core.runtime.hub import Hub, Lines
from pstack_core.runtime.service import LogLine
from pstack_spool import LogBound, NoSuchProcess, SpoolError

if TYPE_CHECKING:
    from pstack_spool import Spool

_log = logging.getLogger(__name__)

#: A line waits at most so long to be written, in seconds.
PERIOD = 0.05
#: Lines that may wait; whoever has more waits.  One write of so many takes some 20 ms.
MOST_WAITING = 5_000
#: What is kept of one process, unless it was submitted with a bound of its own.
BOUND = LogBound()

Line = tuple[float, str, int, str]  # time, device, level, text


class Logbook:
    """Collects lines of all processes; used in the scheduler's loop only."""

    def __init__(self, spool: Spool, hub: Hub) -> None:
        self._spool = spool
        self._hub = hub
        self._lines: dict[int, list[Line]] = {}
        self._bounds: dict[int, LogBound] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, pid: int, most_lines: int | None) -> None:
        """A process begins; ``most_lines`` of its log are kept."""
        if most_lines is not None:
            self._bounds[pid] = LogBound(lines=most_lines)

    async def add(self, pid: int, lines: Sequence[Line]) -> None:
        """Take lines of a process; waits while there are too many."""
        self._lines.setdefault(pid, []).extend(lines)
        self._count += len(lines)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD, self._flush_all)
        while self._count > MOST_WAITING:
            await asyncio.sleep(PERIOD / 2)

    def end(self, pid: int) -> None:
        """Write what a process has said, now: it has ended."""
        self._flush(pid)
        self._bounds.pop(pid, None)

    def _flush_all(self) -> None:
        self._timer = None
        for pid in list(self._lines):
            self._flush(pid)

    def _flush(self, pid: int) -> None:
        lines = self._lines.pop(pid, None)
        if not lines:
            return
        self._count -= len(lines)
        rows = [(time, 0, device, level, text) for time, device, level, text in lines]
        try:
            last = self._spool.append_logs(pid, rows, self._bounds.get(pid, BOUND))
        except NoSuchProcess:
            return
        except SpoolError as error:
            _log.error("%d log lines of process %d are lost: %s", len(lines), pid, error)
            return
        if self._hub.heard:
            first = last - len(lines) + 1
            self._hub.publish(
                Lines(pid, tuple(LogLine(n, *line) for n, line in enumerate(lines, first)))
            )
