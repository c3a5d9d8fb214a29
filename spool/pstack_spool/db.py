"""Connections to the spool's file, transactions, and SQLite's errors as sentences.

The one place that imports SQLite: pysqlite3 where it is installed, for its library
is newer than most systems', as sqlite-utils chooses too.  Two SQLite libraries on
one file in one process would break each other's locks, and the exceptions of one
are not those of the other, so everything in the process must use this choice.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstack_spool.errors import SpoolError
from pstack_spool.filesystem import network_file_system

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

Connection = sqlite3.Connection
__all__ = ["Connection", "Database", "library_problem", "sqlite3"]

#: The first releases without the race in which a checkpoint loses committed data.
_WITHOUT_RACE = ((3, 44, 6, 3, 45), (3, 50, 7, 3, 51), (3, 51, 3, 4, 0))

# Connections that a fork brought into this process.  Closing one would be unsafe, so
# they are kept from being collected.
_inherited: list[object] = []


def library_problem() -> str | None:
    """A sentence if the SQLite library in use is known to lose data; None if it is sound."""
    version = sqlite3.sqlite_version_info
    for major, minor, patch, before_major, before_minor in _WITHOUT_RACE:
        if (major, minor, patch) <= version < (before_major, before_minor):
            return None
    return (
        f"SQLite {sqlite3.sqlite_version} has a rare race that loses committed data "
        "(fixed in 3.51.3): pip install 'pysqlite3>=0.6.1'"
    )


class Database:
    """A spool's file, with a connection per thread and none across a fork.

    ``prepare(connection)`` is called once for the first connection, to migrate.
    ``timeout``: seconds to wait for another writer.
    """

    def __init__(
        self, path: Path, prepare: Callable[[Database, Connection], None], timeout: float = 10.0
    ) -> None:
        self.path = path
        self._timeout = timeout
        self._local = threading.local()
        self._all: set[Connection] = set()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._closed = False
        with self.sentences():
            self._create_file()
            prepare(self, self.connection())

    def connection(self) -> Connection:
        """The connection of this thread in this process, opened when first asked for."""
        found: Connection | None = getattr(self._local, "connection", None)
        if self._pid != os.getpid():
            self._after_fork()
            found = None
        if self._closed:
            raise SpoolError(f"the spool {self.path} was closed")
        if found is None:
            found = self._local.connection = self._open()
            with self._lock:
                self._all.add(found)
        return found

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view for several selects."""
        with self.sentences():
            connection = self.connection()
            if _busy(connection):
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if _busy(connection):
                    connection.execute("COMMIT")

    @contextmanager
    def write(self, durable: bool = False) -> Iterator[Connection]:
        """One transaction, all or nothing; within another, a part of that one.

        ``durable``: on the disk when it returns, so that it survives a loss of power
        too.  Without, a commit survives the death of every process, and a loss of
        power may undo the latest ones, in order.
        """
        with self.sentences():
            connection = self.connection()
            if _busy(connection):
                if durable and not self._local.durable:
                    raise RuntimeError("what must be durable needs a durable batch around it")
                with _savepoint(connection):
                    yield connection
                return
            self._local.durable = durable
            if durable:
                connection.execute("PRAGMA synchronous=FULL")
            try:
                # Immediate: a read that later turns into a write could fail at once.
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    # SQLite may have rolled back by itself, when the disk was full.
                    if _busy(connection):
                        connection.execute("ROLLBACK")
                    raise
            finally:
                if durable:
                    connection.execute("PRAGMA synchronous=NORMAL")

    @contextmanager
    def sentences(self) -> Iterator[None]:
        """Turn what SQLite and the system raise into a :class:`SpoolError`."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a bug of ours: constraints repeat what the code has checked
        except sqlite3.DatabaseError as error:
            raise SpoolError(_sentence(error, self.path)) from error
        except OSError as error:
            raise SpoolError(
                f"the spool {self.path} cannot be used: {error.strerror or error}"
            ) from error

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        if self._pid != os.getpid():
            self._after_fork()
        with self._lock:
            connections, self._all = self._all, set()
        for connection in connections:
            connection.close()

    def _after_fork(self) -> None:
        _inherited.extend(self._all)
        self._all = set()
        self._local = threading.local()
        self._lock = threading.Lock()  # the parent's other threads may have held it
        self._pid = os.getpid()

    def _create_file(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kind = network_file_system(self.path.parent)
        if kind is not None:
            raise SpoolError(
                f"the spool {self.path} would be on a network file system ({kind}), where several "
                "machines could damage it: set PSTACK_SPOOL to a file on a local disk"
            )
        try:
            # Only its owner may read what users run; SQLite's other files take over the mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            if not self.path.is_file():
                raise SpoolError(f"the spool {self.path} is not a file") from None

    def _open(self) -> Connection:
        connection = sqlite3.connect(
            str(self.path),
            timeout=self._timeout,
            isolation_level=None,  # transactions are begun and ended here alone
            check_same_thread=False,  # close() closes those of all threads
            cached_statements=256,
        )
        try:
            self._write_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _write_ahead(self, connection: Connection) -> None:
        # Two processes that make a new file at once: SQLite does not wait here by itself.
        deadline = time.monotonic() + self._timeout
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if _code(error) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _busy(connection: Connection) -> bool:
    """Whether a transaction is open."""
    return bool(connection.in_transaction)


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if _busy(connection):
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def _code(error: Exception) -> int:
    code: Any = getattr(error, "sqlite_errorcode", 0)
    return code if isinstance(code, int) else 0


def _sentence(error: Exception, path: Path) -> str:
    code = _code(error)
    said = str(error)
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return (
                f"the spool {path} cannot grow, its disk is full: free some space, "
                "or run pstack clean where nothing else helps"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return (
                f"the spool {path} cannot be written ({said}): check the permissions "
                "of the file and of its folder, and whether its disk is mounted read-only"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return (
                f"the spool {path} cannot be opened ({said}): check the permissions "
                "of the file and of its folder"
            )
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a spool ({said}): move it away, or set PSTACK_SPOOL"
        case sqlite3.SQLITE_CORRUPT:
            return (
                f"the spool {path} is damaged ({said}): move it and the files beside it whose "
                "names end in -wal and -shm away, and put a backup in its place"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"the spool {path} is in use by another program that does not let go ({said}): "
                f"see which with fuser {path}, then try again"
            )
        case sqlite3.SQLITE_IOERR:
            return (
                f"the spool {path} cannot be read or written ({said}): see whether its disk "
                "is full, over a quota or failing"
            )
    return f"the spool {path} cannot be used ({said})"
