"""A clock tree without acknowledgements: the machine says when a tick has arrived.

The root's tick goes down a tree, every branch copying it to its children.  When
nothing is on its way any more, OnHardwareIdle runs on every device; the root
takes that as the word to tick again.  After the last tick all leaves must have
counted all ticks.  ``python docs/examples/clock.py --size 6 -o clock.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 2
FANOUT = 4
TICKS = 20


def build(size: int = SIZE, ticks: int = TICKS) -> Graph:
    """A tree of ``size`` levels below the root; every device above the last has four children."""
    builder = GraphBuilder("clock", id=f"clock_{size}", properties=f"uint32_t ticks = {ticks};")
    builder.message("tick", "")
    root = builder.device_type(
        "root",
        state="uint32_t ticks; uint8_t pending; uint8_t finished;",
        # The first tick.
        on_init="deviceState->pending = 1;",
        ready_to_send="if (deviceState->pending) { *readyToSend = RTS_FLAG_out; }",
        # All leaves have heard the last tick: the next one, or the end, once they have checked.
        on_hardware_idle="""
            if (deviceState->ticks < graphProperties->ticks) {
                deviceState->pending = 1;
            } else if (deviceState->finished) {
                handler_log(1, "every leaf heard %u ticks", deviceState->ticks);
                handler_exit(0);
            } else {
                deviceState->finished = 1;
            }
        """,
    )
    root.output("out", "tick", on_send="deviceState->ticks++; deviceState->pending = 0;")
    branch = builder.device_type(
        "branch",
        state="uint32_t ticks; uint8_t pending;",
        ready_to_send="if (deviceState->pending) { *readyToSend = RTS_FLAG_out; }",
    )
    # A tick must not come before the last one has gone on.
    branch.input(
        "in",
        "tick",
        on_receive="""
            assert(!deviceState->pending);
            deviceState->ticks++;
            deviceState->pending = 1;
        """,
    )
    branch.output("out", "tick", on_send="deviceState->pending = 0;")
    leaf = builder.device_type(
        "leaf",
        state="uint32_t ticks; uint32_t idles;",
        ready_to_send="",
        # One tick between any two idle moments, and no more when the root has stopped.
        on_hardware_idle="""
            deviceState->idles++;
            const uint32_t expected = deviceState->idles < graphProperties->ticks
                ? deviceState->idles : graphProperties->ticks;
            if (deviceState->ticks != expected) { handler_exit(1); }
        """,
    )
    leaf.input("in", "tick", on_receive="deviceState->ticks++;")

    level = np.repeat(np.arange(size + 1), FANOUT ** np.arange(size + 1))
    branches = int((level < size).sum()) - 1
    leaves = int((level == size).sum())
    builder.device("root", "root")
    builder.devices([f"branch{i}" for i in range(branches)], "branch")
    builder.devices([f"leaf{i}" for i in range(leaves)], "leaf")
    child = np.arange(1, len(level))
    builder.edges(child, "in", (child - 1) // FANOUT, "out")
    return builder.build()


def check_ticks(result) -> None:
    """Every leaf heard every tick."""
    assert result.exit_code == 0
    for name, state in result.states.items():
        assert name == "root" or state["ticks"] == TICKS


if __name__ == "__main__":
    _command.main(build, SIZE, "levels below the root")
