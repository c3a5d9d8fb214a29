"""``pstack spool``: where processes are kept."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.shell.arguments import add_json, completed
from pstack_core.shell.context import Context
from pstack_core.shell.people import size

if TYPE_CHECKING:
    from pstack_core.runtime.service import SpoolInfo

SUMMARY = "Show the spool, where processes, logs and results are kept; check and copy it."
EXAMPLES = """\
check    read the whole file for damage; the exit status is 1 if there is any
vacuum   give free space back to the file system
backup   write a consistent copy, while the spool is in use

example:
  pstack spool
  pstack spool check
  pstack spool backup spool-$(date +%F).db
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack spool``."""
    parser.add_argument(
        "action", nargs="?", choices=("check", "vacuum", "backup"), help="what to do"
    )
    completed(
        parser.add_argument("file", nargs="?", metavar="FILE", type=Path, help="for backup"),
        "file",
    )
    add_json(parser, "the same")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Show the spool, or work on it."""
    from pstack_core.shell.context import UsageError

    if (arguments.action == "backup") != (arguments.file is not None):
        raise UsageError("'spool backup' needs a FILE to write, and nothing else does")
    service = context.service()
    if arguments.action == "backup":
        if arguments.file.exists():
            raise UsageError(f"{arguments.file} exists already; name another file")
        service.backup(arguments.file.absolute())
        context.write(f"{arguments.file}: {size(arguments.file.stat().st_size)}")
        return 0
    if arguments.action == "vacuum":
        before = service.spool_info().bytes
        info = service.vacuum()
        context.note(f"{size(before)} before, {size(info.bytes)} now")
    else:
        info = service.spool_info(check=arguments.action == "check")
    if arguments.json or context.json:
        context.write_json(dataclasses.asdict(info))
    else:
        _print(context, info, checked=arguments.action == "check")
    return 1 if info.problems else 0


def _print(context: Context, info: SpoolInfo, checked: bool) -> None:
    counts = ", ".join(f"{number:,} {state}" for state, number in info.counts.items() if number)
    for name, value in (
        ("path", info.path),
        ("size", size(info.bytes)),
        ("processes", counts or "none"),
        ("applications", f"{info.applications:,}"),
        ("schema", f"version {info.schema}"),
    ):
        context.write(f"{name:<13} {value}")
    if checked:
        context.write(f"{'integrity':<13} {'damaged' if info.problems else 'ok'}")
    for problem in info.problems:
        context.error(problem)
