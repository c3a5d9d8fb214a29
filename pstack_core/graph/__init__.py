"""The application model: graph types, instances, and how they are read and written.

Names are imported when first used, so that a program pays only for its part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pstack_core.graph.builder import GraphBuilder as GraphBuilder
    from pstack_core.graph.diagnostics import ApplicationError as ApplicationError
    from pstack_core.graph.diagnostics import Diagnostic as Diagnostic
    from pstack_core.graph.loading import check as check
    from pstack_core.graph.loading import load as load
    from pstack_core.graph.loading import load_types as load_types
    from pstack_core.graph.model import Graph as Graph
    from pstack_core.graph.model import GraphType as GraphType
    from pstack_core.graph.write import save as save

_HOMES = {
    "ApplicationError": "diagnostics",
    "Diagnostic": "diagnostics",
    "Graph": "model",
    "GraphBuilder": "builder",
    "GraphType": "model",
    "check": "loading",
    "load": "loading",
    "load_types": "loading",
    "save": "write",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
