"""Logs: appended in batches, bounded per process.

Beyond its bound a log keeps its first half, where a run says what it is, and its
latest half, where it says how it ended.  What was left out in between reads as one
line that says so.  Numbers are never used again, so a reader that remembers the last
one resumes rightly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pstack_spool.errors import NoSuchProcess
from pstack_spool.model import LogBound, LogLine
from pstack_spool.values import storable

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Bytes of one line; the rest of a longer one is cut off.
LONGEST_LINE = 1 << 16
#: What a tail may exceed its half by before it is cut: cutting line by line would be slow.
_SLACK = 1.25


class _Counts(NamedTuple):
    last: int = 0  # number of the latest line
    head: int = 0  # number of the last line of the first half
    head_bytes: int = 0
    dropped: int = 0  # number of the last line that was left out; 0 if none was
    tail_bytes: int = 0


def append(
    connection: Connection,
    pid: int,
    lines: Iterable[tuple[float, int, str, int, str]],
    bound: LogBound,
) -> int:
    """Add lines (time, region, device, level, text); the number of the last."""
    counts = _counts(connection, pid)
    if connection.execute("SELECT 1 FROM processes WHERE pid = ?", (pid,)).fetchone() is None:
        raise NoSuchProcess(pid)
    last, head, head_bytes, dropped, tail_bytes = counts
    rows = []
    for time, region, device, level, text in lines:
        text = _cut(storable(text))
        size = len(text) if text.isascii() else len(text.encode())
        last += 1
        rows.append((pid, last, time, region, storable(device), level, text))
        fits = last <= bound.lines // 2 and head_bytes + size <= bound.bytes // 2
        if fits and last == head + 1:
            head, head_bytes = last, head_bytes + size
        else:
            tail_bytes += size
    connection.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    counts = _Counts(last, head, head_bytes, dropped, tail_bytes)
    counts = _bounded(connection, pid, counts, bound)
    connection.execute(
        "INSERT OR REPLACE INTO log_counts VALUES (?, ?, ?, ?, ?, ?)", (pid, *counts)
    )
    return last


def read(connection: Connection, pid: int, after: int, limit: int | None) -> list[LogLine]:
    """Lines with numbers above ``after``, oldest first, at most ``limit``."""
    counts = _counts(connection, pid)
    found = [
        LogLine._make(row)
        for row in connection.execute(
            "SELECT number, time, region, device, level, text FROM logs "
            "WHERE pid = ? AND number > ? ORDER BY number LIMIT ?",
            (pid, after, -1 if limit is None else limit),
        )
    ]
    if counts.dropped > after:
        place = sum(line.number <= counts.head for line in found)
        time = found[place].time if place < len(found) else 0.0
        missing = counts.dropped - counts.head
        text = f"{missing} lines left out here: the log reached its bound"
        found.insert(place, LogLine(counts.dropped, time, 0, "", 0, text))
        del found[limit if limit is not None else len(found) :]
    return found


def last(connection: Connection, pid: int) -> int:
    """The number of the latest line; 0 if there is none."""
    return _counts(connection, pid).last


def _counts(connection: Connection, pid: int) -> _Counts:
    row = connection.execute(
        "SELECT last, head, head_bytes, dropped, tail_bytes FROM log_counts WHERE pid = ?", (pid,)
    ).fetchone()
    return _Counts() if row is None else _Counts._make(row)


def _bounded(connection: Connection, pid: int, counts: _Counts, bound: LogBound) -> _Counts:
    """Cut the oldest lines of a tail that has outgrown its half of the bound."""
    first = max(counts.head, counts.dropped) + 1
    lines, size = counts.last - first + 1, counts.tail_bytes
    most_lines, most_bytes = bound.lines - bound.lines // 2, bound.bytes - bound.bytes // 2
    if lines <= most_lines * _SLACK and size <= most_bytes * _SLACK:
        return counts
    cut = first - 1
    for number, length in connection.execute(
        "SELECT number, length(CAST(text AS BLOB)) FROM logs "
        "WHERE pid = ? AND number >= ? ORDER BY number",
        (pid, first),
    ):
        if lines <= most_lines and size <= most_bytes:
            break
        cut, lines, size = number, lines - 1, size - length
    connection.execute(
        "DELETE FROM logs WHERE pid = ? AND number BETWEEN ? AND ?", (pid, first, cut)
    )
    return counts._replace(dropped=cut, tail_bytes=size)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_LINE // 4:
        return text
    data = text.encode()
    if len(data) <= LONGEST_LINE:
        return text
    return data[: LONGEST_LINE - 3].decode(errors="ignore") + "…"
