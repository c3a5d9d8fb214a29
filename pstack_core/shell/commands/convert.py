"""``pstack convert``: write an application in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from pstack_core.shell.arguments import add_application, add_strict, application
from pstack_core.shell.context import Context

SUMMARY = "Write an application in another version of the format."
EXAMPLES = """\
The meaning stays the same.  A name that ends in .gz is compressed.

example:
  pstack convert ring.xml --to v4 -o ring_v4.xml
  pstack convert ring.xml --to base85 -o ring.xml.gz
"""

FORMATS = ("v3", "v4", "base85")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack convert``."""
    add_application(parser)
    parser.add_argument("--to", required=True, choices=FORMATS, help="the format to write")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="where to write (default: standard output)",
    )
    add_strict(parser)


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Load the application and write it."""
    from pstack_core.graph import load, save
    from pstack_core.shell.problems import Warnings

    warnings = Warnings(context, arguments.app)
    graph = load(application(context, arguments.app), strict=arguments.strict, warn=warnings)
    warnings.close()
    if arguments.output is None:
        context.stdout.flush()
        save(graph, context.binary_output(), version=arguments.to)
    else:
        save(graph, arguments.output, version=arguments.to)
    return 0
