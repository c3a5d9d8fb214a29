"""``pstack top``: processes and engines, live."""

from __future__ import annotations

import argparse
import sys
import time

from pstack_core.shell.arguments import count, seconds
from pstack_core.shell.context import Context, UsageError

SUMMARY = "Show engines and processes live: sort, filter, kill, pause, read logs by keys."
EXAMPLES = """\
'h' explains the keys.

example:
  pstack top
  pstack top -b -n 1 > load.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack top``."""
    parser.add_argument(
        "-b", "--batch", action="store_true", help="print instead, for files and programs"
    )
    parser.add_argument(
        "-n", "--count", type=count, metavar="N", help="with -b: print this often (default: on)"
    )
    parser.add_argument(
        "-d",
        "--delay",
        type=seconds,
        default=0.5,
        metavar="TIME",
        help="time between two looks (default: 0.5 s)",
    )
    parser.add_argument("-a", "--all", action="store_true", help="ended processes too")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Show the screen."""
    if arguments.batch:
        return _batch(context, arguments)
    if arguments.count is not None:
        raise UsageError("-n needs -b")
    if not (sys.stdin.isatty() and context.stdout.isatty()):
        raise UsageError("top needs a terminal; 'top -b -n 1' prints once")
    from pstack_core.shell.screen.terminal import Terminal
    from pstack_core.shell.screen.top import Top, live

    top = Top(context.service(), context.coloured(context.stdout))
    top.ended = arguments.all
    with Terminal(stdout=context.stdout) as terminal:
        live(top, terminal, arguments.delay)
    return 0


def _batch(context: Context, arguments: argparse.Namespace) -> int:
    from pstack_core.shell.screen import top_view as view
    from pstack_core.shell.screen.snapshot import take

    number = 0
    while True:
        snapshot = take(context.service(), arguments.all)
        width, colour = context.width(), context.coloured(context.stdout)
        shown = view.sort(snapshot.processes, "", False, snapshot.time)
        context.write_lines(view.header(snapshot, width, colour))
        context.write_lines(["", *view.rows(shown, snapshot.time, width, colour)])
        context.stdout.flush()
        number += 1
        if number == arguments.count:
            return 0
        context.write_lines([""])
        time.sleep(arguments.delay)
