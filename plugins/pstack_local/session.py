"""A run of one task: compile the type, lay out the instance, follow the worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pstack_core.engines.commands import Pause, Resume, Stop
from pstack_core.engines.engine import EngineError, Session
from pstack_core.engines.events import Failed, Started, Stats
from pstack_core.graph.model import HALT_DEVICE_TYPE
from pstack_local.watcher import Worker, WorkerError
from pstack_native.cache import compiled
from pstack_native.compiler import CompilerError
from pstack_native.image import Image, ImageError

if TYPE_CHECKING:
    from pstack_core.engines.commands import Command
    from pstack_core.engines.engine import Task
    from pstack_core.engines.events import Event
    from pstack_core.graph.model import Graph

#: Seconds between Stats events.
STATS_PERIOD = 0.5


class LocalSession(Session):
    """Compiles and lays out on construction; the worker starts with ``events``."""

    def __init__(self, task: Task) -> None:
        _refuse_externals(task.graph)
        self._task = task
        self._worker: Worker | None = None
        self._stop_asked = self._pause_asked = False
        try:
            self._compiled = compiled(task.graph.type, task.level)
            begin = time.perf_counter()
            self._image = Image(task.graph)
        except CompilerError as error:
            raise EngineError(str(error), error.output) from None
        except ImageError as error:
            raise EngineError(str(error)) from None
        self._load_seconds = time.perf_counter() - begin

    def events(self) -> Iterator[Event]:
        task = self._task
        worker = Worker(self._image, self._compiled.path, task.level, task.seed, task.limits)
        self._worker = worker
        if self._stop_asked:
            worker.stop()
        if self._pause_asked:
            worker.pause(True)
        begin = last = time.monotonic()
        yield Started(self._compiled.seconds, self._load_seconds, self._compiled.cached)
        for batch in worker.logs():
            yield from batch
            now = time.monotonic()
            if now - last >= STATS_PERIOD:
                last = now
                yield Stats(worker.counters(), now - begin)
        try:
            yield worker.finish()
        except WorkerError as error:
            yield Failed(str(error))

    def send(self, command: Command) -> None:
        if isinstance(command, Stop):
            self._stop_asked = True
            if self._worker is not None:
                self._worker.stop()
        elif isinstance(command, Pause | Resume):
            self._pause_asked = isinstance(command, Pause)
            if self._worker is not None:
                self._worker.pause(self._pause_asked)
        else:
            raise EngineError(f"the local engine does not know {type(command).__name__}")

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._image.close()


def _refuse_externals(graph: Graph) -> None:
    for index, device in enumerate(graph.type.device_types):
        if device.external and device.id != HALT_DEVICE_TYPE:
            of_type = graph.devices.of_type(index)
            if len(of_type):
                name = graph.devices.names[int(of_type[0])]
                raise EngineError(
                    f"device {name} is an external of type {device.id}: the local engine serves"
                    " no externals yet, only __halt__; remove it or give it a device type"
                )
