"""``pstack ps``: list processes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from typing import TYPE_CHECKING

from pstack_core.shell.arguments import add_json, completed, count, process_id
from pstack_core.shell.columns import table
from pstack_core.shell.context import Context
from pstack_core.shell.process_columns import NAMES, fields, ordered

if TYPE_CHECKING:
    from pstack_core.runtime.service import ProcessInfo, Query

SUMMARY = "List processes: those that wait, run or are paused, or all with -a."
EXAMPLES = f"""\
columns: {", ".join(NAMES[:12])},
  {", ".join(NAMES[12:])}

A narrow terminal leaves out the least important columns; what is read by a
program has them all.

example:
  pstack ps
  pstack ps -a --label night --columns pid,state,end,time
  pstack ps --state failed --json
"""

ALIVE = ("waiting", "running", "paused")
STATES = (*ALIVE, "finished", "failed", "killed")
COLUMNS = ("pid", "state", "name", "owner", "engine", "label", "end", "time", "submitted")


def columns(text: str) -> tuple[str, ...]:
    """Names of columns with commas between them."""
    names = tuple(name.strip().lower() for name in text.split(","))
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(
                f"there is no column {name!r}; there are: {', '.join(NAMES)}"
            )
    return names


def add_filters(parser: argparse.ArgumentParser, states: tuple[str, ...]) -> None:
    """The options that select processes."""
    parser.add_argument(
        "--state",
        action="append",
        choices=states,
        help="in this state; may be given more than once",
    )
    for name, what in (("owner", "of this user"), ("label", "with this label"),
                       ("engine", "on this engine")):  # fmt: skip
        completed(
            parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME",
                                help=f"{what}; may be given more than once"),
            name,
        )  # fmt: skip


def query_of(arguments: argparse.Namespace, states: tuple[str, ...]) -> Query:
    """What the options of :func:`add_filters` select, from ``states`` where none is given."""
    from pstack_core.runtime.service import Query

    return Query(
        states=tuple(arguments.state or states),
        owners=tuple(arguments.owner),
        labels=tuple(arguments.label),
        engines=tuple(arguments.engine),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack ps``."""
    completed(
        parser.add_argument(
            "pids", metavar="PID", type=process_id, nargs="*", help="only these, in any state"
        ),
        "pid",
    )
    parser.add_argument("-a", "--all", action="store_true", help="ended ones too")
    add_filters(parser, STATES)
    parser.add_argument(
        "-n", "--last", type=count, metavar="N", help="only the N that were submitted last"
    )
    parser.add_argument(
        "--columns", type=columns, metavar="NAME,...", help="what to show, from the list below"
    )
    parser.add_argument("--sort", choices=NAMES, metavar="NAME", help="order by this column")
    parser.add_argument("-r", "--reverse", action="store_true", help="order the other way round")
    parser.add_argument("-q", "--quiet", action="store_true", help="print the PIDs alone")
    add_json(parser, "the processes", "an array of JSON objects")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print the processes."""
    states = () if arguments.all or arguments.pids else ALIVE
    query = dataclasses.replace(
        query_of(arguments, states), pids=tuple(arguments.pids), limit=arguments.last
    )
    processes = context.service().processes(query)
    missing = set(arguments.pids) - {process.pid for process in processes}
    known = fields(time.time())
    if arguments.sort:
        processes = ordered(processes, known[arguments.sort], arguments.reverse)
    elif arguments.reverse:
        processes = processes[::-1]
    if arguments.json or context.json:
        context.write_lines(_json(processes))
    elif arguments.quiet:
        context.write_lines(str(process.pid) for process in processes)
    else:
        chosen = [known[name].column for name in arguments.columns or COLUMNS]
        colour = context.coloured(context.stdout)
        context.write_lines(table(chosen, processes, context.width(), colour))
    if missing and not arguments.state:
        context.error(f"there is no process {', '.join(map(str, sorted(missing)))}")
        return 5
    return 0


def as_json(process: ProcessInfo) -> dict[str, object]:
    """A process as a JSON object."""
    return {field.name: getattr(process, field.name) for field in dataclasses.fields(process)}


def _json(processes: list[ProcessInfo]) -> list[str]:
    """An array, a line a process: indented JSON takes ten times as long."""
    objects = [json.dumps(as_json(process)) for process in processes]
    return ["[", ",\n".join(objects), "]"] if objects else ["[]"]
