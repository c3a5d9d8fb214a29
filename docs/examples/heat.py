"""Heat on an insulated plate: a grid of cells that step without a global clock.

Each cell takes its next step when it has heard the current one from all of its
neighbours (globally asynchronous, locally synchronous: a neighbour may be one
step ahead, never two).  How well heat passes between two cells is a property of
the edge.  No heat is lost, which is what the monitor checks at the end.
``python docs/examples/heat.py --size 64 -o heat.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 6
STEPS = 100


def plate(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Initial temperatures float32[n] and the bonds between neighbours.

    A bond is a pair of cells (two int64[b]) and how well it conducts (float32[b]).
    """
    rng = np.random.default_rng(1)
    initial = rng.uniform(0, 100, size * size).astype(np.float32)
    cell = np.arange(size * size).reshape(size, size)
    one = np.concatenate([cell[:, :-1].ravel(), cell[:-1, :].ravel()])
    other = np.concatenate([cell[:, 1:].ravel(), cell[1:, :].ravel()])
    conductance = rng.uniform(0.05, 0.2, len(one)).astype(np.float32)
    return initial, one, other, conductance


def build(size: int = SIZE, steps: int = STEPS) -> Graph:
    """A plate of ``size`` by ``size`` cells."""
    builder = GraphBuilder("heat", id=f"heat_{size}", properties=f"uint32_t steps = {steps};")
    builder.message("update", "uint32_t step; float value;")
    builder.message("report", "float value;")
    cell = builder.device_type(
        "cell",
        properties="float initial; float self_weight; uint32_t degree;",
        state="""
            float value; float sum; float next_sum;
            uint32_t step; uint32_t seen; uint32_t next_seen; uint8_t reported;
        """,
        # As if all had been heard already: the first update is the initial temperature.
        on_init="""
            deviceState->sum = deviceProperties->initial;
            deviceState->seen = deviceProperties->degree;
        """,
        # Step when all neighbours have been heard; report after the last step.
        ready_to_send="""
            if (deviceState->step <= graphProperties->steps) {
                if (deviceState->seen == deviceProperties->degree) { *readyToSend = RTS_FLAG_out; }
            } else if (!deviceState->reported) {
                *readyToSend = RTS_FLAG_done;
            }
        """,
    )
    # Collect what belongs to this step, and keep apart what is one step ahead.
    cell.input(
        "in",
        "update",
        properties="float weight;",
        on_receive="""
            const float heat = edgeProperties->weight * message->value;
            if (message->step == deviceState->step) {
                deviceState->sum += heat;
                deviceState->seen++;
            } else {
                deviceState->next_sum += heat;
                deviceState->next_seen++;
            }
        """,
    )
    # Take the step, tell the neighbours, and carry on with what came early.
    cell.output(
        "out",
        "update",
        on_send="""
            deviceState->value = deviceProperties->self_weight * deviceState->value
                + deviceState->sum;
            deviceState->step++;
            deviceState->sum = deviceState->next_sum;
            deviceState->seen = deviceState->next_seen;
            deviceState->next_sum = 0;
            deviceState->next_seen = 0;
            message->step = deviceState->step;
            message->value = deviceState->value;
        """,
    )
    # Tell the monitor where it ended.
    cell.output(
        "done",
        "report",
        on_send="""
            message->value = deviceState->value;
            deviceState->reported = 1;
        """,
    )
    monitor = builder.device_type(
        "monitor",
        properties="uint32_t cells; double heat;",
        state="double heat; uint32_t reports;",
        ready_to_send="",
    )
    # When all have reported, there must be as much heat as at the start.
    monitor.input(
        "report",
        "report",
        on_receive="""
            deviceState->heat += message->value;
            if (++deviceState->reports == deviceProperties->cells) {
                const double lost = deviceProperties->heat - deviceState->heat;
                handler_log(1, "%.0f units of heat, %.0f at the start", deviceState->heat,
                            deviceProperties->heat);
                handler_exit(fabs(lost) <= 1e-3 * deviceProperties->heat ? 0 : 1);
            }
        """,
    )

    initial, one, other, conductance = plate(size)
    cells = size * size
    dst, src = np.concatenate([one, other]), np.concatenate([other, one])
    weight = np.concatenate([conductance, conductance])
    self_weight = 1 - np.bincount(dst, weight, cells)
    builder.devices(
        [f"c{x}_{y}" for y in range(size) for x in range(size)],
        "cell",
        properties={
            "initial": initial,
            "self_weight": self_weight.astype(np.float32),
            "degree": np.bincount(dst, minlength=cells),
        },
    )
    builder.device(
        "monitor",
        "monitor",
        properties={"cells": cells, "heat": float(initial.sum(dtype=np.float64))},
    )
    order = np.lexsort((dst, src))
    builder.edges(dst[order], "in", src[order], "out", properties={"weight": weight[order]})
    builder.edges(np.full(cells, cells), "report", np.arange(cells), "done")
    return builder.build()


def reference(size: int, steps: int = STEPS) -> np.ndarray:
    """The temperatures after ``steps`` steps, float64[size * size]."""
    initial, one, other, conductance = plate(size)
    value = initial.astype(np.float64)
    for _ in range(steps):
        flow = conductance * (value[one] - value[other])
        value += np.bincount(other, flow, size * size) - np.bincount(one, flow, size * size)
    return value


def check_temperatures(result) -> None:
    """Every cell is as warm as an ordinary loop over the plate says."""
    states = result.states
    size = round((len(states) - 1) ** 0.5)
    assert result.exit_code == 0
    values = [states[f"c{x}_{y}"]["value"] for y in range(size) for x in range(size)]
    np.testing.assert_allclose(values, reference(size), rtol=1e-4)


if __name__ == "__main__":
    _command.main(build, SIZE, "cells along each side")
