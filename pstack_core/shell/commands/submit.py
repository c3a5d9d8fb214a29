"""``pstack submit``: queue applications and return at once."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_dialect, completed, natural, whole
from pstack_core.shell.context import Context
from pstack_core.shell.settings import add_settings
from pstack_core.shell.submission import after, array, submit

SUMMARY = "Queue applications as processes; print their PIDs and return at once."
EXAMPLES = """\
The PIDs are printed, one a line, when the spool has them on disk.

--array makes one process for each value of a graph property: FIRST..LAST,
FIRST..LAST..STEP or values with commas.

example:
  pstack submit ring.xml grid.xml --priority 5 --label night
  pstack submit ring.xml --array laps=1..100
  pstack submit sum.xml --after 17 --after 18:any
  pstack wait $(pstack submit ring.xml)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack submit``."""
    completed(
        parser.add_argument(
            "apps", metavar="APP", nargs="+", help="the applications; - is standard input"
        ),
        "application",
    )
    parser.add_argument(
        "--array",
        type=array,
        metavar="NAME=VALUES",
        help="one process for each value of this graph property, such as laps=1..100",
    )
    parser.add_argument(
        "--priority",
        type=whole,
        default=0,
        metavar="N",
        help="higher runs first, from -1000 to 1000 (default: %(default)s)",
    )
    completed(
        parser.add_argument(
            "--after",
            type=after,
            action="append",
            default=[],
            metavar="PID[:any]",
            help="start when this process has ended with exit code 0, or however it ended "
            "with :any; may be given more than once",
        ),
        "alive",
    )
    parser.add_argument(
        "--retries",
        type=natural,
        default=0,
        metavar="N",
        help="run again this often after a crash (default: %(default)s)",
    )
    completed(
        parser.add_argument(
            "--label", default="", metavar="TEXT", help="a word to find the processes by"
        ),
        "label",
    )
    parser.add_argument(
        "--private", action="store_true", help="other users may not read logs and results"
    )
    add_dialect(parser)
    add_settings(parser)


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Submit."""
    return submit(context, arguments, arguments.apps)
