"""Hooks that a plugin may implement.  An engine plugin needs only the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pstack_core.engines.engine import Engine

hookspec = pluggy.HookspecMarker("pstack")
hookimpl = pluggy.HookimplMarker("pstack")


@hookspec
def pstack_register_engines(register: Callable[[Engine], None]) -> None:
    """Call ``register(engine)`` for every engine that this plugin brings."""
