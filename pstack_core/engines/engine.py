"""The contract: an :class:`Engine` says what it is and opens a :class:`Session` for a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pstack_core.engines.commands import Command
    from pstack_core.engines.events import Event
    from pstack_core.graph.model import Graph

#: Version of this contract: the host refuses a higher major and warns on a higher minor.
API = (1, 0)


class EngineError(Exception):
    """An engine cannot run a task; the message is a sentence for the user."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Limits:
    """Limits of one run; None means no limit."""

    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    events: int | None = None  # sends + deliveries + idle handlers
    memory_bytes: int | None = None  # address space of the worker beyond the instance


@dataclass(frozen=True)
class Task:
    """One region of one process: for now always the whole graph."""

    graph: Graph
    level: int = 1  # handler_log lines of this level and below are kept
    seed: int = 0
    threads: int = 1
    limits: Limits = Limits()
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineInfo:
    """What ``pstack engines`` shows."""

    name: str
    kind: str
    host: str
    slots: int
    features: frozenset[str] = frozenset()
    api: tuple[int, int] = API
    available: bool = True
    detail: str = ""  # version of the compiler, or why it is not available and what to do


class Session(ABC):
    """One task on one engine.  Leaving it as a context manager ends the task and frees all."""

    @abstractmethod
    def events(self) -> Iterator[Event]:
        """Yield events as they happen; the last is Finished or Failed."""

    @abstractmethod
    def send(self, command: Command) -> None:
        """Give a command; may be called from another thread than the one that iterates events."""

    @abstractmethod
    def close(self) -> None:
        """End the task if it still runs and free everything; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Engine(ABC):
    """Something that runs tasks.

    ``api`` is the version of this contract that the engine was written for; a
    plugin writes it out, so that a later pstack knows what it expects.
    """

    name: str
    api: tuple[int, int] = (1, 0)

    @abstractmethod
    def info(self) -> EngineInfo:
        """Describe the engine; cheap, and must not raise."""

    @abstractmethod
    def open(self, task: Task) -> Session:
        """Open a session; raise EngineError, with a sentence, if the task cannot run here."""
