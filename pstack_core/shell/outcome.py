"""How a run ended, for people: in the form that POETS tools print."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pstack_core.shell.context import Context, UsageError

if TYPE_CHECKING:
    from pstack_core.runtime.states import StateMap

#: Devices whose final state is printed; --states writes all.
MOST_STATES = 100

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


class Ended(Protocol):
    """The result of a run, fresh or stored."""

    @property
    def exit_code(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def metrics(self) -> Mapping[str, int | float | str]: ...

    @property
    def states(self) -> StateMap: ...


def print_log(context: Context, as_json: bool, device: str, level: int, text: str) -> None:
    """One log line; beside the answer where that is JSON."""
    log = context.stderr if as_json else context.stdout
    context.put(log, f"Log [device {device}, level {level}]: {text}")
    log.flush()


def print_result(context: Context, result: Ended, device: str = "") -> None:
    """The end, the metrics and the states; ``device`` is the one that ended the run."""
    if result.reason == "exit" and device:
        context.write(f"Exit [device {device}]: handler_exit({result.exit_code}) called")
    else:
        context.write(f"End [{result.reason}]: {_sentence(result)}")
    for name, value in result.metrics.items():
        context.write(f"Metric [{name}]: {metric(value)}")
    for line in result.states.lines(MOST_STATES):
        context.write(line)
    if len(result.states) > MOST_STATES:
        context.write(
            f"States of {MOST_STATES} of {len(result.states)} devices; "
            "--states FILE writes all of them"
        )
    blame(context, result)


def blame(context: Context, result: Ended) -> None:
    """An end that is somebody's fault is an error too."""
    if result.reason in ("assert", "crash", "timeout", "limit"):
        context.error(_sentence(result))


def metric(value: float | str) -> str:
    """A metric as text: 0.000007, not 7e-06."""
    return f"{value:f}" if isinstance(value, float) else str(value)


def check_states(path: Path | None) -> None:
    """Refuse a file for --states that cannot be written, before anything has run."""
    if path is None:
        return
    if path.suffix not in (".json", ".csv", ".npz"):
        raise UsageError(f"--states {path}: the name must end in .json, .csv or .npz")
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"--states {path}: there is no folder {str(folder)!r}")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"--states {path}: the file cannot be written")


def _sentence(result: Ended) -> str:
    return result.detail or _ENDS.get(result.reason, "it ended")
