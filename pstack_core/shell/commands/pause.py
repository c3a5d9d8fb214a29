"""``pstack pause``: stop processes where they are."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_pids
from pstack_core.shell.context import Context

SUMMARY = "Hold waiting processes back and stop running ones where they are."
EXAMPLES = """\
'continue' lets them go on.  A paused process keeps its memory and its place.

example:
  pstack pause 17
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack pause``."""
    add_pids(parser, "the processes", "alive")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Pause."""
    context.service().pause(arguments.pids)
    return 0
