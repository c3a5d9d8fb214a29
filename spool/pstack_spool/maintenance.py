"""Care of the spool's file: its size, its soundness, free space, copies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_spool.db import sqlite3
from pstack_spool.errors import SpoolError
from pstack_spool.model import Size

if TYPE_CHECKING:
    from pstack_spool.db import Connection, Database

#: Tables whose rows people ask about.
TABLES = ("processes", "applications", "results", "history", "logs")
#: Pages copied before another writer may go on.
_PAGES = 1024


def size(database: Database) -> Size:
    """How big the spool is."""
    with database.read() as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TABLES
        }
        free = _pragma(connection, "freelist_count") * _pragma(connection, "page_size")
        schema = _pragma(connection, "user_version")
    path = database.path
    used = sum(
        os.path.getsize(part)
        for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm"))
        if part.exists()
    )
    return Size(str(path), used, free, rows, schema, sqlite3.sqlite_version)


def problems(database: Database) -> list[str]:
    """Read the whole file; what is wrong with it, nothing if it is sound."""
    with database.sentences():
        connection = database.connection()
        said = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
        found = [] if said == ["ok"] else said
        found += [
            f"row {rowid} of {table} refers to nothing in {other}"
            for table, rowid, other, _ in connection.execute("PRAGMA foreign_key_check")
        ]
    return found


def vacuum(database: Database) -> int:
    """Write the file anew without its free space; bytes given back."""
    before = size(database).bytes
    with database.sentences():
        connection = database.connection()
        connection.execute("VACUUM")
        connection.execute("PRAGMA optimize")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before - size(database).bytes


def backup(database: Database, target: Path) -> None:
    """Write a consistent copy while the spool is in use; an existing file is refused."""
    part = target.with_name(f".{target.name}.part")
    try:
        # Made here, so that only its owner may read it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise SpoolError(f"{target} exists: give the backup another name") from None
    except OSError as error:
        raise SpoolError(f"{target} cannot be written: {error.strerror}") from error
    try:
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        copy = sqlite3.connect(str(part), isolation_level=None)
        try:
            database.connection().backup(copy, pages=_PAGES)
            # A copy is one file, which can be moved alone.
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
        os.replace(part, target)
    except BaseException as error:
        for path in (part, target):
            path.unlink(missing_ok=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise SpoolError(f"the backup {target} cannot be made: {error}") from error
        raise


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
