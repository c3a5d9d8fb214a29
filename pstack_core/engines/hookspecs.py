"""Hooks that a plugin may implement.  An engine plugin needs only the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pstack_core.engines.engine import Engine

hookspec = pluggy.HookspecMarker("pstack")
hookimpl = pluggy.HookimplMarker("pstack")


@hookspec
def pstack_register_engines(register: Callable[[Engine], None]) -> None:
    """Call ``register(engine)`` for every engine that this plugin brings."""


@hookspec
def pstack_register_commands(register: Callable[[str, Any], None]) -> None:
    """Call ``register(name, command)`` for every command that this plugin brings.

    A command is an object with ``SUMMARY`` and ``EXAMPLES`` (text),
    ``add_arguments(parser)`` and ``run(context, arguments) -> exit status``.  The
    entry point is in the group ``pstack.commands``.
    """


@hookspec
def pstack_process_changed(process: object) -> None:
    """A process is in a new state: ``process`` is a ``pstack_core.runtime.service.ProcessInfo``.

    Called where processes are scheduled (the daemon, or the interactive shell without
    one), one change after another, in a thread of its own.  What it raises is logged
    and harms nothing.
    """
