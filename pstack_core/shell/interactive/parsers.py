"""The definitions of commands as cmd2 takes them: parsers, methods and sets of commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import cmd2
from rich.text import Text

from pstack_core.runtime import exit_status
from pstack_core.shell.arguments import completion_of
from pstack_core.shell.commands import Command
from pstack_core.shell.context import Context
from pstack_core.shell.interactive.completion import COMPLETERS

if TYPE_CHECKING:
    from pstack_core.shell.interactive.app import Shell


class ShellParser(cmd2.Cmd2ArgumentParser):
    """A parser whose errors look like all others."""

    def error(self, message: str) -> NoReturn:
        """Print one sentence; the command ends with the status for wrong usage."""
        Context().error(f"{message}; '{self.prog} --help' explains the usage")
        self.exit(exit_status.USAGE)


def parser_of(command: Command) -> ShellParser:
    """The parser of one command, with completion of what its arguments are."""
    # What other shells put together is no example here.
    lines = [line for line in command.EXAMPLES.splitlines() if "$(" not in line]
    parser = ShellParser(
        # Text: brackets in it are no markup.
        description=Text(command.SUMMARY),
        epilog=Text("\n".join(lines).replace("  pstack ", "  ").rstrip()),
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    for action in parser._actions:
        completer = COMPLETERS.get(completion_of(action))
        if completer is not None:
            action.set_completer(completer)  # type: ignore[attr-defined]
    return parser


def command_set(topic: str, found: Mapping[str, Command]) -> cmd2.CommandSet[Any]:
    """The commands of one topic."""
    title = f"{topic}Commands"
    members: dict[str, Any] = {
        f"do_{name}": _method(title, name, command) for name, command in found.items()
    }
    members["DEFAULT_CATEGORY"] = topic
    made: cmd2.CommandSet[Any] = type(title, (cmd2.CommandSet,), members)()
    return made


def _method(title: str, name: str, command: Command) -> Callable[..., bool | None]:
    def method(self: cmd2.CommandSet[Shell], arguments: argparse.Namespace) -> None:
        self._cmd.execute(command, arguments)

    method.__name__ = f"do_{name}"
    method.__qualname__ = f"{title}.do_{name}"  # cmd2 keeps parsers by this name
    method.__doc__ = command.SUMMARY
    made: Callable[..., bool | None] = cmd2.with_argparser(lambda: parser_of(command))(method)
    return made
