"""What clients and the daemon say to each other; docs/daemon.md describes it for others.

A client sends a request, a frame (:mod:`.frames`) whose object has ``call`` and
``arguments``, and gets one reply: ``{"value": ...}``, or ``{"error": KIND,
"message": SENTENCE}``.  The replies to ``follow`` and ``changes`` are many
``{"items": [...]}``, then ``{"end": true}``; the client ends them sooner by closing.
A connection's first request is ``hello`` with the client's ``protocol``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

from pstack_core.runtime import frames
from pstack_core.runtime.codec import from_json, to_json
from pstack_core.runtime.errors import ERRORS, BadRequest, ServiceError
from pstack_core.runtime.service import LogLine, ProcessInfo, Request

#: A daemon refuses clients that speak another version.
VERSION = 1

#: Bytes of a request's JSON text.
MOST_REQUEST = 8 << 20
#: Log lines in one frame.
PAGE = 1000

_PROCESS = tuple(field.name for field in fields(ProcessInfo))
_DEFAULTS = {
    field.name: field.default for field in fields(ProcessInfo) if field.default is not MISSING
}


def request(call: str, arguments: dict[str, Any], payload: bytes = b"") -> bytes:
    """A request's frame."""
    return frames.encode({"call": call, "arguments": arguments}, payload)


def error(problem: ServiceError) -> frames.Message:
    """The reply to a request that was refused."""
    return {"error": type(problem).__name__, "message": str(problem)}


def raise_error(reply: frames.Message) -> None:
    """Raise what a reply says was refused, if it says so."""
    if "error" in reply:
        raise ERRORS.get(reply["error"], ServiceError)(reply["message"])


# Processes and log lines come in thousands: as rows, names once


def pack_processes(processes: Sequence[ProcessInfo]) -> dict[str, Any]:
    """Processes as a table."""
    return {"columns": _PROCESS, "rows": [tuple(vars(one).values()) for one in processes]}


def unpack_processes(table: Any) -> list[ProcessInfo]:
    """What :func:`pack_processes` packed, perhaps by a daemon that knows other fields too."""
    names = table["columns"]
    # Made field by field, without __init__: a frozen dataclass takes four times as long.
    missing = {name: value for name, value in _DEFAULTS.items() if name not in names}
    if not set(_PROCESS) <= {*names, *missing}:
        raise ServiceError("the daemon is of another version of pstack; start it again")
    known = [name if name in _PROCESS else None for name in names]
    plain = known == list(_PROCESS)
    found = []
    for row in table["rows"]:
        if plain:
            values = dict(zip(names, row, strict=True))
        else:
            values = missing | {n: v for n, v in zip(known, row, strict=True) if n}
        values["after"] = tuple(values["after"])
        one = object.__new__(ProcessInfo)
        vars(one).update(values)
        found.append(one)
    return found


def pack_lines(lines: Sequence[LogLine]) -> list[tuple[int, float, str, int, str]]:
    """Log lines as rows."""
    return [(one.number, one.time, one.device, one.level, one.text) for one in lines]


def unpack_lines(rows: Any) -> list[LogLine]:
    """What :func:`pack_lines` packed."""
    return [LogLine(*row) for row in rows]


def pack_requests(requests: Sequence[Request]) -> tuple[dict[str, Any], bytes]:
    """Arguments and payload of ``submit``: every application once, end to end."""
    applications: dict[bytes, int] = {}
    packed = []
    for one in requests:
        number = applications.setdefault(one.application, len(applications))
        packed.append({"application": number, **to_json(one)})
    sizes = [len(content) for content in applications]
    return {"requests": packed, "sizes": sizes}, b"".join(applications)


def unpack_requests(arguments: dict[str, Any], payload: bytes) -> list[Request]:
    """What :func:`pack_requests` packed.  Raises BadRequest for anything else."""
    packed, sizes = arguments.get("requests"), arguments.get("sizes")
    if not isinstance(packed, list) or not isinstance(sizes, list):
        raise BadRequest("submit needs the lists 'requests' and 'sizes'")
    applications = []
    at = 0
    for size in sizes:
        if type(size) is not int or not 0 <= size <= len(payload) - at:
            raise BadRequest("the sizes of the applications do not add up to the payload")
        applications.append(payload[at : at + size])
        at += size
    if at != len(payload):
        raise BadRequest("the sizes of the applications do not add up to the payload")
    found = []
    for one in packed:
        if not isinstance(one, dict):
            raise BadRequest("a request must be an object")
        number = one.pop("application", None)
        if type(number) is not int or not 0 <= number < len(applications):
            raise BadRequest("a request must say which of the applications it runs")
        found.append(from_json(Request, one, application=applications[number]))
    return found
