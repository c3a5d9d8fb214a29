"""Graphs made straight from the model, for tests that need no loader."""

from __future__ import annotations

import numpy as np

from pstack_core.graph.layout import Array, Member, Scalar, Struct, Union
from pstack_core.graph.model import Devices, DeviceType, Edges, Graph, GraphType
from pstack_core.graph.names import Names

#: Every kind of typed data in one struct.
RICH = Struct(
    (
        Member("count", Scalar("uint32_t")),
        Member("big", Scalar("int64_t")),
        Member("huge", Scalar("uint64_t")),
        Member("single", Scalar("float")),
        Member("double_", Scalar("double")),
        Member("small", Scalar("half")),
        Member("flag", Scalar("bool")),
        Member("grid", Array(2, Array(3, Scalar("int16_t")))),
        Member("weights", Array(2, Scalar("float"))),
        Member("t", Struct((Member("x", Scalar("int8_t")), Member("y", Array(2, Scalar("char")))))),
        Member("pairs", Array(2, Struct((Member("a", Scalar("uint8_t")),)))),
        Member("u", Union((Member("n", Scalar("int32_t")), Member("f", Scalar("float"))), "u_tag")),
    )
)


def graph_of(
    types: dict[str, Struct], devices: list[tuple[str, str]], identity: str = "exit_0"
) -> Graph:
    """A graph without edges: device types with their states, and (name, type) of the devices."""
    ids = list(types)
    kinds = np.array([ids.index(kind) for _, kind in devices], np.uint16)
    rows = np.zeros(len(devices), np.uint32)
    for kind in range(len(ids)):
        rows[kinds == kind] = np.arange(np.count_nonzero(kinds == kind))
    state = [
        np.frombuffer(struct.default * int(np.count_nonzero(kinds == kind)), struct.dtype).copy()
        if struct.members
        else np.zeros(int(np.count_nonzero(kinds == kind)), struct.dtype)
        for kind, struct in enumerate(types.values())
    ]
    none = np.zeros(0, np.uint32)
    return Graph(
        identity,
        GraphType("test", device_types=tuple(DeviceType(i, state=s) for i, s in types.items())),
        np.zeros((), Struct().dtype),
        Devices(
            Names.of([name for name, _ in devices]),
            kinds,
            rows,
            [np.zeros(len(s), Struct().dtype) for s in state],
            state,
        ),
        Edges(
            none, none.astype(np.uint16), none, none.astype(np.uint16), none.astype(np.int32), none
        ),
    )


def ring(identity: str = "exit_0", size: int = 4) -> Graph:
    """Devices n0, n1, ... whose state is a counter of 10 and two arrays."""
    state = Struct(
        (Member("counter", Scalar("uint32_t", 10)), Member("a", Array(2, Scalar("int8_t", 3))))
    )
    return graph_of({"node": state}, [(f"n{i}", "node") for i in range(size)], identity)
