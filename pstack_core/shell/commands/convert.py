"""``pstack convert``: write an application in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

from pstack_core.shell.arguments import (
    add_application,
    add_instance,
    add_strict,
    application,
    reading,
)
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
    add_instance(parser)
    add_strict(parser)


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Load the application and write it."""
    from pstack_core.graph import load, save
    from pstack_core.shell.problems import Warnings

    with Warnings(context, arguments.app) as warn:
        graph = load(application(context, arguments.app), warn=warn, **reading(arguments))
        context.stdout.flush()
        target = arguments.output or context.binary_output()
        save(graph, target, version=arguments.to, warn=warn)
    return 0
