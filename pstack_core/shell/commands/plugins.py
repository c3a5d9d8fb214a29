"""``pstack plugins``: what is installed beside pstack, and what of it works."""

from __future__ import annotations

import argparse

from pstack_core.shell.arguments import add_json
from pstack_core.shell.context import Context

SUMMARY = "List the plugins: what they bring, and why one could not be loaded."
EXAMPLES = """\
PSTACK_LOAD_PLUGINS=a,b loads these plugins only, PSTACK_BLOCK_PLUGINS=a,b all but
these, and PSTACK_TRACE_PLUGINS=1 prints every call of a plugin.

example:
  pstack plugins
  PSTACK_BLOCK_PLUGINS=local pstack plugins --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack plugins``."""
    add_json(parser, "the plugins")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Print every plugin."""
    from pstack_core.runtime import installed

    plugins = installed.plugins()
    if arguments.json or context.json:
        context.write_json(
            {
                "plugins": [
                    {
                        "name": plugin.name,
                        "module": plugin.module,
                        "distribution": plugin.distribution,
                        "version": plugin.version,
                        "status": plugin.status,
                        "hooks": plugin.hooks,
                        "engines": plugin.engines,
                        "errors": plugin.errors,
                        "warnings": plugin.warnings,
                    }
                    for plugin in plugins
                ]
            }
        )
        return 0
    rows = [
        (
            plugin.name,
            f"{plugin.distribution} {plugin.version}".strip(),
            plugin.status,
            ", ".join(plugin.engines),
            "\n".join(plugin.errors + plugin.warnings),
        )
        for plugin in plugins
    ]
    context.table(("plugin", "distribution", "status", "engines", "problems"), rows)
    return 0
