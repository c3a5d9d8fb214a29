"""The one-shot command line: ``pstack COMMAND ...``.

Only what the command needs is imported, so that a short command answers at once.
Every exception becomes an exit status here, and only here.
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

DESCRIPTION = "Compile and run POETS applications: graphs of small devices with C++ handlers."
EPILOG = """\
example:
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
        status = _dispatch(context, argv)
        sys.stdout.flush()
    except SystemExit as end:  # argparse: help, version and usage errors
        status = end.code if isinstance(end.code, int) else exit_status.OK
    except KeyboardInterrupt:
        context.error("interrupted")
        status = exit_status.INTERRUPTED
    except BrokenPipeError:
        status = exit_status.BROKEN_PIPE
    except Exception as error:
        status = _report(context, error)
    finally:
        if collecting:
            gc.enable()
    return _flush(status)


def parser_of(name: str) -> Parser:
    """The parser of one command."""
    module = commands.command(name)
    parser = Parser(
        prog=f"pstack {name}",
        description=module.SUMMARY,
        epilog=module.EXAMPLES,
        allow_abbrev=False,  # a script must not break when an option is added
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser


def main_parser() -> Parser:
    """The parser of ``pstack`` itself: help and version; commands are looked up before it."""
    lines = [f"  {name:<10}{commands.command(name).SUMMARY}" for name in commands.NAMES]
    parser = Parser(
        prog="pstack",
        usage="pstack [-h] [--version] COMMAND ...",
        description="\n".join([DESCRIPTION, "", "commands:", *lines]),
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser


def _dispatch(context: Context, argv: Sequence[str]) -> int:
    name = argv[0] if argv else ""
    if name in commands.NAMES:
        arguments = parser_of(name).parse_args(argv[1:])
        return commands.command(name).run(context, arguments)
    if name and not name.startswith("-"):
        raise UsageError(_no_command(name))
    parser = main_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from pstack_core import __version__

        context.write(f"pstack {__version__}")
        return exit_status.OK
    parser.print_help(context.stderr)
    return exit_status.USAGE


def _no_command(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, commands.NAMES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(commands.NAMES)}"
    return f"there is no command {name!r}; {hint}"


def _report(context: Context, error: Exception) -> int:
    """Tell the user about an exception; returns the exit status."""
    from pstack_core.graph.diagnostics import ApplicationError
    from pstack_core.shell.problems import show

    status = exit_status.of_error(error)
    try:
        if isinstance(error, ApplicationError):
            show(context, error.diagnostics)
            status = exit_status.BAD_APPLICATION
        elif status is not None:
            output = getattr(error, "output", "")
            if output:
                context.note(output.rstrip())
            context.error(str(error))
        elif isinstance(error, UsageError):
            context.error(str(error))
            status = exit_status.USAGE
        elif isinstance(error, OSError) and error.strerror:
            place = f"{error.filename}: " if error.filename else ""
            context.error(f"{place}{error.strerror}")
            status = exit_status.USAGE
        else:
            return _bug(context, error)
    except BrokenPipeError:
        return exit_status.BROKEN_PIPE
    return status


def _bug(context: Context, error: Exception) -> int:
    import traceback

    context.note("".join(traceback.format_exception(error)).rstrip())
    context.error(
        "this is a bug in pstack; please report it with the lines above, "
        "the command and, if you can, the application"
    )
    return exit_status.INTERNAL


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
