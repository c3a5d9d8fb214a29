"""Submitting, finding and forgetting processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pstack_spool import applications, claims, dependencies
from pstack_spool.errors import BadSubmission, NoSuchProcess, NotAllowed
from pstack_spool.model import FINAL, Change, Process, State, Submission, Waiting
from pstack_spool.transitions import record
from pstack_spool.values import storable

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Priorities reach from minus this to plus this.
HIGHEST_PRIORITY = 1000

_STATES = {str(state): state for state in State}
_COLUMNS = ", ".join(name.removesuffix("_json") for name in Process._fields)
_make = partial(tuple.__new__, Process)  # the fastest way to make thousands
_GIVEN = (
    "owner", "uid", "name", "application", "engine", "regions", "priority", "rank", "label",
    "array_index", "array_value", "retries", "timeout", "memory", "submitted", "options",
    "rerun_of", "private",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO processes (state, {', '.join(_GIVEN)}) "
    f"VALUES ('waiting', {', '.join('?' * len(_GIVEN))})"
)


def _process(row: tuple[Any, ...]) -> Process:
    return _make((row[0], _STATES[row[1]], *row[2:]))


def prepare(submission: Submission, key: str) -> dict[str, Any]:
    """The columns that a submission gives; raises BadSubmission."""
    if not -HIGHEST_PRIORITY <= submission.priority <= HIGHEST_PRIORITY:
        raise BadSubmission(
            f"priority {submission.priority} is not between {-HIGHEST_PRIORITY} "
            f"and {HIGHEST_PRIORITY}"
        )
    if not 0 <= submission.retries <= 1_000_000:
        raise BadSubmission(f"retries {submission.retries} is not between 0 and 1000000")
    for name in ("uid", "memory", "array_index"):
        number = getattr(submission, name)
        if number is not None and not 0 <= number < 1 << 63:
            raise BadSubmission(f"{name} {number} is not between 0 and 2^63 - 1")
    try:
        options = json.dumps(dict(submission.options), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadSubmission(f"the options of {submission.name} cannot be kept: {error}") from error
    return {
        "owner": storable(submission.owner),
        "uid": submission.uid,
        "name": storable(submission.name),
        "application": key,
        "engine": storable(submission.regions[0] if submission.regions else submission.engine),
        "regions": len(submission.regions) or 1,
        "priority": submission.priority,
        "label": storable(submission.label),
        "array_index": submission.array_index,
        "array_value": (
            None if submission.array_value is None else storable(submission.array_value)
        ),
        "retries": submission.retries,
        "timeout": submission.timeout,
        "memory": submission.memory,
        "options": options,
        "rerun_of": None,
        "private": int(submission.private),
    }


def insert(
    connection: Connection, columns: dict[str, Any], engines: Sequence[str], now: float
) -> int:
    """Add a waiting process with a task for each region; its PID."""
    columns = columns | {"submitted": now, "rank": claims.rank(now, columns["priority"])}
    pid = connection.execute(_INSERT, [columns[name] for name in _GIVEN]).lastrowid
    assert pid is not None
    connection.executemany(
        "INSERT INTO tasks VALUES (?, ?, ?)",
        [(pid, region, storable(engine)) for region, engine in enumerate(engines)],
    )
    record(connection, pid, now, None, State.WAITING, None, "")
    return pid


def submit(
    connection: Connection,
    submissions: Sequence[Submission],
    now: float,
    packed: Callable[[bytes], applications.Packed],
) -> list[int]:
    """Add processes; their PIDs.  ``packed`` compresses an application, once each."""
    keys: dict[int, str] = {}  # hashing an array's application once is enough
    pids = []
    for submission in submissions:
        content = submission.application
        key = keys.get(id(content))
        if key is None:
            key = keys[id(content)] = applications.digest(content)
            if not applications.present(connection, key):
                applications.store(connection, packed(content))
        engines = submission.regions or (submission.engine,)
        pid = insert(connection, prepare(submission, key), engines, now)
        dependencies.add(connection, pid, submission.after, "ok", now)
        dependencies.add(connection, pid, submission.after_any, "any", now)
        pids.append(pid)
    return pids


def rerun(connection: Connection, pid: int, now: float, owner: str | None, uid: int | None) -> int:
    """Submit the same application with the same options again; the new PID."""
    process = get(connection, pid)
    columns = {name: getattr(process, name, None) for name in _GIVEN}
    columns |= {"options": process.options_json, "rerun_of": pid}
    if owner is not None:
        columns["owner"] = storable(owner)
    if uid is not None:
        columns["uid"] = uid
    return insert(connection, columns, tasks(connection, pid), now)


def tasks(connection: Connection, pid: int) -> tuple[str, ...]:
    """The engine of each region."""
    rows = connection.execute("SELECT engine FROM tasks WHERE pid = ? ORDER BY region", (pid,))
    return tuple(engine for (engine,) in rows)


def get(connection: Connection, pid: int) -> Process:
    """A process; raises NoSuchProcess."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM processes WHERE pid = ?", (pid,)).fetchone()
    if row is None:
        raise NoSuchProcess(pid)
    return _process(row)


def select(
    connection: Connection,
    *,
    pids: Iterable[int] | None,
    states: Iterable[str] | None,
    owners: Iterable[str] | None,
    labels: Iterable[str] | None,
    engines: Iterable[str] | None,
    ended_before: float | None,
    limit: int | None,
) -> list[Process]:
    """Processes by PID; ``limit`` keeps the latest."""
    conditions, values = _conditions(pids, states, owners, labels, engines, ended_before)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM processes {conditions} ORDER BY pid DESC LIMIT ?",
        (*values, -1 if limit is None else limit),
    ).fetchall()
    rows.reverse()
    return [_process(row) for row in rows]


def _conditions(
    pids: Iterable[int] | None,
    states: Iterable[str] | None,
    owners: Iterable[str] | None,
    labels: Iterable[str] | None,
    engines: Iterable[str] | None,
    ended_before: float | None,
) -> tuple[str, list[str | float]]:
    clauses, values = [], list[str | float]()
    wanted = {"pid": pids, "state": states, "owner": owners, "label": labels, "engine": engines}
    for column, any_of in wanted.items():
        if any_of is not None:
            # As JSON: any number of values in one variable.
            clauses.append(f"{column} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(any_of)))
    if ended_before is not None:
        clauses.append("ended < ?")
        values.append(ended_before)
    return (f"WHERE {' AND '.join(clauses)}" if clauses else "", values)


def counts(connection: Connection) -> dict[State, int]:
    """How many processes are in each state."""
    found = dict(connection.execute("SELECT state, count(*) FROM processes GROUP BY state"))
    return {state: found.get(str(state), 0) for state in State}


def history(connection: Connection, pid: int) -> list[Change]:
    """Every change of a process, oldest first."""
    get(connection, pid)
    return _changes(connection, "pid = ? ORDER BY number", (pid,))


def changes(connection: Connection, after: int, limit: int) -> list[Change]:
    """Changes of all processes with numbers above ``after``, oldest first."""
    return _changes(connection, "number > ? ORDER BY number LIMIT ?", (after, limit))


def last_change(connection: Connection) -> int:
    """The number of the latest change; 0 if there was none."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'history'").fetchone()
    return 0 if row is None else int(row[0])


def _changes(connection: Connection, condition: str, values: tuple[int, ...]) -> list[Change]:
    return [
        Change(number, pid, time, None if before is None else _STATES[before], _STATES[after], *of)
        for number, pid, time, before, after, *of in connection.execute(
            "SELECT number, pid, time, before, after, worker, detail FROM history "
            f"WHERE {condition}",
            values,
        )
    ]


def remove(connection: Connection, pids: Sequence[int]) -> None:
    """Forget ended processes and all that belongs to them."""
    keys = set()
    for pid in pids:
        process = get(connection, pid)
        if process.state not in FINAL:
            raise NotAllowed(f"process {pid} is {process.state}: kill it before removing it")
        keys.add(process.application)
    connection.executemany("DELETE FROM processes WHERE pid = ?", [(pid,) for pid in pids])
    applications.collect(connection, keys)


def waiting(connection: Connection, pid: int) -> Waiting:
    """Why a process does not run yet."""
    process = get(connection, pid)
    place = claims.rank(process.submitted, process.priority)
    ahead = connection.execute(
        "SELECT count(*) FROM processes INDEXED BY processes_claimable "
        "WHERE state = 'waiting' AND unmet = 0 AND regions = 1 AND engine = ? "
        "AND (rank, pid) < (?, ?)",
        (process.engine, place, pid),
    ).fetchone()[0]
    row = connection.execute(
        "SELECT slots, available, detail FROM engines WHERE name = ?", (process.engine,)
    ).fetchone()
    slots, available, detail = row or (None, True, "")
    return Waiting(
        state=process.state,
        after=tuple(dependencies.unmet(connection, pid)),
        not_before=process.not_before,
        ahead=ahead,
        engine=process.engine,
        slots=slots,
        in_use=claims.engines_in_use(connection)[process.engine],
        available=bool(available),
        engine_detail=detail,
    )
