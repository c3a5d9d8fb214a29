"""Spiking neurons, stepped by the machine's idle moments.

Leaky integrate-and-fire neurons in integers, three of four exciting and one of
four inhibiting.  A neuron sends only when it fires; OnHardwareIdle, which runs
when every spike has arrived, is the time step.  Because all spikes of a step
are in before the next begins, the result does not depend on their order.
``python docs/examples/spikes.py --size 1000 -o spikes.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 24
STEPS = 100
FANOUT = 20
#: Low enough that somebody fires every few steps: ten silent rounds would end the run as idle.
THRESHOLD = 500
MULTIPLIER, INCREMENT = 1664525, 1013904223


def brain(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Random seeds uint32[n], and synapses: from int64[e], to int64[e], weight int32[e]."""
    rng = np.random.default_rng(4)
    fanout = min(FANOUT, size)
    source = np.repeat(np.arange(size), fanout)
    # Every neuron reaches out from a place of its own, in steps that never meet twice.
    target = (rng.integers(0, size, size)[:, None] + np.arange(fanout)).ravel() % size
    strength = rng.integers(20, 60, len(source))
    weight = np.where(source % 4 < 3, strength, -2 * strength).astype(np.int32)
    return rng.integers(0, 2**32, size, np.uint32), source, target, weight


def build(size: int = SIZE, steps: int = STEPS) -> Graph:
    """``size`` neurons with twenty synapses each."""
    builder = GraphBuilder("spikes", id=f"spikes_{size}", properties=f"uint32_t steps = {steps};")
    builder.message("spike", "")
    builder.message("report", "uint32_t sent; uint32_t received;")
    neuron = builder.device_type(
        "neuron",
        properties="uint32_t seed; uint32_t fanout;",
        state="""
            int32_t potential; int32_t current; uint32_t random;
            uint32_t step; uint32_t spikes; uint32_t received; uint8_t fired; uint8_t report;
        """,
        on_init="deviceState->random = deviceProperties->seed;",
        ready_to_send="""
            if (deviceState->fired) { *readyToSend |= RTS_FLAG_fire; }
            if (deviceState->report) { *readyToSend |= RTS_FLAG_done; }
        """,
        # One step: leak, add what came in and some noise, fire above the threshold.
        on_hardware_idle=f"""
            if (deviceState->step == graphProperties->steps) {{
                deviceState->step++;
                deviceState->report = 1;
            }} else if (deviceState->step < graphProperties->steps) {{
                deviceState->step++;
                deviceState->random = deviceState->random * {MULTIPLIER}u + {INCREMENT}u;
                deviceState->potential -= deviceState->potential / 8;
                deviceState->potential += deviceState->current
                    + int32_t(deviceState->random >> 24);
                deviceState->current = 0;
                if (deviceState->potential > {THRESHOLD}) {{
                    deviceState->potential = 0;
                    deviceState->fired = 1;
                    deviceState->spikes++;
                }}
            }}
        """,
    )
    # A spike adds the synapse's weight to the current.
    neuron.input(
        "in",
        "spike",
        properties="int32_t weight;",
        on_receive="""
            deviceState->current += edgeProperties->weight;
            deviceState->received++;
        """,
    )
    # A spike has no content: that it comes is all.
    neuron.output("fire", "spike", on_send="deviceState->fired = 0;")
    # How many spikes went out over all synapses, and how many came in.
    neuron.output(
        "done",
        "report",
        on_send="""
            message->sent = deviceState->spikes * deviceProperties->fanout;
            message->received = deviceState->received;
            deviceState->report = 0;
        """,
    )
    monitor = builder.device_type(
        "monitor",
        properties="uint32_t neurons;",
        state="uint64_t sent; uint64_t received; uint32_t reports;",
        ready_to_send="",
    )
    # No spike may be lost or doubled, and a silent brain is not a living one.
    monitor.input(
        "report",
        "report",
        on_receive="""
            deviceState->sent += message->sent;
            deviceState->received += message->received;
            if (++deviceState->reports == deviceProperties->neurons) {
                handler_log(1, "%llu spikes arrived",
                            (unsigned long long)deviceState->received);
                handler_exit(deviceState->sent == deviceState->received
                             && deviceState->sent > 0 ? 0 : 1);
            }
        """,
    )
    seeds, source, target, weight = brain(size)
    builder.devices(
        [f"n{i}" for i in range(size)],
        "neuron",
        properties={"seed": seeds, "fanout": np.bincount(source, minlength=size)},
    )
    builder.device("monitor", "monitor", properties={"neurons": size})
    builder.edges(target, "in", source, "fire", properties={"weight": weight})
    builder.edges(np.full(size, size), "report", np.arange(size), "done")
    return builder.build()


def reference(size: int, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """Potentials int32[size] and numbers of spikes int64[size] after ``steps`` steps."""
    random, source, target, weight = brain(size)
    potential, current = np.zeros(size, np.int32), np.zeros(size, np.int32)
    spikes = np.zeros(size, np.int64)
    for _ in range(steps):
        random = random * np.uint32(MULTIPLIER) + np.uint32(INCREMENT)
        potential -= np.trunc(potential / 8).astype(np.int32)
        potential += current + (random >> 24).astype(np.int32)
        fired = potential > THRESHOLD
        potential[fired] = 0
        spikes += fired
        current = np.bincount(target, weight * fired[source], size).astype(np.int32)
    return potential, spikes


def check_spikes(result) -> None:
    """Potentials and spikes are those of an ordinary loop, whatever the schedule."""
    states = result.states
    size = len(states) - 1
    assert result.exit_code == 0
    potential, spikes = reference(size)
    neurons = [states[f"n{i}"] for i in range(size)]
    np.testing.assert_array_equal([n["potential"] for n in neurons], potential)
    np.testing.assert_array_equal([n["spikes"] for n in neurons], spikes)


if __name__ == "__main__":
    _command.main(build, SIZE, "neurons")
