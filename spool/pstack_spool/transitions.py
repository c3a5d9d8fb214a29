"""Which changes of state there are: one table, and the one function that makes a change.

docs/spool.md draws the table.  A process is *held* while a worker has it: it runs,
or it is paused where it was running.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pstack_spool.errors import NoSuchProcess, NotAllowed
from pstack_spool.model import State

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: What a column may be set to.
Column = str | int | float | None


class Action(StrEnum):
    """What happens to a process."""

    CLAIM = "claim"
    PAUSE = "pause"
    RESUME = "resume"
    REQUEUE = "requeue"  # it failed with retries left, or its worker gave it back or vanished
    FINISH = "finish"
    FAIL = "fail"
    KILL = "kill"


class Situation(NamedTuple):
    """What decides which changes are allowed."""

    state: State
    held: bool = False


_WAITING = Situation(State.WAITING)
_RUNNING = Situation(State.RUNNING, held=True)
_PAUSED = Situation(State.PAUSED)
_STOPPED = Situation(State.PAUSED, held=True)

#: Every allowed change: action, from where, to where.
TABLE: Mapping[Action, Mapping[Situation, Situation]] = {
    Action.CLAIM: {_WAITING: _RUNNING},
    Action.PAUSE: {_WAITING: _PAUSED, _RUNNING: _STOPPED},
    Action.RESUME: {_PAUSED: _WAITING, _STOPPED: _RUNNING},
    # A process that its user has stopped stays so when its worker is gone.
    Action.REQUEUE: {_RUNNING: _WAITING, _STOPPED: _PAUSED},
    # It may end between the request to pause and the signal that stops it.
    Action.FINISH: dict.fromkeys((_RUNNING, _STOPPED), Situation(State.FINISHED)),
    # One that nobody runs fails when a process that it comes after does.
    Action.FAIL: dict.fromkeys((_WAITING, _PAUSED, _RUNNING, _STOPPED), Situation(State.FAILED)),
    Action.KILL: dict.fromkeys((_WAITING, _PAUSED, _RUNNING, _STOPPED), Situation(State.KILLED)),
}


def situation(connection: Connection, pid: int) -> Situation:
    """Where a process is; raises :class:`NoSuchProcess`."""
    row = connection.execute(
        "SELECT state, worker IS NOT NULL FROM processes WHERE pid = ?", (pid,)
    ).fetchone()
    if row is None:
        raise NoSuchProcess(pid)
    return Situation(State(row[0]), bool(row[1]))


def change(
    connection: Connection,
    pid: int,
    action: Action,
    now: float,
    detail: str = "",
    columns: Mapping[str, Column] | None = None,
) -> State:
    """Change a process's state, and other columns with it, and record it; the new state.

    Within a write transaction.  Raises :class:`NotAllowed` for what the table does
    not have, and changes nothing then.
    """
    before = situation(connection, pid)
    after = TABLE[action].get(before)
    if after is None:
        raise NotAllowed(f"process {pid} is {before.state}: {_CANNOT[action]}")
    changed = {"state": str(after.state), **(columns or {})}
    worker = changed.get("worker")
    if before.held:
        worker = connection.execute(
            "SELECT worker FROM processes WHERE pid = ?", (pid,)
        ).fetchone()[0]
        if not after.held:
            changed |= {"worker": None, "lease": None, "request": ""}
    if after.state.final:
        changed["ended"] = now
    connection.execute(
        f"UPDATE processes SET {', '.join(f'{name} = ?' for name in changed)} WHERE pid = ?",
        (*changed.values(), pid),
    )
    record(connection, pid, now, before.state, after.state, worker, detail)
    return after.state


def record(
    connection: Connection,
    pid: int,
    now: float,
    before: State | None,
    after: State,
    worker: Column,
    detail: str,
) -> None:
    """Add a line to the history."""
    connection.execute(
        "INSERT INTO history (pid, time, before, after, worker, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (pid, now, None if before is None else str(before), str(after), worker, detail),
    )


_CANNOT = {
    Action.CLAIM: "only a waiting process can be claimed",
    Action.PAUSE: "only a waiting or running process can be paused",
    Action.RESUME: "only a paused process can go on",
    Action.REQUEUE: "only a process that a worker holds can wait again",
    Action.FINISH: "only a process that a worker holds can finish",
    Action.FAIL: "it has ended",
    Action.KILL: "it has ended",
}
