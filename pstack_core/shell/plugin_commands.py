"""Commands that plugins bring, found through the entry-point group ``pstack.commands``.

They are loaded for help, for the shell and for a command that pstack does not
have itself; nothing else pays for them.  A plugin that fails is recorded and
harms nothing.  ``PSTACK_LOAD_PLUGINS`` and ``PSTACK_BLOCK_PLUGINS`` steer what is
loaded, as for engines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from pstack_core.shell.commands import NAMES, Command

GROUP = "pstack.commands"


@dataclass
class PluginCommands:
    """What was found.  ``errors`` has a sentence for each plugin or command that is left out."""

    commands: dict[str, Command] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@cache
def load() -> PluginCommands:
    """The commands of all plugins of this Python process, loaded once."""
    return find(os.environ)


def find(environment: Mapping[str, str]) -> PluginCommands:
    """Load the plugins that an environment asks for."""
    from pstack_core.engines.entry_points import scan_all, scan_directories

    found = PluginCommands()
    if not scan_directories(GROUP):
        # The whole truth costs 50 ms; folders are where plugins nearly always are.
        return found
    only, never = environment.get("PSTACK_LOAD_PLUGINS"), environment.get("PSTACK_BLOCK_PLUGINS")
    for point in sorted(scan_all(GROUP), key=lambda point: point.name):
        wanted = only is None or point.is_called(_names(only))
        if not wanted or (never is not None and point.is_called(_names(never))):
            continue
        # A plugin may do anything when it is imported, sys.exit() included.
        try:
            _register(point.load(), _registrar(found, point.name))
        except (Exception, SystemExit) as error:
            reason = " ".join(str(error).split())
            found.errors.append(
                f"plugin {point.name!r} of distribution {point.distribution!r} cannot be loaded: "
                f"{type(error).__name__}: {reason}"
            )
    return found


def _register(loaded: object, register: Callable[[str, Command], None]) -> None:
    """Call the plugin's hook, and check that it has one."""
    import pluggy

    from pstack_core.engines import hookspecs

    manager = pluggy.PluginManager("pstack")
    manager.add_hookspecs(hookspecs)
    manager.register(loaded)
    manager.check_pending()
    hook = manager.hook.pstack_register_commands
    if not hook.get_hookimpls():
        raise TypeError(
            "none of its functions is marked as a hook; "
            "put @pstack_core.engines.hookspecs.hookimpl before pstack_register_commands"
        )
    hook(register=register)


def _registrar(found: PluginCommands, plugin: str) -> Callable[[str, Command], None]:
    def register(name: str, command: Command) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            problem = "its name must be lower-case letters, digits, - and _"
        elif name in NAMES or name in found.commands:
            problem = "there is a command of that name"
        elif missing := [part for part in Command.__annotations__ if not hasattr(command, part)]:
            problem = f"it has no {missing[0]}"
        elif missing := [
            part for part in ("add_arguments", "run") if not callable(getattr(command, part, None))
        ]:
            problem = f"it has no function {missing[0]}"
        else:
            found.commands[name] = command
            return
        found.errors.append(f"plugin {plugin!r}: command {name!r} is left out: {problem}")

    return register


def _names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]
