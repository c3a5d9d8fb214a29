"""Results: metrics as JSON, final states as an npz file in parts, so that it can stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pstack_spool.errors import SpoolError
from pstack_spool.model import Result

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Bytes in a part.
PART = 1 << 20


def store(
    connection: Connection, pid: int, metrics: Mapping[str, Any], states: bytes | None
) -> None:
    """Keep a result; a process has one at most."""
    connection.execute(
        "INSERT INTO results VALUES (?, ?, ?)",
        (pid, json.dumps(metrics), None if states is None else len(states)),
    )
    if states is not None:
        view = memoryview(states)
        connection.executemany(
            "INSERT INTO result_parts (pid, part, data) VALUES (?, ?, ?)",
            ((pid, at // PART, view[at : at + PART]) for at in range(0, len(view), PART)),
        )


def load(connection: Connection, pid: int) -> Result | None:
    """The result of a process without its states; None if it left none."""
    row = connection.execute(
        "SELECT metrics, states_size FROM results WHERE pid = ?", (pid,)
    ).fetchone()
    return None if row is None else Result(pid, json.loads(row[0]), row[1])


def parts(connection: Connection, pid: int) -> Iterator[bytes]:
    """The npz file of the states, in pieces; nothing if there is none."""
    found = load(connection, pid)
    left = 0 if found is None or found.states_size is None else found.states_size
    part = 0
    while left > 0:
        # One statement a part: no transaction stays open while the reader is slow.
        row = connection.execute(
            "SELECT data FROM result_parts WHERE pid = ? AND part = ?", (pid, part)
        ).fetchone()
        if row is None:
            raise SpoolError(f"the result of process {pid} was removed while it was read")
        yield row[0]
        left -= len(row[0])
        part += 1
