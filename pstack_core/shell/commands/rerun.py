"""``pstack rerun``: queue the same again."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_pids
from pstack_core.shell.context import Context

SUMMARY = "Queue the same again as new processes; print their PIDs."
EXAMPLES = """\
Application and options are those of the old process, which stays as it is.

example:
  pstack rerun 17
  pstack rerun $(pstack ps -q --state failed)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack rerun``."""
    add_pids(parser, "the processes")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Run again."""
    service = context.service()
    for pid in service.rerun(arguments.pids):
        context.write(str(pid))
    if context.shell:
        service.drive()
    return 0
