"""Renumber devices so that neighbours lie close together.

A delivery touches one cache line of the destination.  Where the file's order
already keeps neighbours together it is kept; otherwise devices are ranked by
breadth-first search over the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pstack_native._kernel import ffi, lib

if TYPE_CHECKING:
    from pstack_core.graph.model import Graph

#: Below this many devices everything fits the cache.
SMALLEST = 16_384
#: Edges looked at to judge the order of the file.
SAMPLE = 4_096


def rows_by_locality(graph: Graph) -> np.ndarray:
    """Row of every device among those of its type: uint32[d]."""
    devices, edges = graph.devices, graph.edges
    row = np.ascontiguousarray(devices.row, np.uint32)
    count = len(devices)
    if count < SMALLEST or len(edges) == 0 or _is_local(graph):
        return row
    rank = np.empty(count, np.uint32)
    a = np.ascontiguousarray(edges.src, np.uint32)
    b = np.ascontiguousarray(edges.dst, np.uint32)
    status = lib.pstack_locality_order(
        count,
        len(edges),
        ffi.cast("uint32_t *", a.ctypes.data),
        ffi.cast("uint32_t *", b.ctypes.data),
        ffi.cast("uint32_t *", rank.ctypes.data),
    )
    if status:
        return row
    renumbered = np.empty_like(row)
    order = np.empty(count, np.uint32)
    order[rank] = np.arange(count, dtype=np.uint32)
    types = devices.type[order]
    for t in range(len(devices.properties)):
        members = order[types == t]
        renumbered[members] = np.arange(len(members), dtype=np.uint32)
    return renumbered


def _is_local(graph: Graph) -> bool:
    """Whether most edges join devices that lie near each other in the file."""
    edges = graph.edges
    sample = slice(None, None, max(1, len(edges) // SAMPLE))
    distance = np.abs(edges.src[sample].astype(np.int64) - edges.dst[sample].astype(np.int64))
    # A square grid in row order has distances up to the square root of its size.
    near = max(1024, 4 * int(len(graph.devices) ** 0.5))
    return float(np.mean(distance <= near)) > 0.5
