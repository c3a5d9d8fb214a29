"""What users ask of processes and what workers report about them.

A user's wish about a process that a worker holds is kept as its ``request``; the
worker learns of it with its heartbeat, acts, and reports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pstack_spool import results
from pstack_spool.dependencies import settle
from pstack_spool.errors import LeaseLost, NotAllowed
from pstack_spool.model import Claim, Outcome, State
from pstack_spool.transitions import TABLE, Action, Column, Situation, change, situation

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Reason of a process whose worker vanished.
LOST = "lost"
#: Seconds before the first retry after a failure; doubled each time.
RETRY_DELAY = 1.0
LONGEST_RETRY_DELAY = 300.0

_OPPOSITES = {"pause": Action.RESUME, "resume": Action.PAUSE}
_ENDS = {
    State.FINISHED: Action.FINISH,
    State.FAILED: Action.FAIL,
    State.KILLED: Action.KILL,
}


def ask(connection: Connection, pid: int, action: Action, now: float) -> State:
    """A user's wish: carried out at once if nobody holds the process, else requested.

    Returns the state it is in now.  Raises NotAllowed.
    """
    before = situation(connection, pid)
    request = connection.execute("SELECT request FROM processes WHERE pid = ?", (pid,)).fetchone()
    if not before.held:
        if action is Action.KILL:
            return finish(connection, pid, action, now, "killed", "killed while it waited")
        return change(connection, pid, action, now)
    if request[0] == "kill":
        return before.state  # nothing is wanted of it any more but its end
    # A wish that the worker has not carried out yet may be taken back.
    pending = request[0] in _OPPOSITES and _OPPOSITES[request[0]] is action
    if before not in TABLE[action] and not pending:
        return change(connection, pid, action, now)  # refuses, with its sentence
    connection.execute("UPDATE processes SET request = ? WHERE pid = ?", (str(action), pid))
    return before.state


def finish(
    connection: Connection,
    pid: int,
    action: Action,
    now: float,
    reason: str,
    detail: str = "",
    columns: Mapping[str, Column] | None = None,
) -> State:
    """End a process for good, and settle what came after it."""
    told: dict[str, Column] = {"reason": reason, "detail": detail, **(columns or {})}
    state = change(connection, pid, action, now, detail, told)
    settle(connection, pid, now)
    return state


def check_held(connection: Connection, claim: Claim) -> Situation:
    """Where a claimed process is; raises LeaseLost if the claim is not the present one."""
    row = connection.execute(
        "SELECT state FROM processes WHERE pid = ? AND attempt = ? AND worker = ?", claim
    ).fetchone()
    if row is None:
        raise LeaseLost(f"process {claim.pid} is no longer run by {claim.worker}: report dropped")
    return Situation(State(row[0]), held=True)


def started(
    connection: Connection, claim: Claim, now: float, devices: int | None, edges: int | None
) -> None:
    """The worker has the process going."""
    check_held(connection, claim)
    connection.execute(
        "UPDATE processes SET started = ?, devices = coalesce(?, devices), "
        "edges = coalesce(?, edges) WHERE pid = ?",
        (now, devices, edges, claim.pid),
    )


def obeyed(connection: Connection, claim: Claim, action: Action, now: float) -> State:
    """The worker has paused or resumed the process."""
    before = check_held(connection, claim)
    if _request(connection, claim.pid) == action:
        connection.execute("UPDATE processes SET request = '' WHERE pid = ?", (claim.pid,))
    if before in TABLE[action].values():
        return before.state
    return change(connection, claim.pid, action, now)


def release(connection: Connection, claim: Claim, now: float, detail: str) -> State:
    """The worker gives the process back unfinished; this is no failure of the process."""
    check_held(connection, claim)
    if _request(connection, claim.pid) == "kill":
        return finish(connection, claim.pid, Action.KILL, now, "killed", detail)
    return _requeue(connection, claim.pid, now, detail, {})


def end(connection: Connection, claim: Claim, now: float, outcome: Outcome) -> State:
    """The run is over: the outcome is kept, or the process waits for another attempt."""
    action = _ENDS.get(outcome.state)
    if action is None:
        raise NotAllowed(f"process {claim.pid} cannot end as {outcome.state}")
    check_held(connection, claim)
    if outcome.state is State.FAILED:
        failures, left = _failed(connection, claim.pid)
        if outcome.retry and left and _request(connection, claim.pid) != "kill":
            doublings = min(failures - 1, 30)  # far beyond the longest delay
            delay = min(LONGEST_RETRY_DELAY, RETRY_DELAY * 2**doublings)
            return _again(connection, claim.pid, now, delay, outcome.reason, outcome.detail)
    if outcome.metrics is not None or outcome.states is not None:
        results.store(connection, claim.pid, outcome.metrics or {}, outcome.states)
    told: dict[str, Column] = {
        "exit_code": outcome.exit_code,
        "exit_status": outcome.exit_status,
    }
    if outcome.stats is not None:
        told["stats"] = json.dumps(outcome.stats)
    return finish(connection, claim.pid, action, now, outcome.reason, outcome.detail, told)


def lost(connection: Connection, pid: int, now: float) -> State:
    """The worker of a held process has vanished."""
    worker = connection.execute("SELECT worker FROM processes WHERE pid = ?", (pid,)).fetchone()[0]
    detail = f"its worker {worker} vanished"
    if _request(connection, pid) == "kill":
        return finish(connection, pid, Action.KILL, now, "killed", detail)
    if _failed(connection, pid)[1]:
        return _again(connection, pid, now, 0.0, LOST, detail)
    return finish(connection, pid, Action.FAIL, now, LOST, detail)


def _failed(connection: Connection, pid: int) -> tuple[int, bool]:
    """Count a failure; (failures, whether another attempt is left)."""
    failures, retries = connection.execute(
        "UPDATE processes SET failures = failures + 1 WHERE pid = ? RETURNING failures, retries",
        (pid,),
    ).fetchone()
    return failures, failures <= retries


def _again(
    connection: Connection, pid: int, now: float, delay: float, reason: str, detail: str
) -> State:
    columns: dict[str, Column] = {"not_before": now + delay, "reason": reason, "detail": detail}
    return _requeue(connection, pid, now, detail, columns)


def _requeue(
    connection: Connection, pid: int, now: float, detail: str, columns: Mapping[str, Column]
) -> State:
    request = _request(connection, pid)
    state = change(connection, pid, Action.REQUEUE, now, detail, {"started": None, **columns})
    # What its user wanted of the worker is done here instead.
    wish = {("pause", State.WAITING): Action.PAUSE, ("resume", State.PAUSED): Action.RESUME}
    action = wish.get((request, state))
    return state if action is None else change(connection, pid, action, now)


def _request(connection: Connection, pid: int) -> str:
    row = connection.execute("SELECT request FROM processes WHERE pid = ?", (pid,)).fetchone()
    return str(row[0])
