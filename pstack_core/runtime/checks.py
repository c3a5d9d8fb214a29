"""What can be seen to be wrong with a request before it is queued: a sentence each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pstack_core.runtime.errors import BadRequest, Busy

if TYPE_CHECKING:
    from pstack_core.engines.engine import EngineInfo
    from pstack_core.runtime.policy import Policy
    from pstack_core.runtime.service import Request

#: Characters of a name, a label and other short texts.
LONGEST_TEXT = 1000
LONGEST_FOLDER = 4096
#: Overridden properties and engine options of one process, and PIDs that it comes after.
MOST_ITEMS = 1000


def check_requests(
    requests: Sequence[Request], policy: Policy, engines: Mapping[str, EngineInfo]
) -> None:
    """Raise BadRequest or Busy for what is wrong with any of them."""
    if not requests:
        raise BadRequest("there is nothing to submit: name an application")
    if len(requests) > policy.most_submitted:
        raise Busy(
            f"{len(requests)} processes are too many at a time: submit at most "
            f"{policy.most_submitted}"
        )
    for request in requests:
        _check(request, policy, engines)


def _check(request: Request, policy: Policy, engines: Mapping[str, EngineInfo]) -> None:
    name = request.name
    size = len(request.application)
    if not size:
        raise BadRequest(f"{name[:LONGEST_TEXT]}: the file is empty; give a POETS graph in XML")
    if size > policy.largest_application:
        raise BadRequest(
            f"{name[:LONGEST_TEXT]} has {size} bytes: at most {policy.largest_application} are "
            "taken; compress it with gzip"
        )
    _check_texts(request)
    _check_numbers(request)
    engine = engines.get(request.engine)
    if engine is None:
        raise BadRequest(
            f"there is no engine {request.engine!r}; there are: {', '.join(engines) or 'none'}"
        )
    if not engine.available:
        raise BadRequest(f"engine {request.engine!r} is not available: {engine.detail}")


def _check_texts(request: Request) -> None:
    texts = [request.name, request.label, request.engine, request.dialect, request.instance]
    texts += [request.array_value, *request.properties, *request.properties.values()]
    texts += [*request.options, *request.options.values()]
    for text in texts:
        if text is not None and len(text) > LONGEST_TEXT:
            raise BadRequest(f"a text of {len(text)} characters is too long: {text[:40]!r}...")
        if text is not None and "\0" in text:
            raise BadRequest(f"the text {text[:40]!r} holds a zero byte")
    if "/" in request.name or request.name in ("", ".", ".."):
        raise BadRequest(f"the name {request.name[:80]!r} must be a file's name without its folder")
    if len(request.folder) > LONGEST_FOLDER or "\0" in request.folder:
        raise BadRequest("the folder of the application is no path")
    for what in (request.properties, request.options, request.after, request.after_any):
        if len(what) > MOST_ITEMS:
            raise BadRequest(f"{len(what)} values are too many: at most {MOST_ITEMS} are taken")


def _check_numbers(request: Request) -> None:
    for what in ("timeout", "cpu_seconds"):
        seconds = getattr(request, what)
        if seconds is not None and not (0 < seconds < math.inf):
            raise BadRequest(f"{what} {seconds} is no time: give seconds above 0")
    for what in ("memory", "max_events", "threads"):
        number = getattr(request, what)
        if number is not None and not 0 < number < 1 << 62:
            raise BadRequest(f"{what} {number} makes no sense: give a number above 0")
    for what in ("level", "seed", "array_index"):
        number = getattr(request, what)
        if number is not None and not 0 <= number < 1 << 62:
            raise BadRequest(f"{what} {number} makes no sense: give 0 or more")
    if request.log_lines is not None and not 1 <= request.log_lines <= 10_000_000:
        raise BadRequest(f"log_lines {request.log_lines} is not between 1 and 10000000")
