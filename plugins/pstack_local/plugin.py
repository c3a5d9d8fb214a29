"""Entry point: registers the engine.  Light, because it is imported whenever engines are listed."""

from __future__ import annotations

from collections.abc import Callable

from pstack_core.engines.engine import Engine
from pstack_core.engines.hookspecs import hookimpl
from pstack_local.engine import LocalEngine


@hookimpl
def pstack_register_engines(register: Callable[[Engine], None]) -> None:
    """Register the engine ``local``."""
    register(LocalEngine())
