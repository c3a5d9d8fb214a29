"""What a spool may raise: each message is one sentence for the user."""

from __future__ import annotations


class SpoolError(Exception):
    """The spool cannot be used or cannot do what was asked; nothing was half-written."""


class NoSuchProcess(SpoolError):
    """There is no process with this PID; it never was, or it was removed."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"there is no process {pid}: see pstack ps -a")
        self.pid = pid


class NotAllowed(SpoolError):
    """The process is in a state in which this cannot be done to it."""


class LeaseLost(SpoolError):
    """The claim is not, or no longer, the one under which the process runs."""


class BadSubmission(SpoolError):
    """A submission has a field that cannot be accepted."""
