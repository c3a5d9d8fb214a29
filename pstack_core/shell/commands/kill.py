"""``pstack kill``: end processes."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_pids
from pstack_core.shell.context import Context

SUMMARY = "End processes: ask, then SIGTERM, then SIGKILL."
EXAMPLES = """\
This returns at once; 'wait' waits for the end.

example:
  pstack kill 17 18
  pstack kill -9 17
  pstack kill $(pstack ps -q --label night)
"""

FORCE = ("9", "KILL", "SIGKILL")
ASK = ("15", "TERM", "SIGTERM")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack kill``."""
    add_pids(parser, "the processes", "alive")
    parser.add_argument(
        "--force", "-9", action="store_true", help="SIGKILL at once: no final states are kept"
    )
    parser.add_argument(
        "--signal",
        "-s",
        choices=(*ASK, *FORCE),
        default="TERM",
        metavar="NAME",
        help="TERM (the default) or KILL, which is --force",
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Kill."""
    service = context.service()
    before = {pid: service.show(pid).process for pid in arguments.pids}
    service.kill(arguments.pids, force=arguments.force or arguments.signal in FORCE)
    for pid, process in before.items():
        if process.final:
            context.note(f"process {pid} had ended: {process.state}")
    return 0
