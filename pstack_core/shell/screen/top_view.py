"""The screens of ``top`` as lines of text: no terminal, no service, only what to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pstack_core.shell import people
from pstack_core.shell.columns import cell_width, cut, printable, styled, table
from pstack_core.shell.process_columns import Field, end_of, fields, ordered, title_of

if TYPE_CHECKING:
    from pstack_core.runtime.service import EngineStatus, LogLine, ProcessInfo
    from pstack_core.shell.screen.snapshot import Snapshot

COLUMNS = (
    "pid", "state", "name", "owner", "regions", "devices", "edges", "rate", "cpu", "memory",
    "time", "engine", "label", "end",
)  # fmt: skip
#: The order without a chosen column.
ORDER = {"running": 0, "paused": 1, "waiting": 2}
BAR = 10

HELP = """\
up down, page up page down     choose a process
k        kill it (asks)        K       kill it at once (asks)
p        pause it, or let it go on
l enter  its log: arrows scroll, escape leaves
/        show only what contains a text; escape shows all again
a        ended processes too, or not
u        only your processes, or all
< >      order by the column to the left or right
P N O    order by PID, name or owner
R C M T  order by rate, CPU time, memory or time
S        order by state: running first
r        the other way round
h ?      this help
q        leave"""


def header(snapshot: Snapshot, width: int | None, colour: bool) -> list[str]:
    """Who serves, how many processes there are, and a line for each engine."""
    status, now = snapshot.status, snapshot.time
    if status.daemon:
        who = f"daemon {status.pid}, up {people.duration(now - status.started)}"
    else:
        who = "no daemon"
    counts = ", ".join(
        f"{number:,} {state}"
        for state, number in snapshot.counts.items()
        if number or state in ("running", "waiting")
    )
    rate = sum(p.rate or 0.0 for p in snapshot.processes if p.state == "running")
    title = styled("pstack top", "1") if colour else "pstack top"
    lines = [
        f"{title}  {people.moment(now, now)}  {who}, user {printable(status.user)}",
        f"{counts or 'no processes'}; {people.rate(rate)} delivered",
    ]
    name = max((cell_width(engine.name) for engine in snapshot.engines), default=0)
    lines += [_engine(engine, name, colour) for engine in snapshot.engines]
    return [line if width is None else _cut_styled(line, width) for line in lines]


def _engine(engine: EngineStatus, width: int, colour: bool) -> str:
    name = f"{printable(engine.name):<{width}}"
    if not engine.available:
        return f"{name}  not available: {printable(engine.detail)}"
    full = round(BAR * min(1.0, engine.running / engine.slots)) if engine.slots else 0
    bar = "#" * full + "." * (BAR - full)
    if colour and full:
        bar = styled("#" * full, "32") + "." * (BAR - full)
    text = f"{name}  [{bar}] {engine.running}/{engine.slots} slots"
    if engine.waiting:
        text += f", {engine.waiting:,} waiting"
    return f"{text}  {printable(engine.kind)} on {printable(engine.host)}"


def _cut_styled(line: str, width: int) -> str:
    """Cut a line that may have colours; one that is too long loses them."""
    plain = _plain(line)
    return line if cell_width(plain) <= width else cut(plain, width)


def _plain(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def sort(
    processes: list[ProcessInfo], column: str, descending: bool, now: float
) -> list[ProcessInfo]:
    """Processes in the order that was chosen; ``column`` is empty for by state."""
    if column:
        return ordered(processes, fields(now)[column], descending)
    found = sorted(
        processes,
        key=lambda p: (ORDER.get(p.state, 3), p.pid if p.state in ORDER else -p.pid),
    )
    return found[::-1] if descending else found


def matches(process: ProcessInfo, text: str) -> bool:
    """Whether a process has a text in what is shown of it."""
    words = (
        str(process.pid), process.state, title_of(process), process.owner, process.engine,
        process.label, end_of(process),
    )  # fmt: skip
    return any(text.lower() in word.lower() for word in words)


def rows(
    shown: Sequence[ProcessInfo], now: float, width: int | None, colour: bool, sorted_by: str = ""
) -> list[str]:
    """The table: its heading and a line a process."""
    known: dict[str, Field] = fields(now)
    chosen = [known[name] for name in COLUMNS]
    if not any(process.label for process in shown):
        chosen = [field for field in chosen if field.name != "label"]
    if not any(process.final for process in shown):
        chosen = [field for field in chosen if field.name != "end"]
    if not any(process.regions > 1 for process in shown):
        chosen = [field for field in chosen if field.name != "regions"]
    if sorted_by and known[sorted_by] not in chosen:
        chosen.append(known[sorted_by])
    return table([field.column for field in chosen], shown, width, colour)


def log_lines(lines: Sequence[LogLine], width: int) -> list[str]:
    """A log for a screen: one line each."""
    return [cut(printable(f"{line.device}  {line.text}"), width) for line in lines]


def bar(text: str, width: int, colour: bool) -> str:
    """A line in reverse video over the whole width."""
    text = cut(printable(text), width)
    return styled(text + " " * (width - cell_width(text)), "7") if colour else text
