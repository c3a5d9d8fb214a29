"""Who runs what: claims in order, leases kept alive by heartbeats, leases that are over.

Order.  A process's ``rank`` is its time of submission minus AGEING seconds for each
step of priority; lowest first.  So a process overtakes later ones of a priority one
higher after it has waited that long: nothing starves, and the order of two processes
never changes, so an index has it.

Speed.  A claim merges one index scan for each engine and owner (few) instead of
passing over thousands of processes whose owner has reached a share.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pstack_spool import lifecycle
from pstack_spool.model import Claim, Orders, State
from pstack_spool.transitions import Action, Column, change

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Seconds of waiting that count as much as one step of priority.
AGEING = 3600.0


def rank(submitted: float, priority: int) -> float:
    """The place in the queue: lower is sooner."""
    return submitted - AGEING * priority


class Candidate(NamedTuple):
    """A process that may be claimed; sorts as the queue does."""

    rank: float
    pid: int
    owner: str
    engines: tuple[str, ...]  # of its regions


# Each query names its index: without statistics SQLite might prefer a scan.
ANYTHING = (
    "SELECT 1 FROM processes INDEXED BY processes_claimable "
    "WHERE state = 'waiting' AND unmet = 0 AND regions = 1 LIMIT 1",
    "SELECT 1 FROM processes INDEXED BY processes_gangs "
    "WHERE state = 'waiting' AND unmet = 0 AND regions > 1 LIMIT 1",
)


def anything_claimable(connection: Connection) -> bool:
    """Whether a claim is worth a write transaction."""
    return any(connection.execute(query).fetchone() for query in ANYTHING)


def claim(
    connection: Connection,
    worker: str,
    capacity: Mapping[str, int],
    now: float,
    lease: float,
    share: int | None,
    most: int | None,
) -> list[int]:
    """Give a worker the next processes; their PIDs, in order."""
    free = _free(connection, capacity)
    held = owners_in_use(connection)
    chosen: list[Candidate] = []
    # Chosen before anything changes: a cursor's rows must not change below it.
    for candidate in _candidates(connection, free, held, now, share):
        if most is not None and len(chosen) >= most:
            break
        if share is not None and held[candidate.owner] >= share:
            continue
        wanted = Counter(candidate.engines)
        if all(free.get(engine, 0) >= tasks for engine, tasks in wanted.items()):
            chosen.append(candidate)
            held[candidate.owner] += 1
            for engine, tasks in wanted.items():
                free[engine] -= tasks
        elif len(candidate.engines) > 1 and _could_fit(connection, wanted, capacity):
            # Nobody behind it may take what it waits for, or it might wait for ever.
            for engine in wanted:
                free[engine] = 0
        if not any(slots > 0 for slots in free.values()):
            break
    for candidate in chosen:
        columns: dict[str, Column] = {
            "worker": worker,
            "lease": now + lease,
            "started": now,
            "request": "",
        }
        change(connection, candidate.pid, Action.CLAIM, now, columns=columns)
        connection.execute(
            "UPDATE processes SET attempt = attempt + 1 WHERE pid = ?", (candidate.pid,)
        )
    return [candidate.pid for candidate in chosen]


def _free(connection: Connection, capacity: Mapping[str, int]) -> dict[str, int]:
    """Slots that may be taken now: what the worker offers, and no more than the engine has."""
    slots = dict(connection.execute("SELECT name, slots FROM engines"))
    used = engines_in_use(connection)
    return {
        engine: max(0, min(offered, slots.get(engine, offered + used[engine]) - used[engine]))
        for engine, offered in capacity.items()
    }


def _could_fit(
    connection: Connection, wanted: Mapping[str, int], capacity: Mapping[str, int]
) -> bool:
    slots = dict(connection.execute("SELECT name, slots FROM engines"))
    return all(
        engine in capacity and tasks <= slots.get(engine, tasks) for engine, tasks in wanted.items()
    )


def engines_in_use(connection: Connection) -> Counter[str]:
    """Tasks that run, by engine."""
    return Counter(
        dict(
            connection.execute(
                "SELECT t.engine, count(*) FROM processes p INDEXED BY processes_held "
                "CROSS JOIN tasks t USING (pid) WHERE p.worker IS NOT NULL GROUP BY t.engine"
            )
        )
    )


def owners_in_use(connection: Connection) -> Counter[str]:
    """Processes that workers hold, by owner."""
    return Counter(
        dict(
            connection.execute(
                "SELECT owner, count(*) FROM processes INDEXED BY processes_held "
                "WHERE worker IS NOT NULL GROUP BY owner"
            )
        )
    )


OWNERS = """
    WITH RECURSIVE found (owner) AS (
        SELECT min(owner) FROM processes INDEXED BY processes_claimable
        WHERE state = 'waiting' AND unmet = 0 AND regions = 1 AND engine = :engine
        UNION ALL
        SELECT (SELECT min(p.owner) FROM processes p INDEXED BY processes_claimable
                WHERE p.state = 'waiting' AND p.unmet = 0 AND p.regions = 1
                AND p.engine = :engine AND p.owner > found.owner)
        FROM found WHERE found.owner IS NOT NULL
    )
    SELECT owner FROM found WHERE owner IS NOT NULL
"""

SINGLES = """
    SELECT rank, pid FROM processes INDEXED BY processes_claimable
    WHERE state = 'waiting' AND unmet = 0 AND regions = 1 AND engine = ? AND owner = ?
    AND not_before <= ? ORDER BY rank, pid
"""

GANGS = """
    SELECT rank, pid, owner FROM processes INDEXED BY processes_gangs
    WHERE state = 'waiting' AND unmet = 0 AND regions > 1 AND not_before <= ? ORDER BY rank, pid
"""


def _candidates(
    connection: Connection,
    free: Mapping[str, int],
    held: Mapping[str, int],
    now: float,
    share: int | None,
) -> Iterator[Candidate]:
    queues = [_gangs(connection, now)]
    for engine in free:
        if free[engine] > 0:
            for (owner,) in connection.execute(OWNERS, {"engine": engine}).fetchall():
                if share is None or held[owner] < share:
                    queues.append(_singles(connection, engine, owner, free, held, now, share))
    return heapq.merge(*queues)


def _singles(
    connection: Connection,
    engine: str,
    owner: str,
    free: Mapping[str, int],
    held: Mapping[str, int],
    now: float,
    share: int | None,
) -> Iterator[Candidate]:
    for place, pid in connection.execute(SINGLES, (engine, owner, now)):
        if free[engine] <= 0 or (share is not None and held[owner] >= share):
            return
        yield Candidate(place, pid, owner, (engine,))


def _gangs(connection: Connection, now: float) -> Iterator[Candidate]:
    for place, pid, owner in connection.execute(GANGS, (now,)):
        tasks = connection.execute("SELECT engine FROM tasks WHERE pid = ? ORDER BY region", (pid,))
        yield Candidate(place, pid, owner, tuple(engine for (engine,) in tasks))


def heartbeat(
    connection: Connection,
    claims: Sequence[Claim],
    now: float,
    lease: float,
    stats: Mapping[int, Mapping[str, Any]],
) -> Orders:
    """Keep leases; what the worker must know about its processes."""
    found: dict[str, list[int]] = {"lost": [], "kill": [], "pause": [], "resume": [], "": []}
    for held in claims:
        row = connection.execute(
            "UPDATE processes SET lease = ? WHERE pid = ? AND attempt = ? AND worker = ? "
            "RETURNING request",
            (now + lease, *held),
        ).fetchone()
        found["lost" if row is None else row[0]].append(held.pid)
        if row is not None and held.pid in stats:
            connection.execute(
                "UPDATE processes SET stats = ? WHERE pid = ?",
                (json.dumps(stats[held.pid]), held.pid),
            )
    return Orders(*(tuple(found[name]) for name in Orders._fields))


def over(connection: Connection, now: float) -> list[int]:
    """Held processes whose lease is over."""
    return [
        pid
        for (pid,) in connection.execute(
            "SELECT pid FROM processes INDEXED BY processes_held "
            "WHERE worker IS NOT NULL AND lease < ? ORDER BY pid",
            (now,),
        )
    ]


def held_by(connection: Connection, worker: str) -> list[int]:
    """Processes that a worker holds."""
    return [
        pid
        for (pid,) in connection.execute(
            "SELECT pid FROM processes INDEXED BY processes_held "
            "WHERE worker IS NOT NULL AND worker = ? ORDER BY pid",
            (worker,),
        )
    ]


def workers(connection: Connection) -> dict[str, int]:
    """Workers that hold processes, and how many."""
    return dict(
        connection.execute(
            "SELECT worker, count(*) FROM processes INDEXED BY processes_held "
            "WHERE worker IS NOT NULL GROUP BY worker"
        )
    )


def lose(connection: Connection, pids: Sequence[int], now: float) -> list[tuple[int, State]]:
    """Take processes from workers that vanished; (PID, new state)."""
    return [(pid, lifecycle.lost(connection, pid, now)) for pid in pids]
