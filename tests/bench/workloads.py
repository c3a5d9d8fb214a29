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


#: Public applications, made by their own generators where ``PSTACK_CORPUS`` is set.
PUBLIC = {
    "gals_heat 64x64": ("graph_schema/apps/gals_heat/create_gals_heat_instance.py", "64"),
    "gals_heat 256x256": ("graph_schema/apps/gals_heat/create_gals_heat_instance.py", "256"),
    "ising_spin_fix 256x256": (
        "graph_schema/apps/ising_spin_fix/create_ising_spin_fix_instance.py",
        "256",
        "1",
    ),
    "clock_tree depth 5, fanout 8": (
        "graph_schema/apps/clock_tree/create_clock_tree_instance.py",
        "5",
        "8",
    ),
    "apsp 500": ("graph_schema/apps/apsp/create_apsp_instance.py", "500", "10"),
    "amg 32x32": ("graph_schema/apps/amg/make_poisson_graph_instance.py", "32", "32"),
    "storm 4096": ("graph_schema/apps/storm/create_storm_instance.py", "4096", "8", "4096"),
}
