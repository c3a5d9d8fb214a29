"""Ring oscillator: a token goes round a ring and flips every device that it passes.

The smallest useful application: one device type, one message, and an end by
``handler_exit``.  ``python docs/examples/ring.py --size 4 -o ring.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 4
LAPS = 10


def build(size: int = SIZE) -> Graph:
    """A ring of ``size`` devices; the token goes round ten times."""
    builder = GraphBuilder("ring", id=f"ring_{size}", properties=f"uint32_t laps = {LAPS};")
    builder.message("token", "uint32_t hops;")
    node = builder.device_type(
        "node",
        properties="uint32_t first; uint32_t size;",
        state="uint32_t level; uint32_t flips; uint32_t hops; uint8_t holding;",
        # The first device starts with the token in hand.
        on_init="deviceState->holding = deviceProperties->first;",
        # Whoever holds the token wants to pass it on.
        ready_to_send="if (deviceState->holding) { *readyToSend = RTS_FLAG_out; }",
    )
    # The token flips the device; back at the start after the last lap, the run ends.
    node.input(
        "in",
        "token",
        on_receive="""
            deviceState->level ^= 1;
            deviceState->flips++;
            deviceState->hops = message->hops;
            deviceState->holding = 1;
            if (deviceProperties->first && deviceState->flips == graphProperties->laps) {
                const uint32_t expected = graphProperties->laps * deviceProperties->size;
                handler_log(1, "the token is back after %u hops", message->hops);
                deviceState->holding = 0;
                handler_exit(message->hops == expected ? 0 : 1);
            }
        """,
    )
    # Every hop adds one to what the token counts.
    node.output(
        "out",
        "token",
        on_send="""
            message->hops = deviceState->hops + 1;
            deviceState->holding = 0;
        """,
    )
    device = np.arange(size)
    first = (device == 0).astype(np.uint32)
    names = [f"n{i}" for i in range(size)]
    builder.devices(names, "node", properties={"first": first, "size": np.full(size, size)})
    builder.edges((device + 1) % size, "in", device, "out")
    return builder.build()


def check_every_device_flipped(result) -> None:
    """Every device was flipped once a lap, and the token made every hop."""
    states = result.states
    assert result.exit_code == 0
    assert result.metrics["Delivered messages"] == LAPS * len(states)
    for state in states.values():
        assert (state["flips"], state["level"]) == (LAPS, LAPS % 2)


if __name__ == "__main__":
    _command.main(build, SIZE, "devices in the ring")
