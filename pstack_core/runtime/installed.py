"""What is installed: engines and plugins, for those who only show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pstack_core.engines.registry import describe, registry

if TYPE_CHECKING:
    from pstack_core.engines.engine import EngineInfo
    from pstack_core.engines.registry import Plugin


def engines() -> list[EngineInfo]:
    """Every engine's description of itself, by name."""
    return [describe(engine) for engine in registry().engines().values()]


def plugins() -> list[Plugin]:
    """Every plugin, by name, whether it could be loaded or not."""
    return registry().plugins()
