"""How to run an application: the options that ``run``, ``submit`` and ``watch`` share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pstack_core.shell.arguments import (
    add_instance,
    add_strict,
    assignment,
    completed,
    count,
    natural,
    reading,
    seconds,
    size,
)

if TYPE_CHECKING:
    from pstack_core.runtime.run import Settings
    from pstack_core.runtime.service import Request


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_instance(parser)
    completed(
        parser.add_argument(
            "--engine", metavar="NAME", default="local", help="what runs it (default: %(default)s)"
        ),
        "engine",
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
    completed(
        parser.add_argument(
            "--set",
            type=assignment,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="override a property of the graph; may be given more than once",
        ),
        "property",
    )
    add_strict(parser)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The options, for a run in this process."""
    from pstack_core.runtime.run import Settings

    return Settings(**_common(arguments))


def request_of(
    arguments: argparse.Namespace, application: bytes, name: str, folder: str, **more: Any
) -> Request:
    """The options, for a process of the service; ``more`` are other fields of the request."""
    from pstack_core.runtime.service import Request

    return Request(application=application, name=name, folder=folder, **(_common(arguments) | more))


def _common(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "engine": arguments.engine,
        "level": arguments.level,
        "seed": arguments.seed,
        "threads": arguments.threads,
        "timeout": arguments.timeout,
        "max_events": arguments.max_events,
        "memory": arguments.memory,
        "cpu_seconds": arguments.cpu_seconds,
        "properties": dict(arguments.set),
        **reading(arguments),
    }
