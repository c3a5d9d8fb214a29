"""``pstack watch``: run an application again whenever it is saved."""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstack_core.shell import people
from pstack_core.shell.arguments import add_application, add_json, count
from pstack_core.shell.context import YELLOW, Context, UsageError
from pstack_core.shell.execute import execute
from pstack_core.shell.foreground import signals
from pstack_core.shell.outcome import blame, metric, print_log, print_result
from pstack_core.shell.settings import add_settings, settings_of

if TYPE_CHECKING:
    from pstack_core.runtime.result import Result
    from pstack_core.shell.watching.differences import Differences
    from pstack_core.shell.watching.reruns import Ended

SUMMARY = "Run an application again whenever it is saved, and show what changed in the result."
EXAMPLES = """\
A file that is half written, or whose XML does not end, is not run.  A save during
a run ends that run.  Header files that the application includes are not watched.
Ctrl-C leaves.

example:
  pstack watch ring.xml --set laps=5
  pstack watch ring.xml --json > runs.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack watch``."""
    add_application(parser)
    add_settings(parser)
    parser.add_argument("--quiet", action="store_true", help="print no log lines")
    parser.add_argument("-n", "--count", type=count, metavar="N", help="leave after N runs")
    add_json(parser, "each run", "a JSON object a line")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Watch until Ctrl-C; the exit status is 0, or with --count that of the last run."""
    path = Path(arguments.app)
    if arguments.app == "-" or not path.absolute().parent.is_dir():
        raise UsageError(f"{arguments.app}: give a file, in a folder that is there, to watch")
    from pstack_core.shell.problems import label_of
    from pstack_core.shell.watching.reruns import Reruns

    as_json = arguments.json or context.json

    def unfinished(problem: str) -> None:
        context.note(f"waiting: {path} is not whole: {problem}", "waiting:", YELLOW)

    def warn(diagnostic: Any) -> None:
        context.note(str(diagnostic), *label_of(diagnostic))

    on_log = None if arguments.quiet else functools.partial(print_log, context, as_json)
    reruns = Reruns(path, settings_of(arguments), on_log, unfinished, warn)
    if not path.exists():
        unfinished("there is no such file yet")
    previous: Result | None = None
    number = status = 0
    with signals(lambda signal: reruns.close()):
        for ended in reruns:
            if ended.stale:
                continue
            number += 1
            status = _show(context, as_json, number, ended, previous)
            previous = ended.result or previous
            if number == arguments.count:
                reruns.close()
    return status if arguments.count else 0


def _show(
    context: Context, as_json: bool, number: int, ended: Ended, previous: Result | None
) -> int:
    """Tell about one run; its exit status."""
    result = ended.result
    if not as_json:
        when = people.moment(time.time(), time.time())
        how = "could not be run" if result is None else _took(result)
        context.write(f"--- run {number} at {when}: {how}")
    found = None
    if result is None:
        status = execute(context, functools.partial(_fail, ended.error))
    else:
        status = result.exit_status
        if previous is not None:
            from pstack_core.shell.watching.differences import compare

            found = compare(previous, result)
    if as_json:
        context.write(json.dumps(_object(number, ended, status, found)))
    else:
        if result is not None:
            _print(context, result, found)
        context.write("")
    context.stdout.flush()
    return status


def _fail(error: Exception | None) -> int:
    assert error is not None
    raise error


def _took(result: Result) -> str:
    code = f" {result.exit_code}" if result.reason in ("exit", "halt") else ""
    return f"{result.reason}{code} after {people.duration(result.finished.run_seconds)}"


def _print(context: Context, result: Result, found: Differences | None) -> None:
    if found is None:
        print_result(context, result, result.finished.device)
        return
    blame(context, result)
    if not found:
        context.write("nothing changed")
    for name, (old, new) in found.metrics.items():
        context.write(f"Metric [{name}]: {metric(old)} -> {metric(new)}")
    for device, fields in found.states.items():
        values = ", ".join(f"{name} = {old} -> {new}" for name, (old, new) in fields.items())
        context.write(f"State [{device}]: {values}")
    if found.changed > len(found.states):
        more = found.changed - len(found.states)
        context.write(f"and {people.many(more, 'more device')} changed")
    for count_, what in ((found.added, "new"), (found.removed, "gone")):
        if count_:
            context.write(f"{people.many(count_, 'device')} {what}")


def _object(number: int, ended: Ended, status: int, found: Differences | None) -> dict[str, Any]:
    from pstack_core.runtime.values import strict

    answer: dict[str, Any] = {"run": number, "sha256": ended.save.digest, "exit_status": status}
    if ended.result is None:
        return answer | {"error": str(ended.error)}
    answer |= {"reason": ended.result.reason, "metrics": dict(ended.result.metrics)}
    if found is not None:
        answer["changed"] = {
            "metrics": {name: list(values) for name, values in found.metrics.items()},
            "states": {
                device: {name: [strict(one) for one in values] for name, values in fields.items()}
                for device, fields in found.states.items()
            },
            "devices": found.changed,
            "added": found.added,
            "removed": found.removed,
        }
    return answer
