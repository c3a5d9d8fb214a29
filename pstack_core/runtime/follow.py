"""Following a log: first what the spool has, then what comes, without a gap or a repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pstack_core.runtime.hub import Changed, Lines, News
from pstack_core.runtime.service import LogLine

if TYPE_CHECKING:
    from pstack_core.runtime.service import Service

#: Lines read from the spool at a time.
PAGE = 1000


class Follower:
    """Where somebody is in a log.  It must be given all news since before its first reading."""

    def __init__(self, service: Service, pid: int, after: int = 0) -> None:
        self._service = service
        self.pid = pid
        self.last = after
        self.ended = False

    def read(self) -> list[LogLine]:
        """The next lines that the spool has; none when it has no more for now."""
        lines = self._service.logs(self.pid, self.last, PAGE)
        if lines:
            self.last = lines[-1].number
        return lines

    def take(self, news: News) -> list[LogLine]:
        """The lines that news bring; sets :attr:`ended` at the end of the process."""
        if isinstance(news, Changed):
            if news.process.pid == self.pid and news.process.final:
                self.ended = True
        elif isinstance(news, Lines) and news.pid == self.pid:
            lines = [line for line in news.lines if line.number > self.last]
            if lines:
                self.last = lines[-1].number
            return lines
        return []
