"""``pstack continue``: let paused processes go on."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_pids
from pstack_core.shell.context import Context

SUMMARY = "Let paused processes go on."
EXAMPLES = """\
example:
  pstack continue 17
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack continue``."""
    add_pids(parser, "the processes", "alive")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Continue."""
    context.service().resume(arguments.pids)
    return 0
