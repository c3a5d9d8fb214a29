"""Notices that a file was saved, and reads it when it is whole.

Editors write in place, truncate and write, or rename a new file over the old one,
some in several steps.  What the system tells is only a hint to look.  A content
counts when the file has rested for a moment, nobody who wrote it still has it
open, it is well-formed to its end, and it differs from the last one.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

_EVENTS: list[type[FileSystemEvent]] = [
    FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent,
]  # fmt: skip
#: Seconds without a change before a file is read.
QUIET = 0.15
#: Seconds that a writer may rest with the file open before what it wrote counts.
PATIENCE = 2.0
#: Seconds after which the file is looked at without a hint: network file systems give none.
POLL = 1.0


@dataclass(frozen=True)
class Save:
    """A whole content of the file."""

    content: bytes
    digest: str


class Saves:
    """The contents of a file as it is saved, the present one first; a context manager."""

    def __init__(
        self, path: Path, unfinished: Callable[[str], object] = lambda problem: None
    ) -> None:
        """``unfinished`` is told, once a content, why one that rests is not whole."""
        self._path = path
        self._unfinished = unfinished
        self._hint = threading.Event()
        self._over = False
        self._written_by_somebody = False
        self._digest = ""
        self._refused = ""  # digest of the last content that was not whole
        self._observer = Observer()
        # Where the file is a link, what it points to is saved.
        for folder in {path.absolute().parent, path.resolve().parent}:
            self._observer.schedule(_Hints(self._event), str(folder), event_filter=_EVENTS)
        self._names = {path.name, path.resolve().name}

    def __enter__(self) -> Self:
        self._observer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self._observer.stop()
        self._observer.join()

    def close(self) -> None:
        """End the iteration, in whatever thread it is."""
        self._over = True
        self._hint.set()

    def __iter__(self) -> Iterator[Save]:
        while not self._over:
            self._hint.clear()
            save = self._settled()
            if save is not None:
                self._digest = save.digest
                yield save
            self._hint.wait(POLL)

    def _event(self, event: FileSystemEvent) -> None:
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if not any(os.path.basename(path) in self._names for path in paths):
            return
        if isinstance(event, FileModifiedEvent):
            self._written_by_somebody = True
        else:
            self._written_by_somebody = False
        self._hint.set()

    def _settled(self) -> Save | None:
        """The content, when the file rests; None if it is the last one or not whole."""
        before, since = self._signature(), time.monotonic()
        while not self._over:
            time.sleep(QUIET)
            now = self._signature()
            if now != before:
                before, since = now, time.monotonic()
                continue
            if self._written_by_somebody and time.monotonic() - since < PATIENCE:
                continue
            if now is None:
                return None
            try:
                content = self._path.read_bytes()
            except OSError:
                return None
            if self._signature() == now:
                return self._whole(content)
        return None

    def _whole(self, content: bytes) -> Save | None:
        digest = hashlib.sha256(content).hexdigest()
        if digest in (self._digest, self._refused):
            return None
        problem = problem_of(content)
        if problem:
            self._refused = digest
            self._unfinished(problem)
            return None
        self._refused = ""
        return Save(content, digest)

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns


def problem_of(content: bytes) -> str:
    """Why a content is not well-formed to its end; empty if it is."""
    import pstack_scan
    from pstack_core.graph.diagnostics import ApplicationError
    from pstack_core.graph.source import Source

    scanner = pstack_scan.Scanner()
    try:
        with Source(content) as source:
            for chunk in source.chunks():
                rest = memoryview(chunk)
                while rest:
                    rest = rest[scanner.feed(bytes(rest)) :]
                    scanner.events()
                    if scanner.paused:
                        scanner.skip()
        scanner.close()
    except pstack_scan.XMLError as error:
        return str(error)
    except ApplicationError as error:
        return str(error.diagnostics[0].message)
    return ""


class _Hints(FileSystemEventHandler):
    """Passes events on; an exception here would end all watching."""

    def __init__(self, event: Callable[[FileSystemEvent], object]) -> None:
        self._event = event

    def on_any_event(self, event: FileSystemEvent) -> None:
        try:
            self._event(event)
        except Exception:
            self._event = lambda event: None  # the file is still looked at now and then
