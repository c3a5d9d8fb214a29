"""Runs each save of an application; a newer save ends the run of an older one."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pstack_core.shell.watching.saves import Save, Saves

if TYPE_CHECKING:
    from pstack_core.graph.diagnostics import Diagnostic
    from pstack_core.runtime.result import Result
    from pstack_core.runtime.run import Run, Settings


@dataclass(frozen=True)
class Ended:
    """One run: its result, or why there was none.  ``stale``: a newer save ended it."""

    save: Save
    result: Result | None = None
    error: Exception | None = None
    stale: bool = False


class _Named(io.BytesIO):
    """Content that knows the file it is from, for messages and header files."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


class Reruns:
    """Yields the end of every run, until :meth:`close`."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        on_log: Callable[[str, int, str], object] | None,
        unfinished: Callable[[str], object],
        warn: Callable[[Diagnostic], None] | None = None,
    ) -> None:
        self._path = path
        self._settings = settings
        self._on_log = on_log
        self._warn = warn
        self._saves = Saves(path, unfinished)
        self._items: SimpleQueue[Save | Ended | None] = SimpleQueue()
        self._run: Run | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """End; may be called from a signal handler."""
        self._items.put(None)

    def __iter__(self) -> Iterator[Ended]:
        with self._saves:
            threading.Thread(target=self._watch, daemon=True).start()
            running: threading.Thread | None = None
            next_one: Save | None = None
            while (item := self._items.get()) is not None:
                if isinstance(item, Save):
                    next_one = item
                    self._stop()
                else:
                    running = None
                    yield item
                if running is None and next_one is not None:
                    running = self._start(next_one)
                    next_one = None
            self._stop()
            if running is not None:
                running.join()

    def _watch(self) -> None:
        for save in self._saves:
            self._items.put(save)

    def _start(self, save: Save) -> threading.Thread:
        self._stopped = False
        thread = threading.Thread(target=self._work, args=(save,))
        thread.start()
        return thread

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._run is not None:
                self._run.stop()

    def _work(self, save: Save) -> None:
        from pstack_core.runtime.run import start

        result, failure = None, None
        try:
            file = _Named(save.content, str(self._path))
            with start(file, self._settings, self._warn) as current:
                with self._lock:
                    self._run = current
                    if self._stopped:
                        current.stop()
                try:
                    result = current.wait(on_log=self._on_log)
                finally:
                    with self._lock:
                        self._run = None
        except Exception as error:
            failure = error
        self._items.put(Ended(save, result, failure, self._stopped))
