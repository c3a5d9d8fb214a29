"""The schema, as the steps that lead to it from any earlier version.

``PRAGMA user_version`` is the number of steps that a file has taken; a file that is
up to date is known by that alone, without importing sqlite-utils.  Steps are only
ever added.  docs/spool.md describes what they lead to, table by table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pstack_spool.errors import SpoolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database as Tables

    from pstack_spool.db import Connection, Database

#: Marks a SQLite file as a spool: "pstk".
APPLICATION_ID = 0x7073746B

_FIRST = (
    """
    CREATE TABLE applications (
        hash TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        encoding TEXT NOT NULL CHECK (encoding IN ('zlib', 'none')),
        data BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE processes (
        pid INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL
            CHECK (state IN ('waiting', 'running', 'paused', 'finished', 'failed', 'killed')),
        reason TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        exit_code INTEGER,
        exit_status INTEGER,
        owner TEXT NOT NULL,
        uid INTEGER NOT NULL,
        name TEXT NOT NULL,
        application TEXT NOT NULL REFERENCES applications (hash),
        engine TEXT NOT NULL,
        regions INTEGER NOT NULL CHECK (regions > 0),
        priority INTEGER NOT NULL,
        rank REAL NOT NULL,
        label TEXT NOT NULL,
        array_index INTEGER,
        array_value TEXT,
        retries INTEGER NOT NULL CHECK (retries >= 0),
        failures INTEGER NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 0,
        timeout REAL,
        memory INTEGER,
        submitted REAL NOT NULL,
        started REAL,
        ended REAL,
        not_before REAL NOT NULL DEFAULT 0,
        worker TEXT,
        lease REAL,
        request TEXT NOT NULL DEFAULT '' CHECK (request IN ('', 'kill', 'pause', 'resume')),
        unmet INTEGER NOT NULL DEFAULT 0 CHECK (unmet >= 0),
        rerun_of INTEGER,
        devices INTEGER,
        edges INTEGER,
        options TEXT NOT NULL,
        CHECK ((worker IS NULL) = (lease IS NULL)),
        CHECK (CASE state WHEN 'running' THEN worker IS NOT NULL
                          WHEN 'paused' THEN 1
                          ELSE worker IS NULL AND request = '' END),
        CHECK ((ended IS NOT NULL) = (state IN ('finished', 'failed', 'killed')))
    ) STRICT
    """,
    # What may be claimed, by what decides the order; everything that a claim looks at
    # is in the index.
    """
    CREATE INDEX processes_claimable ON processes (engine, owner, rank, pid, not_before)
        WHERE state = 'waiting' AND unmet = 0 AND regions = 1
    """,
    """
    CREATE INDEX processes_gangs ON processes (rank, pid, owner, not_before)
        WHERE state = 'waiting' AND unmet = 0 AND regions > 1
    """,
    "CREATE INDEX processes_held ON processes (lease, worker, owner) WHERE worker IS NOT NULL",
    "CREATE INDEX processes_state ON processes (state)",
    "CREATE INDEX processes_application ON processes (application)",
    """
    CREATE TRIGGER processes_final BEFORE UPDATE OF state ON processes
        WHEN OLD.state IN ('finished', 'failed', 'killed')
        BEGIN SELECT RAISE(ABORT, 'a process that has ended does not change'); END
    """,
    """
    CREATE TABLE tasks (
        pid INTEGER NOT NULL REFERENCES processes (pid) ON DELETE CASCADE,
        region INTEGER NOT NULL,
        engine TEXT NOT NULL,
        PRIMARY KEY (pid, region)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE dependencies (
        pid INTEGER NOT NULL REFERENCES processes (pid) ON DELETE CASCADE,
        after INTEGER NOT NULL,
        condition TEXT NOT NULL CHECK (condition IN ('ok', 'any')),
        met INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (pid, after)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX dependencies_after ON dependencies (after) WHERE met = 0",
    """
    CREATE TABLE history (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pid INTEGER NOT NULL REFERENCES processes (pid) ON DELETE CASCADE,
        time REAL NOT NULL,
        before TEXT,
        after TEXT NOT NULL,
        worker TEXT,
        detail TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX history_pid ON history (pid)",
    """
    CREATE TABLE logs (
        pid INTEGER NOT NULL REFERENCES processes (pid) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        time REAL NOT NULL,
        region INTEGER NOT NULL,
        device TEXT NOT NULL,
        level INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (pid, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE log_counts (
        pid INTEGER PRIMARY KEY REFERENCES processes (pid) ON DELETE CASCADE,
        last INTEGER NOT NULL,
        head INTEGER NOT NULL,
        head_bytes INTEGER NOT NULL,
        dropped INTEGER NOT NULL,
        tail_bytes INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE results (
        pid INTEGER PRIMARY KEY REFERENCES processes (pid) ON DELETE CASCADE,
        metrics TEXT NOT NULL,
        states_size INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE result_parts (
        pid INTEGER NOT NULL REFERENCES results (pid) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        data BLOB NOT NULL,
        UNIQUE (pid, part)
    ) STRICT
    """,
    """
    CREATE TABLE engines (
        name TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        host TEXT NOT NULL,
        slots INTEGER NOT NULL,
        available INTEGER NOT NULL,
        detail TEXT NOT NULL,
        features TEXT NOT NULL,
        seen REAL NOT NULL
    ) STRICT
    """,
)

_SECOND = (
    "ALTER TABLE processes ADD COLUMN private INTEGER NOT NULL DEFAULT 0",
    # What a run counts, as JSON: listing thousands of processes reads no results.
    "ALTER TABLE processes ADD COLUMN stats TEXT NOT NULL DEFAULT '{}'",
)

#: (name, statements) of every step, oldest first.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("processes", _FIRST),
    ("private_and_stats", _SECOND),
)

#: The schema that this version of pstack reads and writes.
VERSION = len(STEPS)


def migrate(database: Database, connection: Connection) -> None:
    """Bring a new or older file to the present schema; refuse others with a sentence."""
    if _version(database, connection) == VERSION:
        return
    import sqlite_utils

    migrations = sqlite_utils.Migrations("pstack_spool")
    for name, statements in STEPS:
        migrations(name=name)(_step(statements))
    with database.write(durable=True):
        # Somebody else may have done it while we waited to write.
        if _version(database, connection) < VERSION:
            migrations.apply(sqlite_utils.Database(connection, execute_plugins=False))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _step(statements: tuple[str, ...]) -> Callable[[Tables], None]:
    def step(tables: Tables) -> None:
        for statement in statements:
            tables.execute(statement)

    return step


def _version(database: Database, connection: Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    identity = connection.execute("PRAGMA application_id").fetchone()[0]
    foreign = identity != APPLICATION_ID
    if foreign and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise SpoolError(
            f"{database.path} is a SQLite file of another program, not a spool: "
            "set PSTACK_SPOOL to another file"
        )
    if version > VERSION:
        raise SpoolError(
            f"the spool {database.path} was made by a newer pstack (schema {version}, this one "
            f"knows {VERSION}): upgrade pstack, or set PSTACK_SPOOL to another file"
        )
    return version
