"""Tells what happened to background processes, and what to put above the prompt about it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pstack_core.runtime.errors import ServiceError
from pstack_core.shell import people
from pstack_core.shell.columns import printable, styled
from pstack_core.shell.process_columns import end_of, style_of, title_of

if TYPE_CHECKING:
    from pstack_core.runtime.service import ProcessInfo, Service

#: More ends than this at a time are counted, not listed.
MOST = 5
#: Seconds in which ends are collected before they are told.
PATIENCE = 0.1


class News:
    """Follows the changes of one service in a thread.

    ``changed`` is called in that thread, now and then, after processes of ``owner``
    came into another state; :meth:`take` then gives those that ended.
    """

    def __init__(self, service: Service, owner: str, changed: Callable[[], object]) -> None:
        self._service = service
        self._owner = owner
        self._changed = changed
        self._ended: list[ProcessInfo] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._over = False
        for target in (self._listen, self._tell):
            threading.Thread(target=target, daemon=True, name=target.__name__).start()

    def take(self, foreground: set[int]) -> list[ProcessInfo]:
        """What ended since the last call, without those that were waited for."""
        with self._lock:
            ended, self._ended = self._ended, []
        return [process for process in ended if process.pid not in foreground]

    def close(self) -> None:
        """Tell nothing more."""
        self._over = True
        self._wake.set()

    def _listen(self) -> None:
        with suppress(ServiceError, OSError):
            for process in self._service.changes():
                if self._over:
                    return
                if process.owner == self._owner:
                    if process.final:
                        with self._lock:
                            self._ended.append(process)
                    self._wake.set()

    def _tell(self) -> None:
        while not self._over:
            self._wake.wait()
            time.sleep(PATIENCE)
            self._wake.clear()
            if not self._over:
                self._changed()


def announcement(ended: Sequence[ProcessInfo], colour: bool) -> str:
    """Lines about processes that ended; empty for none."""
    if len(ended) > MOST:
        counts = Counter(process.state for process in ended)
        parts = ", ".join(f"{number:,} {state}" for state, number in counts.items())
        return f"{people.many(len(ended), 'process', 'processes')} ended: {parts}"
    lines = []
    for process in ended:
        state = styled(process.state, style_of(process)) if colour else process.state
        line = f"[{process.pid}] {printable(title_of(process))} {state}"
        if end_of(process) not in ("", process.state):
            line += f": {end_of(process)}"
        if process.started is not None and process.ended is not None:
            line += f" after {people.duration(process.ended - process.started)}"
        if process.state == "failed" and process.detail:
            line += f" ({printable(process.detail)})"
        lines.append(line)
    return "\n".join(lines)
