"""Run one application on one engine and collect its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pstack_core.engines.commands import Stop
from pstack_core.engines.engine import EngineError, Limits, Session, Task
from pstack_core.engines.events import Event, Failed, Finished, Started

if TYPE_CHECKING:
    from pstack_core.graph.diagnostics import Diagnostic
    from pstack_core.graph.model import Graph
    from pstack_core.runtime.result import Result


class Run:
    """One task on one engine, from the opening of its session to its result.

    A context manager; leaving it ends the run and frees everything::

        with Run(graph, "local", Task(graph)) as run:
            for event in run.events():
                ...
        run.result
    """

    def __init__(self, engine: str, task: Task, read_seconds: float = 0.0) -> None:
        """``read_seconds``: what reading the application took, part of "Load seconds".

        Raises EngineError if there is no such engine or the task cannot run there.
        """
        from pstack_core.engines.registry import registry

        self.task = task
        self.result: Result | None = None
        self._compile_seconds = 0.0
        self._load_seconds = read_seconds
        self._session: Session = registry().engine(engine).open(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def events(self) -> Iterator[Event]:
        """Yield every event as it happens; afterwards :attr:`result` is set.

        Raises EngineError if the task could not be run after all.
        """
        for event in self._session.events():
            if isinstance(event, Started):
                self._compile_seconds = event.compile_seconds
                self._load_seconds += event.load_seconds
            elif isinstance(event, Failed):
                raise EngineError(event.error, event.output)
            elif isinstance(event, Finished):
                self._finish(event)
            yield event
        if self.result is None:
            raise EngineError("the engine ended the session without saying how the run ended")

    def stop(self) -> None:
        """Ask the engine to end the run; its end then arrives as an event.

        May be called from another thread or a signal handler.
        """
        self._session.send(Stop())

    def _finish(self, finished: Finished) -> None:
        from pstack_core.runtime.result import Result

        self.result = Result(self.task.graph, finished, self._compile_seconds, self._load_seconds)


def run(
    source: Any,
    engine: str = "local",
    *,
    level: int = 1,
    seed: int = 0,
    threads: int = 1,
    timeout: float | None = None,
    max_events: int | None = None,
    memory: int | None = None,
    cpu_seconds: float | None = None,
    properties: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    on_event: Callable[[Event], object] | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
    strict: bool = False,
) -> Result:
    """Run an application and wait for its end.

    ``source`` is a Graph, or whatever ``load`` takes: a path, bytes, a file object
    or XML text.  ``level``: log lines of this level and below are kept.
    ``timeout`` and ``cpu_seconds`` are in seconds, ``memory`` in bytes,
    ``max_events`` counts sends, deliveries and idle handlers; None means no limit.
    ``properties`` overrides graph properties.  ``on_event`` is called with every
    event of the run as it happens, log lines among them.

    Raises ApplicationError for an application that cannot be used and EngineError
    for one that cannot be run; however a run ends, the result says so.
    """
    graph, read_seconds = read(source, properties=properties, warn=warn, strict=strict)
    task = Task(
        graph,
        level=level,
        seed=seed,
        threads=threads,
        limits=Limits(timeout, cpu_seconds, max_events, memory),
        options=dict(options or {}),
    )
    with Run(engine, task, read_seconds) as current:
        for event in current.events():
            if on_event is not None:
                on_event(event)
    assert current.result is not None
    return current.result


def read(
    source: Any,
    *,
    properties: Mapping[str, str] | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
    strict: bool = False,
) -> tuple[Graph, float]:
    """The graph of a source, which may be one already, and the seconds it took."""
    from pstack_core.graph.model import Graph

    begin = time.monotonic()
    if isinstance(source, Graph):
        if properties:
            raise TypeError("properties can be given only where the application is loaded")
        return source, 0.0
    from pstack_core.graph import load

    graph = load(source, properties=dict(properties or {}) or None, warn=warn, strict=strict)
    return graph, time.monotonic() - begin
