"""``pstack run``: run an application and report how it ended."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from pstack_core.shell.arguments import (
    add_application,
    add_instance,
    add_json,
    add_strict,
    application,
    assignment,
    count,
    natural,
    reading,
    seconds,
    size,
)
from pstack_core.shell.context import Context, UsageError

if TYPE_CHECKING:
    from pstack_core.runtime.result import Result
    from pstack_core.runtime.run import Run

SUMMARY = "Run an application and print its log, how it ended, counts and final states."
EXAMPLES = """\
The exit status is the application's own exit code, or says what ended the run:
124 a timeout, 125 another limit, 128 and the signal's number a crash.

example:
  pstack run ring.xml --set laps=5 --timeout 10s
  pstack run ring.xml --json --states states.csv > result.json
"""

#: Devices whose final state is printed; --states writes all.
MOST_STATES = 100

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack run``."""
    add_application(parser)
    add_instance(parser)
    parser.add_argument(
        "--engine", metavar="NAME", default="local", help="what runs it (default: %(default)s)"
    )
    parser.add_argument(
        "--level",
        type=natural,
        default=1,
        metavar="N",
        help="keep log lines of this level and below (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="N",
        help="seed of everything random; the same seed gives the same run (default: %(default)s)",
    )
    parser.add_argument(
        "--threads", type=count, default=1, metavar="N", help="threads (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="end the run after this time, such as 90s"
    )
    parser.add_argument(
        "--max-events",
        type=count,
        metavar="N",
        help="end the run after this many sends, deliveries and idle handlers",
    )
    parser.add_argument(
        "--memory",
        type=size,
        metavar="SIZE",
        help="memory that handlers may take beyond the graph itself, such as 512M",
    )
    parser.add_argument(
        "--cpu-seconds", type=seconds, metavar="TIME", help="end the run after this much CPU time"
    )
    parser.add_argument(
        "--set",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override a property of the graph; may be given more than once",
    )
    parser.add_argument("--quiet", action="store_true", help="print no log lines")
    add_json(parser, "states and metrics")
    parser.add_argument(
        "--states",
        type=Path,
        metavar="FILE",
        help="write the final states of all devices to FILE: .json, .csv or .npz",
    )
    add_strict(parser)


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Run the application; the exit status says how it ended."""
    _check_states(arguments.states)
    as_json = arguments.json or context.json
    from pstack_core.runtime.run import Settings, start
    from pstack_core.shell.problems import Warnings

    settings = Settings(
        engine=arguments.engine,
        level=arguments.level,
        seed=arguments.seed,
        threads=arguments.threads,
        timeout=arguments.timeout,
        max_events=arguments.max_events,
        memory=arguments.memory,
        cpu_seconds=arguments.cpu_seconds,
        properties=dict(arguments.set),
        **reading(arguments),
    )
    log = context.stderr if as_json else context.stdout

    def print_log(device: str, level: int, text: str) -> None:
        context.put(log, f"Log [device {device}, level {level}]: {text}")
        log.flush()

    with Warnings(context, arguments.app) as warn:
        current = start(application(context, arguments.app), settings, warn)
    with current, _stopped_by_signals(current) as got:
        result = current.wait(on_log=None if arguments.quiet else print_log)
    if arguments.states is not None:
        result.write_states(arguments.states)
    if as_json:
        result.write_json(context.stdout)
        _blame(context, result)
    else:
        _print(context, result)
    if result.reason == "killed" and got:
        return 128 + got[0]
    return result.exit_status


def _print(context: Context, result: Result) -> None:
    """The end, the metrics and the states, in the form that POETS tools print."""
    finished = result.finished
    if result.reason == "exit" and finished.device:
        context.write(f"Exit [device {finished.device}]: handler_exit({result.exit_code}) called")
    else:
        context.write(f"End [{result.reason}]: {result.detail or _ENDS[result.reason]}")
    for name, value in result.metrics.items():
        text = f"{value:f}" if isinstance(value, float) else value  # 0.000007, not 7e-06
        context.write(f"Metric [{name}]: {text}")
    for line in result.states.lines(MOST_STATES):
        context.write(line)
    if len(result.states) > MOST_STATES:
        context.write(
            f"States of {MOST_STATES} of {len(result.states)} devices; "
            "--states FILE writes all of them"
        )
    _blame(context, result)


_ENDS = {
    "exit": "the application ended itself",
    "halt": "a message to __halt__ ended the run",
    "idle": "nothing in flight and nothing ready to send",
    "timeout": "the time limit ended the run",
    "limit": "a limit ended the run",
    "assert": "an assertion failed",
    "crash": "the handlers crashed",
    "killed": "stopped",
}


def _blame(context: Context, result: Result) -> None:
    """An end that is somebody's fault is an error too."""
    if result.reason in ("assert", "crash", "timeout", "limit"):
        context.error(result.detail or _ENDS[result.reason])


def _check_states(path: Path | None) -> None:
    """Refuse a file that cannot be written before anything has run."""
    if path is None:
        return
    if path.suffix not in (".json", ".csv", ".npz"):
        raise UsageError(f"--states {path}: the name must end in .json, .csv or .npz")
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"--states {path}: there is no folder {str(folder)!r}")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"--states {path}: the file cannot be written")


@contextmanager
def _stopped_by_signals(current: Run) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM ask the run to end; a second one does not wait for it.

    Yields the list of the signals that came.
    """
    got: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield got
        return

    def stop(number: int, frame: FrameType | None) -> None:
        got.append(number)
        if len(got) > 1:
            raise KeyboardInterrupt
        current.stop()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
