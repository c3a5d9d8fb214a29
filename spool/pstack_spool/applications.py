"""Applications: each content is kept once, compressed, as long as a process refers to it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pstack_spool.errors import BadSubmission, SpoolError

if TYPE_CHECKING:
    from pstack_spool.db import Connection

#: Bytes from which speed counts more than size.
_LARGE = 4 << 20
#: The most that SQLite keeps in one value.
_MOST = 1_000_000_000 - 4096


class Packed(NamedTuple):
    """An application as it is stored."""

    hash: str
    size: int
    encoding: str
    data: bytes


def digest(content: bytes) -> str:
    """What an application is known by: its SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack(content: bytes) -> Packed:
    """Compress an application, unless that does not help."""
    small = zlib.compress(content, 1 if len(content) >= _LARGE else 6)
    encoding, data = ("zlib", small) if len(small) < len(content) else ("none", content)
    if len(data) > _MOST:
        raise BadSubmission(
            f"the application has {len(content)} bytes, too many for the spool: "
            "run it with pstack run"
        )
    return Packed(digest(content), len(content), encoding, data)


def present(connection: Connection, key: str) -> bool:
    """Whether an application is stored."""
    found = connection.execute("SELECT 1 FROM applications WHERE hash = ?", (key,)).fetchone()
    return found is not None


def store(connection: Connection, packed: Packed) -> None:
    """Keep an application, if it is not there yet."""
    connection.execute("INSERT OR IGNORE INTO applications VALUES (?, ?, ?, ?)", packed)


def load(connection: Connection, key: str) -> bytes:
    """The content of a stored application; SpoolError if there is none or it is damaged."""
    row = connection.execute(
        "SELECT encoding, data FROM applications WHERE hash = ?", (key,)
    ).fetchone()
    if row is None:
        raise SpoolError(f"there is no application {key} in the spool")
    encoding, data = row
    try:
        content: bytes = zlib.decompress(data) if encoding == "zlib" else data
    except zlib.error as error:
        raise SpoolError(f"application {key} is damaged in the spool ({error})") from error
    if digest(content) != key:
        raise SpoolError(f"application {key} is damaged in the spool: submit it again")
    return content


def collect(connection: Connection, keys: Iterable[str]) -> None:
    """Forget those of some applications that no process refers to."""
    connection.executemany(
        "DELETE FROM applications WHERE hash = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM processes WHERE application = ?1)",
        [(key,) for key in keys],
    )
