"""Checks of edge columns as a whole."""

from __future__ import annotations

import numpy as np

from pstack_core.graph.model import Devices, Edges, GraphType
from pstack_core.graph.names import Names


def repeated_edge(edges: Edges) -> int | None:
    """Index of an edge whose path another edge has already; None where all differ."""
    to = edges.dst.astype(np.uint64) << np.uint64(16) | edges.dst_pin
    via = edges.src.astype(np.uint64) << np.uint64(16) | edges.src_pin
    order = np.lexsort((via, to))
    to, via = to[order], via[order]
    again = np.flatnonzero((to[1:] == to[:-1]) & (via[1:] == via[:-1]))
    # The sort is stable, so of each pair the second is the later in the file.
    return int(order[again + 1].min()) if len(again) else None


def path(graph_type: GraphType, devices: Devices, edges: Edges, index: int) -> str:
    """The path of an edge, ``dst:pin-src:pin``."""
    types, names = graph_type.device_types, devices.names
    dst, src = int(edges.dst[index]), int(edges.src[index])
    into = types[devices.type[dst]].input_pins[edges.dst_pin[index]].name
    out = types[devices.type[src]].output_pins[edges.src_pin[index]].name
    return f"{names[dst]}:{into}-{names[src]}:{out}"


def repeated_name(names: Names) -> str | None:
    """A device id that occurs twice; None where all differ."""
    if len(names.index_of) == len(names):
        return None
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
