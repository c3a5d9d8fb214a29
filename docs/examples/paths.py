"""Shortest paths from one node, by sending better distances on until there are none.

Nobody knows when that is, except the machine: when nothing is left to send,
OnHardwareIdle runs on every device.  The first time, the nodes exchange their
distances; the second time, they check them; the third time, all is well.
``python docs/examples/paths.py --size 1000 -o paths.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 16
DEGREE = 4
FAR = 2**31


def roads(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start int64[e], end int64[e] and length uint32[e]: a ring, and roads at random."""
    rng = np.random.default_rng(3)
    node = np.arange(size)
    start = np.concatenate([node, rng.integers(0, size, size * (DEGREE - 1))])
    end = np.concatenate([(node + 1) % size, rng.integers(0, size, size * (DEGREE - 1))])
    pairs = np.unique(start[start != end] * size + end[start != end])
    length = rng.integers(1, 100, len(pairs)).astype(np.uint32)
    return pairs // size, pairs % size, length


def build(size: int = SIZE) -> Graph:
    """A road map of ``size`` places, with about four roads from each."""
    builder = GraphBuilder("paths", id=f"paths_{size}")
    builder.message("distance", "uint32_t distance; uint8_t checking;")
    place = builder.device_type(
        "place",
        properties="uint32_t source;",
        state="uint32_t distance; uint32_t best; uint8_t tell; uint8_t rounds;",
        # Everything is far away except the source, which starts.
        on_init=f"""
            deviceState->distance = deviceProperties->source ? 0 : {FAR}u;
            deviceState->best = {FAR}u;
            deviceState->tell = deviceProperties->source;
        """,
        ready_to_send="if (deviceState->tell) { *readyToSend = RTS_FLAG_out; }",
        # Exchange distances, then check: the best offer is exactly what this place took.
        on_hardware_idle="""
            deviceState->rounds++;
            if (deviceState->rounds == 1) {
                deviceState->tell = 1;
            } else if (deviceState->rounds == 2) {
                const uint32_t best = deviceProperties->source ? 0 : deviceState->best;
                if (deviceState->distance != best) {
                    handler_log(0, "distance %u, but a neighbour offers %u",
                                deviceState->distance, best);
                    handler_exit(1);
                }
            } else if (deviceProperties->source) {
                handler_log(1, "every place has its shortest distance");
                handler_exit(0);
            }
        """,
    )
    # Take a shorter way and tell the neighbours; when checking, only compare.
    place.input(
        "in",
        "distance",
        properties="uint32_t length;",
        on_receive="""
            const uint32_t distance = message->distance + edgeProperties->length;
            if (message->checking) {
                if (distance < deviceState->best) { deviceState->best = distance; }
            } else if (distance < deviceState->distance) {
                deviceState->distance = distance;
                deviceState->tell = 1;
            }
        """,
    )
    # Tell the distance as it is now, however often it has changed since the last time.
    place.output(
        "out",
        "distance",
        on_send="""
            message->distance = deviceState->distance;
            message->checking = deviceState->rounds;
            deviceState->tell = 0;
        """,
    )
    start, end, length = roads(size)
    source = (np.arange(size) == 0).astype(np.uint32)
    builder.devices([f"p{i}" for i in range(size)], "place", properties={"source": source})
    builder.edges(end, "in", start, "out", properties={"length": length})
    return builder.build()


def reference(size: int) -> np.ndarray:
    """Distances from place 0, int64[size], by relaxing every road until nothing changes."""
    start, end, length = roads(size)
    distance = np.full(size, FAR)
    distance[0] = 0
    while True:
        shorter = distance.copy()
        np.minimum.at(shorter, end, distance[start] + length)
        if (shorter == distance).all():
            return distance
        distance = shorter


def check_distances(result) -> None:
    """Every place has the distance that an ordinary algorithm finds."""
    states = result.states
    assert result.exit_code == 0
    distances = [states[f"p{i}"]["distance"] for i in range(len(states))]
    np.testing.assert_array_equal(distances, reference(len(states)))


if __name__ == "__main__":
    _command.main(build, SIZE, "places on the map")
