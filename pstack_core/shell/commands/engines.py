"""``pstack engines``: what can run applications here."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_json
from pstack_core.shell.context import Context

SUMMARY = "List the engines: what can run applications here."
EXAMPLES = """\
An engine that is not available says why, and what to do.

example:
  pstack engines
  pstack engines --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack engines``."""
    add_json(parser, "the engines")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print every engine."""
    from pstack_core.runtime import installed

    infos = installed.engines()
    failed = [plugin for plugin in installed.plugins() if plugin.errors]
    if arguments.json or context.json:
        engines = [
            {
                "name": info.name,
                "kind": info.kind,
                "host": info.host,
                "slots": info.slots,
                "features": sorted(info.features),
                "api": list(info.api),
                "available": info.available,
                "detail": info.detail,
            }
            for info in infos
        ]
        failures = [{"plugin": plugin.name, "errors": plugin.errors} for plugin in failed]
        context.write_json({"engines": engines, "failed": failures})
        return 0
    rows = [
        (
            info.name,
            info.kind,
            info.host,
            str(info.slots),
            "yes" if info.available else "no",
            ", ".join(sorted(info.features)),
            info.detail,
        )
        for info in infos
    ]
    columns = ("engine", "kind", "host", "slots", "available", "features", "detail")
    context.table(columns, rows)
    for plugin in failed:
        for error in plugin.errors:
            context.error(f"plugin {plugin.name!r}: {error}")
    return 0
