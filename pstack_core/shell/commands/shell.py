"""``pstack shell``: the interactive shell, and scripts of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pstack_core.shell.arguments import completed
from pstack_core.shell.context import Context, UsageError

SUMMARY = "Open the shell, or run scripts of its commands."
EXAMPLES = """\
Without arguments this is what 'pstack' alone does.  The exit status is that of the
last command.  What is typed is kept in $XDG_STATE_HOME/pstack/history, and the
commands in $XDG_CONFIG_HOME/pstack/shellrc run before the first prompt.

example:
  pstack
  pstack shell -e night.pstack
  pstack shell -c 'submit ring.xml' -c 'ps'
  echo 'ps -a' | pstack
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack shell``."""
    completed(
        parser.add_argument(
            "scripts", metavar="FILE", type=Path, nargs="*", help="scripts, a command a line"
        ),
        "file",
    )
    parser.add_argument(
        "-c", dest="lines", action="append", default=[], metavar="LINE", help="run this line"
    )
    parser.add_argument(
        "-e", "--stop-on-error", action="store_true", help="stop at the first command that fails"
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Open the shell."""
    for script in arguments.scripts:
        if not script.is_file():
            raise UsageError(f"{script}: there is no such script")
    from pstack_core.shell.interactive.app import open_shell

    return open_shell(arguments.scripts, arguments.lines, arguments.stop_on_error)
