"""The one-shot command line: ``pstack COMMAND ...``; ``pstack`` alone opens the shell.

Only what the command needs is imported, so that a short command answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from pstack_core.runtime import exit_status
from pstack_core.shell import commands
from pstack_core.shell.context import Context, UsageError
from pstack_core.shell.execute import execute

DESCRIPTION = "Compile and run POETS applications: graphs of small devices with C++ handlers."
EPILOG = """\
example:
  pstack                      open the shell, which has the same commands
  pstack run app.xml          run an application and print how it ended
  pstack check app.xml        list everything that is wrong with it

'pstack COMMAND --help' explains one command."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others."""

    def error(self, message: str) -> NoReturn:
        """Print one sentence and exit with the status for wrong usage."""
        Context().error(f"{message}; '{self.prog} --help' explains the usage")
        self.exit(exit_status.USAGE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status.  The console script ``pstack``."""
    # NumPy's linear algebra would start threads that nothing here uses: 50 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    argv = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    context = Context()
    collecting = gc.isenabled()
    gc.disable()  # one command makes few cycles: looking for them costs more than they do
    try:
        status = execute(context, lambda: _dispatch(context, argv))
    finally:
        context.close()
        if collecting:
            gc.enable()
    return _flush(status)


def parser_of(name: str, command: commands.Command | None = None) -> Parser:
    """The parser of one command."""
    command = commands.command(name) if command is None else command
    parser = Parser(
        prog=f"pstack {name}",
        description=command.SUMMARY,
        epilog=command.EXAMPLES,
        allow_abbrev=False,  # a script must not break when an option is added
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return parser


def main_parser() -> Parser:
    """The parser of ``pstack`` itself: help and version; commands are looked up before it."""
    lines = []
    for topic, names in commands.TOPICS.items():
        lines += ["", f"{topic.lower()}:"]
        lines += [f"  {name:<10}{commands.command(name).SUMMARY}" for name in names]
    parser = Parser(
        prog="pstack",
        usage="pstack [-h] [--version] [COMMAND ...]",
        description="\n".join([DESCRIPTION, *lines]),
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser


def _dispatch(context: Context, argv: Sequence[str]) -> int:
    name = argv[0] if argv else "shell"
    if name in commands.NAMES:
        arguments = parser_of(name).parse_args(argv[1:])
        return commands.command(name).run(context, arguments)
    if not name.startswith("-"):
        from pstack_core.shell import plugin_commands

        found = plugin_commands.load().commands.get(name)
        if found is None:
            raise UsageError(_no_command(name))
        return found.run(context, parser_of(name, found).parse_args(argv[1:]))
    parser = main_parser()
    if "-h" in argv or "--help" in argv:
        parser.description = f"{parser.description}{_of_plugins()}"
    if parser.parse_args(argv).version:
        from pstack_core import __version__

        context.write(f"pstack {__version__}")
        return exit_status.OK
    parser.print_help(context.stderr)
    return exit_status.USAGE


def _of_plugins() -> str:
    """The commands of plugins, as help lists them; empty where there are none."""
    from pstack_core.shell import plugin_commands

    found = plugin_commands.load().commands
    lines = [f"  {name:<10}{command.SUMMARY}" for name, command in found.items()]
    return "\n".join(["", "", "plugins:", *lines]) if lines else ""


def _no_command(name: str) -> str:
    from difflib import get_close_matches

    from pstack_core.shell import plugin_commands

    names = (*commands.NAMES, *plugin_commands.load().commands)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    return f"there is no command {name!r}; {hint}"


def _flush(status: int) -> int:
    """Write out what is left; the reader may have gone away."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # Python flushes once more at its end, and would complain.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            status = exit_status.BROKEN_PIPE
        except (OSError, ValueError):
            status = status or exit_status.FAILURE
    return status
