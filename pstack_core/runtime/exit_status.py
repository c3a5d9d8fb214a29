"""The exit status of the pstack command: the one table, and how a run maps to it.

docs/exit-status.md says the same to people; a test keeps the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pstack_core.engines.events import Finished

OK = 0
FAILURE = 1  # an assertion in a handler; a worker that ended for no known reason
USAGE = 2  # the command line, or a file that cannot be written
BAD_APPLICATION = 3  # it cannot be read, breaks the rules of its format, or does not compile
NO_ENGINE = 4  # the engine does not exist, failed to load, or cannot run the application
REFUSED = 5  # a process that does not exist, another's process, no service
INTERNAL = 70  # a bug in pstack
TIMEOUT = 124
LIMIT = 125  # events or CPU seconds
SIGNAL = 128  # plus the number of the signal
INTERRUPTED = 130  # Ctrl-C
BROKEN_PIPE = 141  # the reader of the output went away
TERMINATED = 143  # SIGTERM

#: Every status that has a meaning of its own, with what it means.
MEANINGS = {
    OK: "the application ended with exit code 0, or went idle",
    FAILURE: "an assertion in a handler failed, or the engine's worker ended unexpectedly",
    USAGE: "the command line is wrong, or a file cannot be written",
    BAD_APPLICATION: "the application cannot be read, is wrong, or does not compile",
    NO_ENGINE: "the engine does not exist, is not available, or cannot run the application",
    REFUSED: "there is no such process, or the service refuses or cannot be reached",
    INTERNAL: "a bug in pstack",
    TIMEOUT: "the time limit (--timeout) ended the run",
    LIMIT: "the limit of events (--max-events) or of CPU time (--cpu-seconds) ended the run",
    INTERRUPTED: "interrupted with Ctrl-C",
    BROKEN_PIPE: "the program that reads pstack's output went away",
    TERMINATED: "told to end by SIGTERM",
}


def of_code(code: int) -> int:
    """The status for an application's own exit code: modulo 256, but a failure stays one."""
    status = code % 256
    return FAILURE if code and not status else status


def of_finished(finished: Finished) -> int:
    """The status for a run that ended."""
    reason = finished.reason.value
    if reason in ("exit", "halt"):
        return of_code(finished.exit_code)
    if reason == "crash":
        if finished.signal:
            return SIGNAL + finished.signal
        return of_code(finished.exit_code) or FAILURE
    return {
        "idle": OK,
        "timeout": TIMEOUT,
        "limit": LIMIT,
        "assert": FAILURE,
        "killed": INTERRUPTED,
    }[reason]


def of_error(error: Exception) -> int | None:
    """The status for what cannot be used or is refused; None for other errors."""
    from pstack_core.engines.engine import EngineError
    from pstack_core.graph.diagnostics import ApplicationError
    from pstack_core.runtime.errors import ServiceError

    if isinstance(error, ServiceError):
        return REFUSED

    if isinstance(error, EngineError):
        # Where there is output, it is the compiler's, about the application's handlers.
        return BAD_APPLICATION if error.output else NO_ENGINE
    return BAD_APPLICATION if isinstance(error, ApplicationError) else None
