"""Finds the service: a daemon where one listens, else this process on the user's own spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pstack_core.runtime import address
from pstack_core.runtime.errors import Unavailable
from pstack_core.runtime.paths import Paths, default_paths, sockets

if TYPE_CHECKING:
    from pstack_core.runtime.service import Service


def connect() -> Service:
    """The daemon's service if there is a daemon, else this process's own.

    ``PSTACK_SOCKET`` and ``PSTACK_SPOOL`` say where to look
    (:mod:`pstack_core.runtime.paths`).  Raises Unavailable if neither can be used.
    """
    return daemon() or local()


def daemon() -> Service | None:
    """The service of the daemon that listens; None if none does.

    Raises Unavailable if one listens that cannot be used.
    """
    for path in sockets():
        if path.exists() and address.somebody_listens(path):
            from pstack_core.runtime.client import Client

            return Client(path)
    return None


def local(paths: Paths | None = None) -> Service:
    """The service in this process, on the user's own spool.  Raises Unavailable."""
    from pstack_core.runtime.host import Host
    from pstack_core.runtime.local_service import LocalService
    from pstack_core.runtime.users import me
    from pstack_core.runtime.view import Caller
    from pstack_spool import SpoolError

    try:
        host = Host(paths or default_paths())
    except SpoolError as error:
        raise Unavailable(str(error)) from None
    person = me()
    return LocalService(host, Caller(person.uid, person.name, admin=True))
