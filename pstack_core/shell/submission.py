"""Queue applications as processes: what ``submit`` and ``run --detach`` do."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pstack_core.shell.applications import read
from pstack_core.shell.context import Context, UsageError
from pstack_core.shell.settings import request_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pstack_core.runtime.service import Request

#: Values of one array.
MOST_VALUES = 100_000


@dataclass(frozen=True)
class Array:
    """``--array NAME=VALUES``: one process for each value of a graph property."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class After:
    """``--after PID[:any]``: a process that must end first, and ``any``: however it ends."""

    pid: int
    any: bool


def array(text: str) -> Array:
    """``laps=1..100``, ``laps=0..100..10`` or ``mode=fast,slow``."""
    name, equals, given = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\[\]]*", name) or not given:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=FIRST..LAST or NAME=VALUE,VALUE, such as laps=1..100"
        )
    steps = re.fullmatch(r"(-?[0-9]+)\.\.(-?[0-9]+)(?:\.\.([0-9]+))?", given)
    if not steps:
        return Array(name, tuple(value.strip() for value in given.split(",")))
    first, last, step = int(steps[1]), int(steps[2]), int(steps[3] or 1)
    if step < 1 or abs(last - first) // max(step, 1) >= MOST_VALUES:
        raise argparse.ArgumentTypeError(
            f"{text!r} has a step of 0 or more than {MOST_VALUES:,} values"
        )
    down = last < first
    values = range(first, last - 1 if down else last + 1, -step if down else step)
    return Array(name, tuple(map(str, values)))


def after(text: str) -> After:
    """``17`` or ``17:any``."""
    match = re.fullmatch(r"([0-9]{1,18})(:any)?", text)
    if not match or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a PID or PID:any, such as 17 or 17:any")
    return After(int(match[1]), bool(match[2]))


def submit(context: Context, arguments: argparse.Namespace, apps: Sequence[str]) -> int:
    """Queue every application, print the PIDs and say who will run them."""
    if list(apps).count("-") > 1:
        raise UsageError("standard input (-) can be given only once")
    requests = [one for app in apps for one in _requests(context, arguments, app)]
    service = context.service()
    for pid in service.submit(requests):
        context.write(str(pid))
    context.stdout.flush()
    if context.shell:
        service.drive()
    elif not service.persistent:
        context.note(
            "no daemon runs, so this waits for 'pstack daemon start', 'pstack wait' or the shell"
        )
    return 0


def _requests(context: Context, arguments: argparse.Namespace, app: str) -> Iterator[Request]:
    file = read(context, app)
    earlier: list[After] = getattr(arguments, "after", [])
    more = {
        "priority": getattr(arguments, "priority", 0),
        "label": getattr(arguments, "label", ""),
        "retries": getattr(arguments, "retries", 0),
        "private": getattr(arguments, "private", False),
        "after": tuple(one.pid for one in earlier if not one.any),
        "after_any": tuple(one.pid for one in earlier if one.any),
    }
    values: Array | None = getattr(arguments, "array", None)
    if values is None:
        yield request_of(arguments, file.content, file.name, file.folder, **more)
        return
    for index, value in enumerate(values.values):
        properties = {**dict(arguments.set), values.name: value}
        yield request_of(
            arguments,
            file.content,
            file.name,
            file.folder,
            properties=properties,
            array_index=index,
            array_value=f"{values.name}={value}",
            **more,
        )
