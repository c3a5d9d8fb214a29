"""``pstack show``: everything about one process."""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import TYPE_CHECKING

from pstack_core.shell import people
from pstack_core.shell.arguments import add_json, add_pid
from pstack_core.shell.commands.ps import as_json
from pstack_core.shell.context import Context
from pstack_core.shell.process_columns import end_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pstack_core.runtime.service import Details

SUMMARY = "Show one process: why it waits, where it runs, how it ended, its history."
EXAMPLES = """\
example:
  pstack show 17
  pstack show 17 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack show``."""
    add_pid(parser, "the process")
    add_json(parser, "the same")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print the details."""
    details = context.service().show(arguments.pid)
    if arguments.json or context.json:
        found = dataclasses.asdict(details) | {"process": as_json(details.process)}
        context.write_json(found | {"options": dict(details.options)})
        return 0
    lines = list(_lines(details, time.time()))
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        context.write(f"{name:<{width}}  {value}")
    context.write("")
    context.write("history")
    for step in details.history:
        detail = f"  {step.detail}" if step.detail else ""
        context.write(f"  {people.full_moment(step.time)}  {step.state:<8}{detail}".rstrip())
    return 0


def _lines(details: Details, now: float) -> Iterator[tuple[str, str]]:
    process = details.process
    state = process.state
    if end_of(process):
        state += f" ({end_of(process)})"
    yield "process", str(process.pid)
    yield "name", title_of(process)
    yield "state", state
    if process.detail:
        yield "because", process.detail
    if details.waiting_because:
        yield "waits for", details.waiting_because
    if details.where:
        yield "runs at", details.where
    yield "owner", process.owner + (" (private)" if process.private else "")
    yield "engine", process.engine
    if process.label:
        yield "label", process.label
    if process.priority:
        yield "priority", str(process.priority)
    if process.after:
        yield "after", ", ".join(map(str, process.after))
    if process.retries:
        yield "retries", f"at most {process.retries}"
    if process.attempt > 1:
        yield "starts", f"{process.attempt} so far"
    yield "submitted", people.moment(process.submitted, now)
    if process.started is not None:
        yield "started", people.moment(process.started, now)
    if process.ended is not None:
        yield "ended", people.moment(process.ended, now)
    if process.seconds(now) is not None:
        yield "time", people.duration(process.seconds(now))
    if process.exit_status is not None:
        yield "exit status", str(process.exit_status)
    if process.devices is not None:
        yield "graph", f"{process.devices:,} devices, {process.edges or 0:,} edges"
    if process.delivered is not None:
        yield "delivered", f"{process.delivered:,} messages, {people.rate(process.rate)}"
    if process.cpu_seconds is not None:
        yield "CPU time", people.duration(process.cpu_seconds)
    if process.memory_bytes is not None:
        yield "memory", people.size(process.memory_bytes)
    if details.log_lines:
        yield "log", people.many(details.log_lines, "line")
    settings = details.options.get("settings", details.options)
    usual = {"level": 1, "threads": 1, "engine": process.engine}
    chosen = [
        f"{name} {value}"
        for name, value in settings.items()
        if value and value != usual.get(name) and not isinstance(value, dict)
    ]
    properties = settings.get("properties") or {}
    chosen += [f"{name}={value}" for name, value in properties.items()]
    if chosen:
        yield "options", ", ".join(chosen)
