"""Where a service keeps its files, and where its socket is.

Everything follows from the spool's path.  ``PSTACK_SPOOL`` names it, otherwise
it is ``$XDG_STATE_HOME/pstack/spool.db``; ``PSTACK_SOCKET`` names the socket.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: The service of a whole machine, run by root.
SYSTEM_STATE = Path("/var/lib/pstack")
SYSTEM_SOCKET = Path("/run/pstack/socket")


@dataclass(frozen=True)
class Paths:
    """The files of one service."""

    spool: Path
    socket: Path

    @property
    def lock(self) -> Path:
        """Locked while a daemon owns the spool; holds its process id."""
        return self.spool.with_name(f"{self.spool.name}.pid")

    @property
    def log(self) -> Path:
        """The daemon's own log."""
        return self.spool.with_name("daemon.log")

    @property
    def inbox(self) -> Path:
        """Applications that are put here are run."""
        return self.spool.with_name("inbox")


def default_paths(environment: Mapping[str, str] | None = None) -> Paths:
    """The paths of this user's own service, as the environment has them."""
    given = os.environ if environment is None else environment
    named = given.get("PSTACK_SPOOL")
    state = _folder(given, "XDG_STATE_HOME", ".local/state") / "pstack"
    spool = Path(named).absolute() if named else state / "spool.db"
    socket = given.get("PSTACK_SOCKET")
    if socket:
        return Paths(spool, Path(socket).absolute())
    if named:
        # A spool of its own has a daemon of its own.
        return Paths(spool, spool.with_name(f"{spool.name}.socket"))
    runtime = given.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        return Paths(spool, Path(runtime) / "pstack" / "socket")
    return Paths(spool, state / "socket")


def system_paths() -> Paths:
    """The paths of the machine's service."""
    return Paths(SYSTEM_STATE / "spool.db", SYSTEM_SOCKET)


def sockets(environment: Mapping[str, str] | None = None) -> list[Path]:
    """Where a daemon may be listening, first choice first."""
    given = os.environ if environment is None else environment
    found = [default_paths(given).socket]
    if not given.get("PSTACK_SOCKET") and not given.get("PSTACK_SPOOL"):
        found.append(SYSTEM_SOCKET)
    return found


def _folder(environment: Mapping[str, str], variable: str, below_home: str) -> Path:
    """An XDG folder; a relative value is ignored, as the specification says."""
    value = environment.get(variable, "")
    return Path(value) if os.path.isabs(value) else Path.home() / below_home
