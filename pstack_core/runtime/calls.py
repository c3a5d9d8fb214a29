"""The requests that a daemon answers: their arguments, checked, and how they are carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pstack_core.runtime import protocol
from pstack_core.runtime.codec import convert, to_json
from pstack_core.runtime.errors import BadRequest
from pstack_core.runtime.local_service import LocalService
from pstack_core.runtime.service import ALIVE, ALL, Query

#: PIDs in one request.
MOST_PIDS = 100_000
#: What compresses or writes so much that others should not wait for it, in bytes.
LARGE = 256 << 10

_NEEDED = object()
Arguments = dict[str, Any]
Answer = tuple[Any, bytes]  # value and payload


@dataclass(frozen=True)
class Call:
    """One kind of request.

    ``arguments``: name to (annotation, default).  ``run(service, **arguments)``
    answers with a value for JSON, or that and a payload.  ``slow``: it is carried
    out in a thread of its own, and others go on meanwhile.
    """

    arguments: dict[str, tuple[Any, Any]]
    run: Callable[..., Any]
    slow: bool = False


_PID = {"pid": (int, _NEEDED)}
_PIDS = {"pids": (tuple[int, ...], _NEEDED)}


def _result(service: LocalService, pid: int) -> Answer:
    result = service.result(pid)
    value = {
        "metrics": dict(result.metrics),
        "exit_status": result.exit_status,
        "detail": result.detail,
    }
    return value, result.npz or b""


def _logs(service: LocalService, pid: int, after: int, limit: int | None) -> Any:
    most = protocol.PAGE if limit is None else min(max(0, limit), protocol.PAGE)
    return protocol.pack_lines(service.logs(pid, after, most))


def _backup(service: LocalService, path: str) -> None:
    if not Path(path).is_absolute():
        raise BadRequest(f"the path of a backup must be absolute, not {path[:80]!r}")
    service.backup(Path(path))


_TABLE = protocol.pack_processes

CALLS: dict[str, Call] = {
    "processes": Call(
        {"query": (Query, ALIVE)}, lambda s, query: _TABLE(s.processes(query)), slow=True
    ),
    "show": Call(_PID, lambda s, pid: to_json(s.show(pid)), slow=True),
    "kill": Call(
        {**_PIDS, "force": (bool, False)}, lambda s, pids, force: _TABLE(s.kill(pids, force))
    ),
    "pause": Call(_PIDS, lambda s, pids: _TABLE(s.pause(pids))),
    "resume": Call(_PIDS, lambda s, pids: _TABLE(s.resume(pids))),
    "logs": Call({**_PID, "after": (int, 0), "limit": (int | None, None)}, _logs, slow=True),
    "result": Call(_PID, _result, slow=True),
    "application": Call(_PID, lambda s, pid: s.application(pid), slow=True),
    "rerun": Call(_PIDS, lambda s, pids: s.rerun(pids)),
    "remove": Call(_PIDS, lambda s, pids: s.remove(pids), slow=True),
    "clean": Call({"query": (Query, ALL)}, lambda s, query: s.clean(query), slow=True),
    "engines": Call({}, lambda s: to_json(s.engines()), slow=True),
    "spool_info": Call(
        {"check": (bool, False)}, lambda s, check: to_json(s.spool_info(check)), slow=True
    ),
    "vacuum": Call({}, lambda s: to_json(s.vacuum()), slow=True),
    "backup": Call({"path": (str, _NEEDED)}, _backup, slow=True),
    "status": Call({}, lambda s: to_json(s.status())),
}


async def answer(service: LocalService, name: str, arguments: Arguments, payload: bytes) -> Answer:
    """Carry out a request.  Raises ServiceError."""
    if name == "submit":
        requests = protocol.unpack_requests(arguments, payload)
        if len(requests) * 1000 + len(payload) > LARGE:
            return await asyncio.to_thread(service.submit, requests), b""
        return service.submit(requests), b""
    call = CALLS.get(name)
    if call is None:
        raise BadRequest(f"there is no request {name[:40]!r}")
    if payload:
        raise BadRequest(f"{name} takes no payload")
    given = checked(call.arguments, arguments, name)
    if call.slow:
        found = await asyncio.to_thread(call.run, service, **given)
    else:
        found = call.run(service, **given)
    if isinstance(found, tuple):
        return found
    return found, b""


def checked(
    expected: dict[str, tuple[Any, Any]], arguments: Arguments, name: str
) -> dict[str, Any]:
    """The arguments of a request.  Raises BadRequest for what does not belong there."""
    found = {}
    for key in arguments:
        if key not in expected:
            raise BadRequest(f"{name} has no argument {key[:40]!r}")
    for key, (kind, default) in expected.items():
        if key in arguments:
            found[key] = convert(kind, arguments[key], f"{name}: {key}")
        elif default is _NEEDED:
            raise BadRequest(f"{name} needs the argument {key!r}")
        else:
            found[key] = default
    if len(found.get("pids", ())) > MOST_PIDS:
        raise BadRequest(f"{name}: at most {MOST_PIDS} PIDs are taken at a time")
    return found


#: Requests that take their time, and that :mod:`.connection` carries out itself.
WAIT = {**_PIDS, "timeout": (float | None, None)}
FOLLOW = {**_PID, "after": (int, 0)}
