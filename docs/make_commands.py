"""Write docs/commands.md from the commands' own help: ``python docs/make_commands.py``."""

from __future__ import annotations

import os
from pathlib import Path

from pstack_core.shell import commands
from pstack_core.shell.main import main_parser, parser_of

PAGE = Path(__file__).with_name("commands.md")

TOP = """\
# Commands

`pstack COMMAND --help` prints the same. The [exit status](exit-status.md) of every
command is on a page of its own. This page is made by `docs/make_commands.py`.
"""


def page() -> str:
    """The text of the page."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "90"  # argparse folds lines at the width of the terminal
    try:
        parts = [TOP, f"## pstack\n\n```text\n{main_parser().format_help()}```\n"]
        parts += [
            f"## pstack {name}\n\n```text\n{parser_of(name).format_help()}```\n"
            for name in commands.NAMES
        ]
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
