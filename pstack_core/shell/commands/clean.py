"""``pstack clean``: forget all ended processes that the options select."""

from __future__ import annotations

import argparse
import dataclasses
import time

from pstack_core.shell.arguments import seconds
from pstack_core.shell.commands.ps import add_filters, query_of
from pstack_core.shell.context import Context
from pstack_core.shell.people import many

SUMMARY = "Forget all ended processes of yours, or those that the options select."
EXAMPLES = """\
Their logs and results go too.  'spool vacuum' then gives the space back to the
file system.

example:
  pstack clean --older 7d
  pstack clean --state finished --label night
"""

ENDED = ("finished", "failed", "killed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack clean``."""
    add_filters(parser, ENDED)
    parser.add_argument(
        "--older", type=seconds, metavar="TIME", help="ended at least this long ago, such as 7d"
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Clean."""
    query = query_of(arguments, ENDED)
    if arguments.older is not None:
        query = dataclasses.replace(query, ended_before=time.time() - arguments.older)
    gone = context.service().clean(query)
    context.write(f"{many(gone, 'process', 'processes')} forgotten")
    return 0
