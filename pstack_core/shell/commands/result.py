"""``pstack result``: what a process ended with."""

from __future__ import annotations

import argparse
from pathlib import Path

from pstack_core.shell.arguments import add_json, add_pid, completed
from pstack_core.shell.context import Context, UsageError
from pstack_core.shell.outcome import blame, check_states, print_result

SUMMARY = "Print how a process ended, its counts and its final states, as run does."
EXAMPLES = """\
The exit status is 0 if there is a result, however the process ended: 'wait' gives
the process's own.

example:
  pstack result 17
  pstack result 17 --json > result.json
  pstack result 17 --states states.npz
  pstack result 17 --device n3 --field counter
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack result``."""
    add_pid(parser, "the process", "ended")
    add_json(parser, "states and metrics, as 'run --json' does,")
    completed(
        parser.add_argument(
            "--states",
            type=Path,
            metavar="FILE",
            help="write the final states of all devices to FILE: .json, .csv or .npz",
        ),
        "file",
    )
    completed(
        parser.add_argument(
            "--device",
            action="append",
            default=[],
            metavar="ID",
            help="only the state of this device; may be given more than once",
        ),
        "device",
    )
    completed(
        parser.add_argument(
            "--field",
            action="append",
            default=[],
            metavar="NAME",
            help="only this field of states; may be given more than once",
        ),
        "field",
    )


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print the result."""
    check_states(arguments.states)
    result = context.service().result(arguments.pid)
    if arguments.states is not None:
        result.write_states(arguments.states)
    as_json = arguments.json or context.json
    if arguments.device or arguments.field:
        chosen = {}
        for device in arguments.device or result.states:
            if device not in result.states:
                raise UsageError(f"process {arguments.pid} has no device {device!r}")
            state = result.states[device]
            for field in arguments.field:
                if field not in state and arguments.device:
                    raise UsageError(f"device {device!r} has no field {field!r} in its state")
            names = [name for name in state if not arguments.field or name in arguments.field]
            if names:
                chosen[device] = {name: state[name] for name in names}
        if as_json:
            from pstack_core.runtime.values import strict

            context.write_json({device: strict(state) for device, state in chosen.items()})
        else:
            for device, state in chosen.items():
                values = ", ".join(f"{name} = {value}" for name, value in state.items())
                context.write(f"State [{device}]: {values}")
    elif as_json:
        result.write_json(context.stdout)
        blame(context, result)
    else:
        print_result(context, result)
    return 0
