"""Run one application on one engine and collect its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pstack_core.engines.commands import Stop
from pstack_core.engines.engine import EngineError, Limits, Session, Task
from pstack_core.engines.events import Event, Failed, Finished, Log, Started
from pstack_core.engines.registry import registry

if TYPE_CHECKING:
    from pstack_core.engines.commands import Command
    from pstack_core.graph.diagnostics import Diagnostic
    from pstack_core.graph.model import Graph
    from pstack_core.runtime.result import Result


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run an application; :func:`run` explains the fields."""

    engine: str = "local"
    level: int = 1
    seed: int = 0
    threads: int = 1
    timeout: float | None = None
    max_events: int | None = None
    memory: int | None = None
    cpu_seconds: float | None = None
    properties: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None
    strict: bool = False
    dialect: str | None = None
    instance: str | None = None

    def task(self, graph: Graph) -> Task:
        """What the engine is given."""
        return Task(
            graph,
            level=self.level,
            seed=self.seed,
            threads=self.threads,
            limits=Limits(self.timeout, self.cpu_seconds, self.max_events, self.memory),
            options=dict(self.options or {}),
        )


class Run:
    """One task on one engine, from the opening of its session to its result.

    A context manager; leaving it ends the run and frees everything::

        with start("app.xml") as current:
            result = current.wait(on_log=print)
    """

    def __init__(self, engine: str, task: Task, read_seconds: float = 0.0) -> None:
        """Open the session; ``read_seconds`` is what reading the application took.

        Raises EngineError if there is no such engine or the task cannot run there.
        """
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

    def wait(
        self,
        on_event: Callable[[Event], object] | None = None,
        on_log: Callable[[str, int, str], object] | None = None,
    ) -> Result:
        """Wait for the end; calls ``on_event(event)`` and ``on_log(device, level, text)``.

        Raises EngineError if the task could not be run after all.
        """
        for event in self.events():
            if on_event is not None:
                on_event(event)
            if on_log is not None and isinstance(event, Log):
                on_log(event.device, event.level, event.text)
        assert self.result is not None
        return self.result

    def stop(self) -> None:
        """Ask the engine to end the run; its end then arrives as an event.

        May be called from another thread or a signal handler.
        """
        self.send(Stop())

    def send(self, command: Command) -> None:
        """Give the session a command; raises EngineError if the engine does not know it.

        May be called from another thread or a signal handler.
        """
        self._session.send(command)

    def _finish(self, finished: Finished) -> None:
        from pstack_core.runtime.result import Result

        self.result = Result(self.task.graph, finished, self._compile_seconds, self._load_seconds)


def start(
    source: Any,
    settings: Settings | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
) -> Run:
    """Load an application and open its run; ``source`` and ``warn`` as for :func:`run`.

    Raises ApplicationError and EngineError.
    """
    from pstack_core.graph.model import Graph

    settings = settings or Settings()
    read_seconds = 0.0
    if not isinstance(source, Graph):
        from pstack_core.graph import load

        begin = time.monotonic()
        source = load(
            source,
            strict=settings.strict,
            dialect=settings.dialect,
            properties=settings.properties or None,
            warn=warn,
            instance=settings.instance,
        )
        read_seconds = time.monotonic() - begin
    elif settings.properties:
        raise TypeError("properties can be given only where the application is loaded")
    return Run(settings.engine, settings.task(source), read_seconds)


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
    dialect: str | None = None,
    instance: str | None = None,
) -> Result:
    """Run an application and wait for its end.

    ``source`` is a Graph, or whatever ``load`` takes: a path, bytes, a file object
    or XML text.  ``level``: log lines of this level and below are kept.  ``seed``
    decides everything random.  ``timeout`` and ``cpu_seconds`` are in seconds,
    ``memory`` in bytes beyond the instance; ``max_events`` counts sends, deliveries
    and idle handlers; None means no limit.  ``properties`` overrides graph
    properties by text, ``options`` are the engine's own.  ``on_event`` is called
    with every event of the run as it happens, log lines among them, and ``warn``
    with what is odd about the application; ``strict`` makes errors of most of that.
    ``dialect`` and ``instance`` are as for ``load``.

    Raises ApplicationError for an application that cannot be used and EngineError
    for one that cannot be run; however a run ends, the result says so.
    """
    settings = Settings(
        engine=engine,
        level=level,
        seed=seed,
        threads=threads,
        timeout=timeout,
        max_events=max_events,
        memory=memory,
        cpu_seconds=cpu_seconds,
        properties=properties,
        options=options,
        strict=strict,
        dialect=dialect,
        instance=instance,
    )
    with start(source, settings, warn) as current:
        return current.wait(on_event)
