"""Run one public application and compare what it does with what is expected."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import pstack_core as pstack
from pstack_core.engines.engine import EngineError
from pstack_core.graph import ApplicationError, Graph, GraphType, load, load_types
from pstack_core.graph.model import Devices, Edges
from pstack_core.graph.names import Names
from tests.interop.expectations import Row

SECONDS = 120
#: Enough for every application that ends.
EVENTS = 200_000_000
#: Enough to see that an application does not end soon.
EVENTS_OF_ENDLESS = 300_000


@dataclass
class Outcome:
    """What a row did: ``text`` for the table; ``faults`` is empty where it is as expected."""

    text: str
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def judge(row: Row, path: Path) -> Outcome:
    """Run the application in ``path`` as its row says."""
    start = time.perf_counter()
    try:
        outcome = _run_types(row, path) if row.types_only else _run(row, path)
    except (ApplicationError, EngineError) as error:
        outcome = _refused(row, str(error))
    outcome.seconds = time.perf_counter() - start
    return outcome


def _refused(row: Row, sentence: str) -> Outcome:
    outcome = Outcome(f"refused: {sentence}")
    may_refuse = {
        "reject",
        "reject-compile",
        "legacy",
        "template",
        "external",
        "tinsel",
        "type-tinsel",
        "orchestrator",
        "schema",
    }
    if row.end not in may_refuse:
        outcome.faults.append(outcome.text)
    if row.end == "external" and "external" not in sentence:
        outcome.faults.append(f"does not say that externals are not served: {sentence}")
    if row.end in ("tinsel", "type-tinsel") and "tinsel.h" not in sentence:
        outcome.faults.append(f"does not name tinsel.h: {sentence}")
    if row.end == "legacy" and row.format not in sentence and "version" not in sentence:
        outcome.faults.append(f"does not name the version: {sentence}")
    if not sentence.strip() or "Traceback" in sentence:
        outcome.faults.append("the refusal is not a sentence")
    return outcome


def _run_types(row: Row, path: Path) -> Outcome:
    outcome = Outcome("type compiles")
    types = load_types(path)
    for graph_type in types:
        result = pstack.run(empty_instance(graph_type), timeout=SECONDS, level=0)
        if result.reason != ("crash" if row.end == "type-crash" else "idle"):
            outcome.faults.append(f"an empty instance of {graph_type.id} ends: {result.reason}")
    if not types:
        outcome.faults.append("no graph type was found")
    if row.end not in ("type", "type-crash"):
        outcome.faults.append(f"expected {row.end}, but it compiles")
    return outcome


def empty_instance(graph_type: GraphType) -> Graph:
    """An instance without devices, with every property at its default."""
    nothing = np.zeros(0, np.uint32)
    none = nothing.astype(np.uint16)
    kinds = graph_type.device_types
    return Graph(
        id="empty",
        type=graph_type,
        properties=np.frombuffer(graph_type.properties.default, graph_type.properties.dtype)
        .copy()
        .reshape(())
        if graph_type.properties.members
        else np.zeros((), graph_type.properties.dtype),
        devices=Devices(
            names=Names.of([]),
            type=none,
            row=nothing,
            properties=[np.zeros(0, kind.properties.dtype) for kind in kinds],
            state=[np.zeros(0, kind.state.dtype) for kind in kinds],
        ),
        edges=Edges(nothing, none, nothing, none, nothing.astype(np.int32), nothing),
    )


def _run(row: Row, path: Path) -> Outcome:
    endless = row.end == "never" or row.end == "orchestrator"
    graph = load(path)
    result = pstack.run(
        graph,
        level=0,
        timeout=SECONDS,
        max_events=EVENTS_OF_ENDLESS if endless else EVENTS,
    )
    metrics = result.metrics
    sent, delivered = metrics["Sent messages"], metrics["Delivered messages"]
    text = f"{result.reason} {result.exit_code}, {sent} sent, {delivered} delivered"
    outcome = Outcome(text)
    expected = {
        "exit": [("exit", 0)],
        "idle": [("idle", 0)],
        "never": [("limit", None)],
        "schema": [("idle", 0)],
        "template": [("idle", 0)],
        "orchestrator": [("idle", 0), ("limit", None), ("exit", 0)],
    }.get(row.end, [])
    if not any(
        result.reason == reason and code in (None, result.exit_code) for reason, code in expected
    ):
        outcome.faults.append(f"expected {row.end}, got {text}")
    _compare("devices", row.devices, metrics["Devices"], 0, outcome)
    _compare("edges", row.edges, metrics["Edges"], 0, outcome)
    cancelled = result.finished.counters.cancelled
    _compare("sent", row.sent, sent + cancelled, row.tolerance, outcome)
    _compare("delivered", row.delivered, delivered, row.tolerance, outcome)
    for device, state in result.states.items():
        for name, value in row.states.items():
            if state.get(name, value) != value:
                outcome.faults.append(f"{device}.{name} is {state[name]}, expected {value}")
    return outcome


def _compare(what: str, expected: int | None, found: int, tolerance: int, outcome: Outcome) -> None:
    if expected is not None and abs(found - expected) > tolerance:
        near = f" within {tolerance}" if tolerance else ""
        outcome.faults.append(f"{found} {what}, expected {expected}{near}")
