"""Tables that fit where they are shown: narrow ones lose their least important columns.

Written for many rows: 10,000 take tens of milliseconds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")

GAP = "  "
HEADING = "1"  # bold


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: what its cells say, and what happens to it where there is no room.

    Columns of low ``importance`` go first.  ``least``: cells may be cut to this width;
    0 means that they are shown whole.  ``style`` gives the SGR codes of a cell.
    """

    name: str
    text: Callable[[Row], str]
    importance: int
    right: bool = False
    least: int = 0
    style: Callable[[Row], str] | None = None

    @property
    def heading(self) -> str:
        return self.name.upper()


def table(
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    width: int | None = None,
    colour: bool = False,
    heading: bool = True,
) -> list[str]:
    """The lines of a table, at most ``width`` cells wide; None: as wide as it needs."""
    cells = [_cells(column, rows) for column in columns]
    needs = [
        max([cell_width(column.heading) if heading else 0, *map(measure, texts)])
        for column, (texts, measure) in zip(columns, cells, strict=True)
    ]
    widths = dict(fit(columns, needs, width))
    lines = []
    if heading:
        texts = [_pad(cut(columns[i].heading, w), w, columns[i].right) for i, w in widths.items()]
        line = GAP.join(texts).rstrip()
        lines.append(styled(line, HEADING) if colour else line)
    shown = []
    for index, room in widths.items():
        column, (texts, measure) = columns[index], cells[index]
        padded = _padded(texts, room, column.right, plain=measure is len)
        if colour and column.style is not None:
            codes = map(column.style, rows)
            padded = [styled(text, code) for text, code in zip(padded, codes, strict=True)]
        shown.append(padded)
    lines += [GAP.join(parts).rstrip() for parts in zip(*shown, strict=True)]
    return lines


def _cells(column: Column[Row], rows: Sequence[Row]) -> tuple[list[str], Callable[[str], int]]:
    """The texts of a column, and what measures them: ``len`` where all are plain ASCII."""
    texts = list(map(column.text, rows))
    whole = "".join(texts)
    if whole.isascii() and whole.isprintable():
        return texts, len
    return list(map(printable, texts)), cell_width


def _padded(texts: list[str], room: int, right: bool, plain: bool) -> list[str]:
    if plain:
        if max(map(len, texts), default=0) > room:
            texts = [cut(text, room) for text in texts]
        return [text.rjust(room) for text in texts] if right else [t.ljust(room) for t in texts]
    return [_pad(cut(text, room), room, right) for text in texts]


def fit(
    columns: Sequence[Column[Row]], needs: Sequence[int], width: int | None
) -> list[tuple[int, int]]:
    """Which columns are shown, by index, and how wide each is."""
    shown = list(range(len(columns)))
    if width is None:
        return [(index, needs[index]) for index in shown]

    def smallest(index: int) -> int:
        least = columns[index].least
        return min(needs[index], least) if least else needs[index]

    while len(shown) > 1 and _total([smallest(index) for index in shown]) > width:
        # Of equally important ones the last goes first.
        shown.remove(min(reversed(shown), key=lambda index: columns[index].importance))
    widths = {index: smallest(index) for index in shown}
    spare = width - _total(list(widths.values()))
    for index in sorted(shown, key=lambda index: -columns[index].importance):
        more = min(spare, needs[index] - widths[index])
        if more > 0:
            widths[index] += more
            spare -= more
    if len(shown) == 1:
        widths[shown[0]] = max(1, min(widths[shown[0]], width))
    return list(widths.items())


def styled(text: str, codes: str) -> str:
    """Text between SGR codes; none where there are none."""
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def printable(text: str) -> str:
    """Text on one line without control characters, which others may have put there."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def cell_width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def cut(text: str, width: int) -> str:
    """Text of at most ``width`` cells; what is missing shows as an ellipsis."""
    if cell_width(text) <= width:
        return text
    room, kept = width - 1, []
    for character in text:
        room -= _character_width(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _pad(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - cell_width(text))
    return blanks + text if right else text + blanks


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
