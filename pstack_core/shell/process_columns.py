"""What can be shown of processes, a column each, for ``ps`` and ``top``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pstack_core.shell import people
from pstack_core.shell.columns import Column

if TYPE_CHECKING:
    from pstack_core.runtime.service import ProcessInfo

#: SGR codes that can be read on light and on dark backgrounds.
GREEN, RED, MAGENTA, CYAN, DIM = "32", "31", "35", "36", "2"

STATE_STYLES = {
    "waiting": "",
    "running": GREEN,
    "paused": MAGENTA,
    "finished": CYAN,
    "failed": RED,
    "killed": RED,
}


@dataclass(frozen=True)
class Field:
    """One column: what it shows and by what it sorts."""

    column: Column[ProcessInfo]
    key: Callable[[ProcessInfo], Any]
    meaning: str

    @property
    def name(self) -> str:
        return self.column.name


def end_of(process: ProcessInfo) -> str:
    """``exit 3``, ``timeout``, ``crash``; empty before the end."""
    if process.reason in ("exit", "halt") and process.exit_code is not None:
        return f"{process.reason} {process.exit_code}"
    return process.reason


def title_of(process: ProcessInfo) -> str:
    """The name, and which of an array it is."""
    value = process.array_value
    return f"{process.name} [{value}]" if value is not None else process.name


def style_of(process: ProcessInfo) -> str:
    """The colour of a state."""
    return STATE_STYLES.get(process.state, "")


def _end_style(process: ProcessInfo) -> str:
    return RED if process.final and process.exit_status not in (0, None) else ""


def fields(now: float) -> dict[str, Field]:
    """Every column by name; times are relative to ``now``."""

    def field(
        name: str,
        meaning: str,
        importance: int,
        text: Callable[[ProcessInfo], str],
        key: Callable[[ProcessInfo], Any],
        right: bool = False,
        least: int = 0,
        style: Callable[[ProcessInfo], str] | None = None,
    ) -> Field:
        return Field(Column(name, text, importance, right, least, style), key, meaning)

    def number(name: str, meaning: str, importance: int, what: str) -> Field:
        def value(process: ProcessInfo) -> Any:
            return getattr(process, what)

        return field(name, meaning, importance, lambda p: people.amount(value(p)), value, True)

    def moment(name: str, importance: int) -> Field:
        return field(
            name,
            f"when it was {name}",
            importance,
            lambda p: people.moment(getattr(p, name), now),
            lambda p: getattr(p, name),
        )

    found = (
        field("pid", "its number", 100, lambda p: str(p.pid), lambda p: p.pid, True),
        field("state", "waiting, running, ...", 95, lambda p: p.state, lambda p: p.state,
              style=style_of),
        field("name", "the application's file", 90, title_of, title_of, least=20),
        field("end", "why it ended, and its exit code", 85, end_of, end_of, style=_end_style),
        field("owner", "whose it is", 70, lambda p: p.owner, lambda p: p.owner, least=6),
        field("engine", "what runs it", 55, lambda p: p.engine, lambda p: p.engine),
        field("label", "its label", 50, lambda p: p.label, lambda p: p.label, least=8),
        field("priority", "higher runs first", 35, lambda p: str(p.priority), lambda p: p.priority,
              True),
        field("time", "how long it has run", 80, lambda p: people.duration(p.seconds(now)),
              lambda p: p.seconds(now), True),
        moment("submitted", 40),
        moment("started", 30),
        moment("ended", 30),
        number("regions", "parts that run on engines of their own", 15, "regions"),
        number("devices", "devices of the graph", 30, "devices"),
        number("edges", "edges of the graph", 25, "edges"),
        number("delivered", "messages delivered so far", 42, "delivered"),
        field("rate", "deliveries a second", 60, lambda p: people.rate(p.rate), lambda p: p.rate,
              True),
        field("cpu", "CPU time", 45, lambda p: people.duration(p.cpu_seconds),
              lambda p: p.cpu_seconds, True),
        field("memory", "resident memory", 46, lambda p: people.size(p.memory_bytes),
              lambda p: p.memory_bytes, True),
        field("attempt", "runs so far", 10, lambda p: str(p.attempt), lambda p: p.attempt, True),
        field("after", "PIDs that it comes after", 12, lambda p: ",".join(map(str, p.after)),
              lambda p: p.after, least=6),
        field("status", "the exit status of its run", 20,
              lambda p: "" if p.exit_status is None else str(p.exit_status),
              lambda p: p.exit_status, True),
        field("detail", "a sentence about its end", 5, lambda p: p.detail, lambda p: p.detail,
              least=12),
    )  # fmt: skip
    return {one.name: one for one in found}


#: Every column's name, for options and completion.
NAMES = (
    "pid", "state", "name", "end", "owner", "engine", "label", "priority", "time", "submitted",
    "started", "ended", "regions", "devices", "edges", "delivered", "rate", "cpu", "memory",
    "attempt", "after", "status", "detail",
)  # fmt: skip


def ordered(
    processes: list[ProcessInfo], field: Field, descending: bool = False
) -> list[ProcessInfo]:
    """Processes in the order of a column; those that have no value come last."""
    having = [process for process in processes if field.key(process) is not None]
    having.sort(key=field.key, reverse=descending)
    return having + [process for process in processes if field.key(process) is None]
