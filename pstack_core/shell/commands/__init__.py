"""The commands, a module each.

A command module imports nothing heavy and defines:

``SUMMARY``                     one line for lists of commands
``EXAMPLES``                    what the help ends with
``add_arguments(parser)``       its arguments, on any argparse parser
``run(context, arguments)``     do it; returns the exit status
"""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol, cast

from pstack_core.shell.context import Context

#: Every command, in the order in which help lists them.
NAMES = ("run", "check", "info", "convert", "engines", "plugins")


class Command(Protocol):
    """What a command module looks like."""

    SUMMARY: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, context: Context, arguments: argparse.Namespace) -> int: ...


def command(name: str) -> Command:
    """The module of one command."""
    return cast(Command, importlib.import_module(f"{__name__}.{name}"))
