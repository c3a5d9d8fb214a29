"""pstack: compile, run, debug and schedule POETS applications.

The public interface; everything is imported when first used::

    import pstack_core as pstack
    result = pstack.run("app.xml")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pstack_core.engines.engine import EngineError as EngineError
    from pstack_core.graph import ApplicationError as ApplicationError
    from pstack_core.graph import Diagnostic as Diagnostic
    from pstack_core.graph import Graph as Graph
    from pstack_core.graph import GraphBuilder as GraphBuilder
    from pstack_core.graph import GraphType as GraphType
    from pstack_core.graph import check as check
    from pstack_core.graph import load as load
    from pstack_core.graph import load_types as load_types
    from pstack_core.graph import save as save
    from pstack_core.runtime.result import Result as Result
    from pstack_core.runtime.run import run as run
    from pstack_core.version import __version__ as __version__

_HOMES = {
    "ApplicationError": "pstack_core.graph",
    "Diagnostic": "pstack_core.graph",
    "EngineError": "pstack_core.engines.engine",
    "Graph": "pstack_core.graph",
    "GraphBuilder": "pstack_core.graph",
    "GraphType": "pstack_core.graph",
    "__version__": "pstack_core.version",
    "Result": "pstack_core.runtime.result",
    "check": "pstack_core.graph",
    "load": "pstack_core.graph",
    "load_types": "pstack_core.graph",
    "run": "pstack_core.runtime.run",
    "save": "pstack_core.graph",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
