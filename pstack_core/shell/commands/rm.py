"""``pstack rm``: forget ended processes."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_pids
from pstack_core.shell.context import Context

SUMMARY = "Forget ended processes, their logs and results."
EXAMPLES = """\
'clean' forgets many at once; a process that has not ended must be killed first.

example:
  pstack rm 17 18
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack rm``."""
    add_pids(parser, "the processes", "ended")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Remove."""
    context.service().remove(arguments.pids)
    return 0
