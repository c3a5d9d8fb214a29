"""News of processes, from whoever makes them to whoever follows them, in one Python process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pstack_core.runtime.service import LogLine, ProcessInfo


@dataclass(frozen=True)
class Changed:
    """A process is in a new state."""

    process: ProcessInfo


@dataclass(frozen=True)
class Lines:
    """New log lines, already in the spool."""

    pid: int
    lines: tuple[LogLine, ...]


News = Changed | Lines


class Hub:
    """Passes news on.  A listener is called in the thread that has the news: it must be quick."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[News], object], ...] = ()
        self._lock = threading.Lock()

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def subscribe(self, listener: Callable[[News], object]) -> Callable[[], None]:
        """Call ``listener`` with all news from now on; the answer ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return end

    def publish(self, news: News) -> None:
        """Tell everybody who listens."""
        for listener in self._listeners:
            listener(news)
