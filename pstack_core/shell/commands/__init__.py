"""The commands, a module each.

A command module imports nothing heavy and defines:

``SUMMARY``                     one line for lists of commands
``EXAMPLES``                    what the help ends with
``add_arguments(parser)``       its arguments, on any argparse parser
``run(context, arguments)``     do it; returns the exit status

Plugins bring commands that look the same: see :mod:`pstack_core.shell.plugin_commands`.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol, cast

from pstack_core.shell.context import Context

#: Every command by topic, in the order in which help lists them.
TOPICS = {
    "Applications": ("run", "watch", "check", "info", "convert"),
    "Processes": (
        "submit",
        "ps",
        "top",
        "show",
        "logs",
        "wait",
        "result",
        "kill",
        "pause",
        "continue",
        "rerun",
        "rm",
        "clean",
    ),
    "Service": ("daemon", "spool", "engines", "plugins", "doctor", "shell"),
}
NAMES = tuple(name for names in TOPICS.values() for name in names)
#: Commands that open or end what they would run in: not typed inside the shell.
OUTSIDE = frozenset({"shell"})

_MODULES = {"continue": "resume"}  # a word of Python


class Command(Protocol):
    """What a command looks like: a module, or an object of a plugin."""

    SUMMARY: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, context: Context, arguments: argparse.Namespace) -> int: ...


def command(name: str) -> Command:
    """The module of one command."""
    return cast(Command, importlib.import_module(f"{__name__}.{_MODULES.get(name, name)}"))
