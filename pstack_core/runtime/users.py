"""Who a process belongs to, and what its runner needs to be started as that user."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Variables of the service that a runner of another user keeps.
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "CXX", "PSTACK_CXX")
_KEPT_PREFIXES = ("PSTACK_LOAD_", "PSTACK_BLOCK_", "PSTACK_CACHE_")


#: Where users that have no home get a folder.
HOMES = "/var/tmp"


@dataclass(frozen=True)
class User:
    """A user as the kernel and the password database know it; the latter may not."""

    uid: int
    gid: int
    name: str
    home: str = ""

    def groups(self) -> list[int]:
        """All groups that the user is in."""
        try:
            return os.getgrouplist(pwd.getpwuid(self.uid).pw_name, self.gid)
        except KeyError:
            return [self.gid]


def user(uid: int, gid: int | None = None) -> User:
    """The user of a number; one that no database knows is named by the number."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return User(uid, uid if gid is None else gid, str(uid))
    return User(uid, entry.pw_gid, entry.pw_name, entry.pw_dir)


def me() -> User:
    """The user of this Python process."""
    return user(os.geteuid(), os.getegid())


def uid_of(name: str) -> int:
    """The number of a user given by name or number.  Raises KeyError."""
    return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid


def popen_arguments(person: User) -> dict[str, Any]:
    """Keywords for ``subprocess.Popen`` that start a child as ``person``.

    Nothing for the user of this process.  Otherwise this process must be root's.
    Raises OSError.
    """
    if person.uid == os.geteuid():
        return {}
    home = person.home if person.home and os.path.isdir(person.home) else _made_home(person)
    return {
        "user": person.uid,
        "group": person.gid,
        "extra_groups": person.groups(),
        "umask": 0o077,
        "cwd": "/",
        "env": _environment(os.environ, person, home),
    }


def _made_home(person: User) -> str:
    """A folder for a user that has no home, for the caches of what that user runs."""
    folder = f"{HOMES}/pstack-home-{person.uid}"
    try:
        os.mkdir(folder, 0o700)
        os.chown(folder, person.uid, person.gid, follow_symlinks=False)
    except FileExistsError:
        status = os.lstat(folder)
        if status.st_uid != person.uid or not stat.S_ISDIR(status.st_mode):
            raise PermissionError(
                errno.EPERM, f"it belongs to somebody else than user {person.name}", folder
            ) from None
    return folder


def _environment(ours: Mapping[str, str], person: User, home: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in ours.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | {"HOME": home, "USER": person.name, "LOGNAME": person.name}
