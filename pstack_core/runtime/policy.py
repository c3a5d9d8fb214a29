"""What a service allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Decided by whoever starts the service.

    ``admins``: uids that may act on all processes, root always among them.
    ``look``: whether others see a user's processes, logs and results.  ``share``:
    how many processes of one user run at once.  ``most_waiting``: how many of one
    user may wait.  ``slots``: how many run at once, by engine, in place of what the
    engine says.  Sizes are in bytes.
    """

    admins: frozenset[int] = frozenset({0})
    look: bool = True
    share: int | None = None
    most_waiting: int = 100_000
    most_submitted: int = 10_000  # at a time
    largest_application: int = 256 << 20
    slots: Mapping[str, int] = field(default_factory=dict)
