"""What is measured: the examples, at sizes that fill and outgrow the caches."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pstack_core.graph import Graph

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    """A module of docs/examples, which are scripts and not a package."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    return importlib.import_module(name)


@dataclass(frozen=True)
class Workload:
    """``build`` makes the graph; ``heat_steps`` is set where the limit can run the same."""

    name: str
    build: Callable[[], Graph]
    heat_steps: int = 0


def heat(size: int, steps: int) -> Workload:
    return Workload(f"heat {size}x{size}", lambda: example("heat").build(size, steps), steps)


WORKLOADS = (
    heat(64, 3000),
    heat(256, 200),
    heat(512, 60),
    Workload("ring 1000", lambda: long_ring(1000)),
    Workload("ising 256x256", lambda: example("ising").build(256)),
    Workload("paths 20000", lambda: example("paths").build(20_000)),
    Workload("spikes 20000", lambda: example("spikes").build(20_000)),
    Workload("clock tree, 7 levels", lambda: example("clock").build(7, 200)),
    Workload("deal 20000, indexed", lambda: example("deal").build(20_000)),
    Workload("tally 50000, edge state", lambda: example("tally").build(50_000)),
)


def long_ring(size: int) -> Graph:
    """The ring example with enough laps to be measured."""
    graph = example("ring").build(size)
    graph.properties["laps"] = 10_000
    return graph
