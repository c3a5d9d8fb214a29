"""``pstack wait``: wait until processes have ended."""

from __future__ import annotations

import argparse

from pstack_core.runtime import exit_status
from pstack_core.shell.arguments import add_pids, seconds
from pstack_core.shell.context import Context
from pstack_core.shell.foreground import interruptible

SUMMARY = "Wait until processes have ended; the exit status is the process's own."
EXAMPLES = """\
Of several processes it is the status of the first, in the order given, that is not
0.  After --timeout it is 124, and the processes go on.  Where no daemon runs, this
command runs them.

example:
  pstack wait 17
  pstack wait $(pstack submit ring.xml --array laps=1..10) && echo all are fine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack wait``."""
    add_pids(parser, "the processes", "alive")
    parser.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="wait no longer than this, such as 90s"
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Wait."""
    service = context.service()
    context.foreground.update(arguments.pids)
    ended = interruptible(lambda: service.wait(arguments.pids, arguments.timeout))
    left = [process.pid for process in ended if not process.final]
    if left:
        context.error(f"after {arguments.timeout:g} s process {left[0]} has not ended")
        return exit_status.TIMEOUT
    status = 0
    for process in ended:
        if process.detail and process.state != "finished":
            context.note(f"process {process.pid} {process.state}: {process.detail}")
        own = process.exit_status
        if own is None:
            own = exit_status.INTERRUPTED if process.state == "killed" else exit_status.FAILURE
        status = status or own
    return status
