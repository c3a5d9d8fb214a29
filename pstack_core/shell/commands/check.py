"""``pstack check``: everything that is wrong with an application."""

from __future__ import annotations

import argparse

from pstack_core.runtime import exit_status
from pstack_core.shell.arguments import add_application, add_json, add_strict, application, reading
from pstack_core.shell.context import Context

SUMMARY = "List every error of an application, with its place and what to do about it."
EXAMPLES = """\
Nothing is compiled or run.  The exit status is 0 if the application can be used
and 3 if it has errors; warnings alone are fine.

example:
  pstack check ring.xml
  pstack check ring.xml --strict --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack check``."""
    add_application(parser)
    add_strict(parser)
    add_json(parser, "the problems")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Check the application."""
    from pstack_core.graph import check
    from pstack_core.shell.problems import as_json, label_of

    problems = check(application(context, arguments.app), **reading(arguments))
    errors = sum(problem.severity == "error" for problem in problems)
    if arguments.json or context.json:
        context.write_json({"errors": errors, "problems": [as_json(p) for p in problems]})
    else:
        for problem in problems:
            context.put(context.stdout, str(problem), *label_of(problem))
        warnings = len(problems) - errors
        context.write(f"{_many(errors, 'error')}, {_many(warnings, 'warning')}")
    return exit_status.BAD_APPLICATION if errors else exit_status.OK


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
