"""``pstack logs``: the log lines of a process."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pstack_core.runtime import exit_status
from pstack_core.shell.arguments import add_pid, completed, natural
from pstack_core.shell.context import Context
from pstack_core.shell.foreground import stream

if TYPE_CHECKING:
    from pstack_core.runtime.service import LogLine, Service

SUMMARY = "Print the log of a process, and with -f what comes until its end."
EXAMPLES = """\
Ctrl-C ends the following, not the process.

example:
  pstack logs 17 -n 20
  pstack logs -f 17
  pstack logs 17 --json --device n3 > n3.jsonl
"""

#: Lines asked for at a time.
BATCH = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack logs``."""
    add_pid(parser, "the process")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes, until the end"
    )
    parser.add_argument("-n", "--last", type=natural, metavar="N", help="only the last N lines")
    completed(
        parser.add_argument("--device", metavar="ID", help="only the lines of this device"),
        "device",
    )
    parser.add_argument(
        "--level", type=natural, metavar="N", help="only lines of this level and below"
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object a line, with time and number"
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print the lines."""
    service = context.service()
    after = 0
    if arguments.last is not None:
        after = max(0, service.show(arguments.pid).log_lines - arguments.last)
    show = _json if arguments.json or context.json else _text
    source = _follow if arguments.follow else _kept
    try:
        for line in source(service, arguments.pid, after):
            if arguments.device is not None and line.device != arguments.device:
                continue
            if arguments.level is not None and line.level > arguments.level:
                continue
            context.write(show(line))
            if arguments.follow:
                context.stdout.flush()
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    return 0


def _follow(service: Service, pid: int, after: int) -> Iterator[LogLine]:
    return stream(lambda: service.follow(pid, after))


def _kept(service: Service, pid: int, after: int) -> Iterator[LogLine]:
    while lines := service.logs(pid, after, BATCH):
        yield from lines
        after = lines[-1].number


def _text(line: LogLine) -> str:
    return f"Log [device {line.device}, level {line.level}]: {line.text}"


def _json(line: LogLine) -> str:
    return json.dumps(
        {
            "number": line.number,
            "time": line.time,
            "device": line.device,
            "level": line.level,
            "text": line.text,
        }
    )
