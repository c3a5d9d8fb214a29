"""``pstack daemon``: the service that goes on when everybody has left."""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.runtime import exit_status
from pstack_core.shell import people
from pstack_core.shell.arguments import add_json, completed, count, natural
from pstack_core.shell.context import Context

if TYPE_CHECKING:
    from pstack_core.runtime.daemon_options import DaemonOptions
    from pstack_core.runtime.service import ServiceStatus

SUMMARY = "Start, stop or look at the service that runs processes in the background."
EXAMPLES = """\
start    start it in the background; it is up when the command ends
stop     end it; what runs will start again with the next daemon
status   what it is; the exit status is 1 if none runs
run      run it in the foreground, for systemd and containers
logs     print its own log

example:
  pstack daemon start --slots local=4 --share 2
  pstack daemon logs -f
"""

ACTIONS = ("start", "stop", "status", "run", "logs")
#: Seconds between two looks at the log.
LOOK = 0.3


def slots(text: str) -> tuple[str, int]:
    """``ENGINE=N``."""
    name, equals, number = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not ENGINE=N, such as local=4")
    return name, natural(number)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack daemon``."""
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument(
        "--system", action="store_true", help="the service of the whole machine, for all its users"
    )
    completed(
        parser.add_argument(
            "--admin",
            action="append",
            default=[],
            metavar="USER",
            help="may act on everybody's processes; may be given more than once",
        ),
        "owner",
    )
    parser.add_argument(
        "--private", action="store_true", help="users see nothing of others' processes"
    )
    parser.add_argument(
        "--share", type=count, metavar="N", help="run at most N processes of one user at once"
    )
    completed(
        parser.add_argument(
            "--slots",
            type=slots,
            action="append",
            default=[],
            metavar="ENGINE=N",
            help="run at most N processes at once on this engine; may be given more than once",
        ),
        "engine",
    )
    completed(
        parser.add_argument(
            "--inbox", metavar="FOLDER", default="", help="run applications put into this folder"
        ),
        "folder",
    )
    parser.add_argument(
        "--no-inbox", action="store_true", help="do not run what is put into a folder"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="with logs: go on with what comes"
    )
    parser.add_argument(
        "-n", "--last", type=natural, metavar="N", help="with logs: only the last N lines"
    )
    add_json(parser, "the status")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Do it."""
    from pstack_core.runtime.daemon_options import DaemonOptions

    options = DaemonOptions(
        system=arguments.system,
        admins=tuple(arguments.admin),
        look=not arguments.private,
        share=arguments.share,
        slots=dict(arguments.slots),
        inbox=not arguments.no_inbox,
        inbox_path=str(Path(arguments.inbox).absolute()) if arguments.inbox else "",
    )
    if arguments.action == "logs":
        return _logs(context, options, arguments)
    if arguments.action == "run":
        from pstack_core.runtime.daemon import serve

        options.policy()  # complain before anything is touched
        return serve(options)
    from pstack_core.runtime import control

    if arguments.action == "status":
        status = control.running(options)
        if status is None:
            if arguments.json or context.json:
                context.write_json({"daemon": False})
            else:
                context.write("no daemon runs; 'pstack daemon start' starts one")
            return exit_status.FAILURE
        _print(context, arguments, status)
    elif arguments.action == "start":
        options.policy()
        _print(context, arguments, control.start(options))
    else:
        status = control.stop(options)
        context.write(f"the daemon, process {status.pid}, has ended")
    return 0


def _print(context: Context, arguments: argparse.Namespace, status: ServiceStatus) -> None:
    if arguments.json or context.json:
        context.write_json(dataclasses.asdict(status))
        return
    now = time.time()
    context.write(f"daemon      process {status.pid}, pstack {status.version}")
    context.write(f"up          {people.duration(max(0.0, now - status.started))}")
    context.write(f"socket      {status.socket}")
    context.write(f"spool       {status.spool}")
    context.write(f"inbox       {status.inbox or 'none'}")
    context.write(f"you are     {status.user}{', an administrator' if status.admin else ''}")


def _logs(context: Context, options: DaemonOptions, arguments: argparse.Namespace) -> int:
    path = options.paths().log
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
            if arguments.last is not None:
                lines = lines[len(lines) - min(arguments.last, len(lines)) :]
            for line in lines:
                context.write(line)
            while arguments.follow:
                context.stdout.flush()
                time.sleep(LOOK)
                for line in file.read().splitlines():
                    context.write(line)
    except FileNotFoundError:
        context.error(f"there is no log yet: {path}; 'pstack daemon start' starts a daemon")
        return exit_status.FAILURE
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    return 0
