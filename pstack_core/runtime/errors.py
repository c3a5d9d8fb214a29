"""What a service can refuse: one family, each message a sentence for the user."""

from __future__ import annotations


class ServiceError(Exception):
    """A request cannot be done; the message says why and what to do."""


class NoSuchProcess(ServiceError):
    """No process has that PID, or it was removed."""


class NotAllowed(ServiceError):
    """The caller may not do this to another user's process, or to the service."""


class WrongState(ServiceError):
    """The process is in a state in which this makes no sense, such as pausing a finished one."""


class BadRequest(ServiceError):
    """The request itself is wrong: an unknown engine, a value out of range, a file too large."""


class NoResult(ServiceError):
    """The process has no result yet, or none was kept."""


class Busy(ServiceError):
    """The service has as much as it takes for now: too many requests, or a full queue."""


class Unavailable(ServiceError):
    """The service cannot be reached, or its spool cannot be used: no daemon, a full disk."""


#: By name, as they are written in the protocol.
ERRORS: dict[str, type[ServiceError]] = {
    kind.__name__: kind
    for kind in (
        ServiceError,
        NoSuchProcess,
        NotAllowed,
        WrongState,
        BadRequest,
        NoResult,
        Busy,
        Unavailable,
    )
}
