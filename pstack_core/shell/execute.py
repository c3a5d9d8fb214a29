"""Run one command; every exception becomes a sentence and an exit status here, and only here."""

from __future__ import annotations

from collections.abc import Callable

from pstack_core.runtime import exit_status
from pstack_core.shell.context import Context, UsageError


def execute(context: Context, command: Callable[[], int]) -> int:
    """Call a command and return its exit status, whatever happens in it.

    ``SystemExit`` ends a command of argparse: help, version and usage errors.
    """
    try:
        status = command()
        context.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exit_status.OK
    except KeyboardInterrupt:
        context.error("interrupted")
        return exit_status.INTERRUPTED
    except BrokenPipeError:
        return exit_status.BROKEN_PIPE
    except Exception as error:
        return _report(context, error)
    return status


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
