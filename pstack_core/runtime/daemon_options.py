"""How a daemon is to be; light, for whoever starts one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.runtime.errors import BadRequest
from pstack_core.runtime.paths import Paths, default_paths, system_paths

if TYPE_CHECKING:
    from pstack_core.runtime.policy import Policy


@dataclass(frozen=True, kw_only=True)
class DaemonOptions:
    """What ``pstack daemon start`` and ``run`` take.

    ``system``: the service of the whole machine, in /var/lib/pstack and on
    /run/pstack/socket; otherwise where the environment says.  ``admins``: users, by
    name or number, that may act on everybody's processes; root and the daemon's own
    user always may.  ``look``: others see processes, logs and results that are not
    private.  ``share``: processes of one user at once.  ``slots``: processes at
    once, by engine, in place of what the engine says.  ``inbox``: whether
    applications put into a folder are run; ``inbox_path`` names another folder.
    ``to_file``: log to the service's log file, not to standard error.
    """

    system: bool = False
    admins: tuple[str, ...] = ()
    look: bool = True
    share: int | None = None
    slots: Mapping[str, int] = field(default_factory=dict)
    inbox: bool = True
    inbox_path: str = ""
    to_file: bool = False

    def paths(self) -> Paths:
        """The files of the service."""
        return system_paths() if self.system else default_paths()

    def log_file(self) -> Path | None:
        """Where the daemon's own log goes; None is standard error."""
        if not self.to_file:
            return None
        path = self.paths().log
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def inbox_folder(self) -> Path:
        """The folder whose applications are run."""
        return Path(self.inbox_path) if self.inbox_path else self.paths().inbox

    def policy(self) -> Policy:
        """What the service allows.  Raises BadRequest for an admin whom nobody knows."""
        from pstack_core.runtime.policy import Policy
        from pstack_core.runtime.users import uid_of

        admins = {0}
        for name in self.admins:
            try:
                admins.add(uid_of(name))
            except KeyError:
                raise BadRequest(f"there is no user {name!r} to be an administrator") from None
        return Policy(
            admins=frozenset(admins), look=self.look, share=self.share, slots=dict(self.slots)
        )

    def to_json(self) -> str:
        """The options as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DaemonOptions:
        """What :meth:`to_json` wrote."""
        values = json.loads(text)
        if "admins" in values:
            values["admins"] = tuple(values["admins"])
        return cls(**values)
