"""The image: every edge reaches its destination with its own payload, in any order of devices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstack_core.graph.builder import GraphBuilder
from pstack_core.graph.model import Graph
from pstack_native import locality
from pstack_native.image import Image
from pstack_native.locality import rows_by_locality
from tests.native.apps import run


def mixed(counts: tuple[int, int], edges: list[tuple[int, int, int, int]]) -> Graph:
    """Two device types; edges (kind, src, dst, weight) over three kinds of pins.

    Every device sends its id once on each pin; every receiver adds up id * weight, so that a
    wrong target, payload or order shows in the sums.
    """
    builder = GraphBuilder("mixed", id="mixed")
    builder.message("m", "uint32_t id;")
    state = "uint32_t sent; uint64_t sum[2]; uint32_t order;"
    for name in ("a", "b"):
        device = builder.device_type(
            name,
            properties="uint32_t id;",
            state=state,
            ready_to_send="*readyToSend = ~deviceState->sent & 3;",
        )
        for pin, payload in (("wide", "uint8_t pad; uint32_t w;"), ("narrow", "uint16_t w;")):
            index = 0 if pin == "wide" else 1
            device.input(
                pin,
                "m",
                properties=payload,
                state="uint32_t got;" if pin == "wide" else "",
                on_receive=f"deviceState->sum[{index}] += message->id * edgeProperties->w;"
                + ("edgeState->got++; assert(edgeState->got == 1);" if pin == "wide" else ""),
            )
        send = "deviceState->sent |= {bit}; message->id = deviceProperties->id;"
        device.output("all", "m", on_send=send.format(bit=1))
        device.output("one", "m", indexed=True, on_send=send.format(bit=2) + "*sendIndex = 0;")
    a, b = counts
    builder.devices([f"a{i}" for i in range(a)], "a", properties={"id": list(range(1, a + 1))})
    builder.devices(
        [f"b{i}" for i in range(b)], "b", properties={"id": list(range(a + 1, a + b + 1))}
    )
    names = [f"a{i}" for i in range(a)] + [f"b{i}" for i in range(b)]
    for kind, src, dst, weight in edges:
        builder.edge(
            names[dst],
            "narrow" if kind == 1 else "wide",
            names[src],
            "one" if kind == 2 else "all",
            properties={"w": weight},
        )
    return builder.build()


def expected(count: int, edges: list[tuple[int, int, int, int]]) -> list[list[int]]:
    sums = [[0, 0] for _ in range(count)]
    for kind, src, dst, weight in edges:
        sums[dst][1 if kind == 1 else 0] += (src + 1) * weight
    return sums


@st.composite
def graphs(draw: st.DrawFn) -> tuple[tuple[int, int], list[tuple[int, int, int, int]]]:
    counts = draw(st.tuples(st.integers(1, 70), st.integers(1, 5)))
    n = sum(counts)
    device = st.integers(0, n - 1)
    edges = draw(
        st.lists(
            st.tuples(st.integers(0, 1), device, device, st.integers(0, 60_000)),
            max_size=120,
            unique_by=lambda e: (e[0], e[1], e[2]),
        )
    )
    # Every device sends to index 0 of its indexed pin, so each has exactly one such edge.
    ones = [(2, src, draw(device), draw(st.integers(0, 9))) for src in range(n)]
    # The wide pin takes one message an edge; kinds 0 and 2 differ in their source pin.
    return counts, edges + ones


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.booleans())
def test_every_edge_arrives(
    spec: tuple[tuple[int, int], list[tuple[int, int, int, int]]], renumber: bool
) -> None:
    counts, edges = spec
    graph = mixed(counts, edges)
    with pytest.MonkeyPatch.context() as patch:
        if renumber:
            patch.setattr(locality, "SMALLEST", 0)
            patch.setattr(locality, "_is_local", lambda graph: False)
        result = run(graph)
    assert result.end.detail == ""
    names = list(graph.devices.names)
    assert [result.state(name)["sum"] for name in names] == expected(len(names), edges)
    assert result.end.counters.delivered == len(edges)


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_locality_is_a_renumbering_within_types(
    spec: tuple[tuple[int, int], list[tuple[int, int, int, int]]],
) -> None:
    graph = mixed(*spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locality, "SMALLEST", 0)
        patch.setattr(locality, "_is_local", lambda graph: False)
        rows = rows_by_locality(graph)
    for t, count in enumerate(spec[0]):
        assert sorted(rows[graph.devices.type == t].tolist()) == list(range(count))


def test_slots_name_devices() -> None:
    graph = mixed((70, 3), [(2, i, 0, 1) for i in range(73)])
    image = Image(graph)
    try:
        slots = [image.first_slot[int(t)] + int(r)
                 for t, r in zip(graph.devices.type, image.row, strict=True)]  # fmt: skip
        assert [image.device_at(slot) for slot in slots] == list(range(73))
        assert image.device_at(71) == -1
        assert image.device_at(10**9) == -1
    finally:
        image.close()


def test_locality_brings_neighbours_together() -> None:
    """A shuffled chain: after renumbering, neighbours are next to each other."""
    n = 20_000
    order = np.random.default_rng(1).permutation(n)
    builder = GraphBuilder("chain", id="chain")
    builder.message("m", "")
    device = builder.device_type("d")
    device.input("in", "m")
    device.output("out", "m")
    builder.devices([f"n{i}" for i in range(n)], "d")
    builder.edges(order[1:], "in", order[:-1], "out")
    graph = builder.build()
    rows = rows_by_locality(graph).astype(np.int64)
    assert np.abs(rows[order[1:]] - rows[order[:-1]]).max() <= 2
