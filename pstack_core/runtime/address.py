"""Unix socket addresses, which the kernel keeps shorter than paths may be."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

#: Bytes of a path that fit into an address.
LONGEST = 107


def use(path: Path, call: Callable[[str], object]) -> None:
    """``call(address)`` with an address that means ``path``; it connects or binds."""
    if len(os.fsencode(path)) <= LONGEST:
        call(str(path))
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def somebody_listens(path: Path) -> bool:
    """Whether a connection to the socket at ``path`` is accepted."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        try:
            use(path, connection.connect)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except TimeoutError:
            return True
    return True
