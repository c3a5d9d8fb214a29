"""``pstack doctor``: whether everything that pstack needs is well."""

from __future__ import annotations

import argparse
import dataclasses

from pstack_core.shell.arguments import add_json
from pstack_core.shell.columns import cell_width
from pstack_core.shell.context import Context
from pstack_core.shell.people import many

SUMMARY = "Look at compiler, engines, plugins, SQLite, spool, daemon, limits and cache."
EXAMPLES = """\
Each line that is not well says what to do.  The exit status is 1 if there is a
problem; warnings alone are fine.

example:
  pstack doctor
  pstack doctor --json
"""

_COLOURS = {"ok": "32", "warning": "33", "problem": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack doctor``."""
    add_json(parser, "the findings")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Look, and tell."""
    from pstack_core.shell.health import PROBLEM, WARNING, findings

    if arguments.json or context.json:
        found = list(findings())
        context.write_json({"findings": [dataclasses.asdict(finding) for finding in found]})
    else:
        found = []
        for finding in findings():
            found.append(finding)
            mark = f"{finding.level:<8}"
            gap = " " * max(1, 14 - cell_width(finding.what))
            line = f"{mark} {finding.what}{gap}{finding.found}"
            context.put(context.stdout, line, finding.level, _COLOURS[finding.level])
            if finding.fix:
                context.write(f"{'':<23}fix: {finding.fix}")
            context.stdout.flush()
    problems = sum(finding.level == PROBLEM for finding in found)
    warnings = sum(finding.level == WARNING for finding in found)
    if not (arguments.json or context.json):
        context.write(f"{many(problems, 'problem')}, {many(warnings, 'warning')}")
    return 1 if problems else 0
