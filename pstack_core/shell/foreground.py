"""A process in the foreground: its log as it comes, its end, and what Ctrl-C does to it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pstack_core.runtime.service import LogLine, ProcessInfo, Service

Answer = TypeVar("Answer")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class End:
    """How it went.  ``process`` is None where it was left running; ``signal`` is 0 if none came."""

    process: ProcessInfo | None
    signal: int = 0


def attend(
    service: Service,
    pid: int,
    on_log: Callable[[LogLine], object] | None = None,
    detach: bool = False,
) -> End:
    """Wait for the end of a process, with its log lines as they come.

    Ctrl-C and SIGTERM kill the process, or only end the waiting with ``detach``; a
    second one kills at once, a third raises KeyboardInterrupt.
    """
    from pstack_core.runtime.service import ProcessInfo

    items: SimpleQueue[LogLine | ProcessInfo | BaseException | int] = SimpleQueue()

    def pump() -> None:
        # A thread, so that a signal never interrupts the talk with the service.
        try:
            if on_log is not None:
                for line in service.follow(pid):
                    items.put(line)
            items.put(service.wait([pid])[0])
        except BaseException as error:
            items.put(error)

    got: list[int] = []
    with signals(lambda number: items.put(number)):
        threading.Thread(target=pump, daemon=True).start()
        while True:
            item = items.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, int):
                got.append(item)
                if len(got) > 2:
                    raise KeyboardInterrupt
                if detach and len(got) == 1:
                    return End(None, item)
                service.kill([pid], force=len(got) > 1)
            elif isinstance(item, ProcessInfo):
                return End(item, got[0] if got else 0)
            elif on_log is not None:
                on_log(item)


@contextmanager
def signals(handle: Callable[[int], object]) -> Iterator[None]:
    """Pass Ctrl-C and SIGTERM to ``handle``; only where Python lets this thread do so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, frame: FrameType | None) -> None:
        handle(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, old in before.items():
        if old is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def interruptible(call: Callable[[], Answer]) -> Answer:
    """Call something that blocks, in a thread, so that Ctrl-C ends the waiting and nothing else."""
    return next(stream(lambda: iter([call()])))


def stream(make: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
    """The items of an iterator that blocks, made in a thread; Ctrl-C leaves it alone."""
    items: SimpleQueue[tuple[Answer | None, BaseException | None]] = SimpleQueue()

    def pump() -> None:
        try:
            for item in make():
                items.put((item, None))
            items.put((None, StopIteration()))
        except BaseException as error:
            items.put((None, error))

    threading.Thread(target=pump, daemon=True).start()
    while True:
        item, error = items.get()
        if isinstance(error, StopIteration):
            return
        if error is not None:
            raise error
        yield item  # type: ignore[misc]
