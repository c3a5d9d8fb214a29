"""Processes that come after others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pstack_spool.errors import NoSuchProcess
from pstack_spool.model import State
from pstack_spool.transitions import Action, change

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Reason of a process that failed because of one that it came after.
REASON = "dependency"


def add(connection: Connection, pid: int, after: Iterable[int], condition: str, now: float) -> None:
    """Let ``pid`` come after others; what has ended already counts at once."""
    for other in dict.fromkeys(after):
        row = connection.execute(
            "SELECT state, exit_code FROM processes WHERE pid = ?", (other,)
        ).fetchone()
        if row is None or other == pid:
            raise NoSuchProcess(other)
        added = connection.execute(
            "INSERT OR IGNORE INTO dependencies (pid, after, condition) VALUES (?, ?, ?)",
            (pid, other, condition),
        )
        if added.rowcount:
            connection.execute("UPDATE processes SET unmet = unmet + 1 WHERE pid = ?", (pid,))
            if State(row[0]).final:
                settle(connection, other, now)


def settle(connection: Connection, ended: int, now: float) -> None:
    """Let go, or fail, what came after a process that has ended, and what came after those."""
    pending = [ended]
    while pending:
        pid = pending.pop()
        state, code = connection.execute(
            "SELECT state, exit_code FROM processes WHERE pid = ?", (pid,)
        ).fetchone()
        ok = state == State.FINISHED and not code
        followers = connection.execute(
            "SELECT pid, condition FROM dependencies WHERE after = ? AND met = 0 ORDER BY pid",
            (pid,),
        ).fetchall()
        connection.execute("UPDATE dependencies SET met = 1 WHERE after = ? AND met = 0", (pid,))
        for follower, condition in followers:
            connection.execute("UPDATE processes SET unmet = unmet - 1 WHERE pid = ?", (follower,))
            alive = connection.execute(
                "SELECT ended IS NULL FROM processes WHERE pid = ?", (follower,)
            ).fetchone()[0]
            if alive and condition == "ok" and not ok:
                how = f"{state} with exit code {code}" if state == State.FINISHED else state
                detail = f"it was to run after process {pid}, which {_WAS.get(state, '')}{how}"
                columns = {"reason": REASON, "detail": detail}
                change(connection, follower, Action.FAIL, now, detail, columns)
                pending.append(follower)


_WAS = {State.KILLED: "was "}


def unmet(connection: Connection, pid: int) -> list[tuple[int, State]]:
    """(PID, state) of what a process still comes after."""
    return [
        (after, State(state))
        for after, state in connection.execute(
            "SELECT d.after, p.state FROM dependencies d JOIN processes p ON p.pid = d.after "
            "WHERE d.pid = ? AND d.met = 0 ORDER BY d.after",
            (pid,),
        )
    ]


def of(connection: Connection, pid: int) -> list[tuple[int, str]]:
    """(PID, ``ok`` or ``any``) of everything that a process was submitted to come after."""
    return connection.execute(
        "SELECT after, condition FROM dependencies WHERE pid = ? ORDER BY after", (pid,)
    ).fetchall()
