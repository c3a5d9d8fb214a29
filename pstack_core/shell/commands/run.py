"""``pstack run``: run an application and report how it ended."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.shell.arguments import add_application, add_json, application, completed
from pstack_core.shell.context import Context
from pstack_core.shell.foreground import attend, signals
from pstack_core.shell.outcome import blame, check_states, print_log, print_result
from pstack_core.shell.settings import add_settings, request_of, settings_of

if TYPE_CHECKING:
    from pstack_core.runtime.result import Result
    from pstack_core.runtime.run import Run
    from pstack_core.runtime.service import LogLine, Service
    from pstack_core.runtime.stored_result import StoredResult

SUMMARY = "Run an application and print its log, how it ended, counts and final states."
EXAMPLES = """\
The exit status is the application's own exit code, or says what ended the run:
124 a timeout, 125 another limit, 128 and the signal's number a crash.

Where a daemon runs, and in the shell, the run is a process like those of submit:
'ps' shows it, and --on-interrupt detach leaves it running after Ctrl-C.

example:
  pstack run ring.xml --set laps=5 --timeout 10s
  pstack run ring.xml --json --states states.csv > result.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack run``."""
    add_application(parser)
    add_settings(parser)
    parser.add_argument("--quiet", action="store_true", help="print no log lines")
    add_json(parser, "states and metrics")
    completed(
        parser.add_argument(
            "--states",
            type=Path,
            metavar="FILE",
            help="write the final states of all devices to FILE: .json, .csv or .npz",
        ),
        "file",
    )
    parser.add_argument(
        "--detach", action="store_true", help="do not wait: print the PID, as submit does"
    )
    parser.add_argument(
        "--on-interrupt",
        choices=("kill", "detach"),
        default="kill",
        help="what Ctrl-C does: end the run, or leave it running where a daemon or the "
        "shell goes on (default: %(default)s)",
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Run the application; the exit status says how it ended."""
    check_states(arguments.states)
    if arguments.detach:
        from pstack_core.shell.submission import submit

        return submit(context, arguments, [arguments.app])
    service = _service(context)
    return _run_here(context, arguments) if service is None else _serve(context, arguments, service)


def _service(context: Context) -> Service | None:
    """Who runs it: the shell's service or a daemon; None: this process, with no spool at all."""
    if context.shell:
        return context.service()
    from pstack_core.runtime.paths import sockets

    if any(path.exists() for path in sockets(context.environment)):
        service = context.service()
        if service.persistent:
            return service
    return None


def _run_here(context: Context, arguments: argparse.Namespace) -> int:
    """Run in this process: the fastest way."""
    as_json = arguments.json or context.json
    from pstack_core.runtime.run import start
    from pstack_core.shell.problems import Warnings

    with Warnings(context, arguments.app) as warn:
        current = start(application(context, arguments.app), settings_of(arguments), warn)
    got: list[int] = []
    on_log = None if arguments.quiet else functools.partial(print_log, context, as_json)
    with current, signals(functools.partial(_stop, current, got)):
        result = current.wait(on_log=on_log)
    _report(context, arguments, result, result.finished.device)
    if result.reason == "killed" and got:
        return 128 + got[0]
    return result.exit_status


def _stop(current: Run, got: list[int], number: int) -> None:
    """Ask the run to end; a second signal does not wait for it."""
    got.append(number)
    if len(got) > 1:
        raise KeyboardInterrupt
    current.stop()


def _serve(context: Context, arguments: argparse.Namespace, service: Service) -> int:
    """Run as a process of the service, in the foreground."""
    from pstack_core.runtime.errors import NoResult
    from pstack_core.shell.applications import read

    app = read(context, arguments.app)
    [pid] = service.submit([request_of(arguments, app.content, app.name, app.folder)])
    as_json = arguments.json or context.json

    def on_log(line: LogLine) -> None:
        print_log(context, as_json, line.device, line.level, line.text)

    detach = arguments.on_interrupt == "detach"
    context.foreground.add(pid)
    if not service.persistent:
        service.drive()
    end = attend(service, pid, None if arguments.quiet else on_log, detach)
    if end.process is None:
        context.foreground.discard(pid)
        context.note(f"process {pid} runs on; 'logs -f {pid}' shows it, 'wait {pid}' waits")
        return 128 + end.signal
    try:
        result = service.result(pid)
    except NoResult:
        context.error(end.process.detail or f"process {pid} ended: {end.process.reason}")
    else:
        _report(context, arguments, result)
    if end.signal and end.process.state == "killed":
        return 128 + end.signal
    return end.process.exit_status or 0


def _report(
    context: Context, arguments: argparse.Namespace, result: Result | StoredResult, device: str = ""
) -> None:
    if arguments.states is not None:
        result.write_states(arguments.states)
    if arguments.json or context.json:
        result.write_json(context.stdout)
        blame(context, result)
    else:
        print_result(context, result, device)
