"""The bytes of an application, for the service: it has another working directory than the user."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pstack_core.shell.context import Context


@dataclass(frozen=True)
class ApplicationFile:
    """What is submitted: the content, the name that ``ps`` shows, and where its headers are."""

    content: bytes = field(repr=False)
    name: str
    folder: str


def read(context: Context, app: str) -> ApplicationFile:
    """Read the argument APP.  Raises ApplicationError."""
    if app == "-":
        return ApplicationFile(context.input().read(), "stdin", os.getcwd())
    path = Path(app)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        from pstack_core.graph.diagnostics import Place, fail

        reason = getattr(error, "strerror", None) or str(error)
        raise fail(Place(app), f"cannot read the file: {reason}", "check its path") from error
    return ApplicationFile(content, path.name, str(path.absolute().parent))
