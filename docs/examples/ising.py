"""Ising spins on a torus that is cooled: atoms of a magnet that align.

The grid is coloured like a chessboard; the two colours take turns, and an atom
decides with its own random numbers whether to flip, so that the result does not
depend on the order of messages.  The coupling of two atoms is an edge property
with a default, so that the file needs no property for any edge.
``python docs/examples/ising.py --size 64 -o ising.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 6
STEPS = 60
#: Chance (of 65536) to accept a flip that costs 4 and 8 units of energy.
CHANCES = (2000, 60)
MULTIPLIER, INCREMENT = 1664525, 1013904223


def atoms(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Initial spins int32[n] of +1 and -1, and random seeds uint32[n]."""
    rng = np.random.default_rng(2)
    spins = rng.choice(np.array([-1, 1], np.int32), size * size)
    return spins, rng.integers(0, 2**32, size * size, np.uint32)


def build(size: int = SIZE) -> Graph:
    """A torus of ``size`` by ``size`` atoms; ``size`` is even and at least 4."""
    if size < 4 or size % 2:
        raise ValueError("the size must be even and at least 4")
    builder = GraphBuilder(
        "ising",
        id=f"ising_{size}",
        properties=f"uint32_t steps = {STEPS}; uint32_t chance4 = {CHANCES[0]}; "
        f"uint32_t chance8 = {CHANCES[1]};",
    )
    builder.message("spin", "uint32_t step; int32_t spin;")
    builder.message("report", "int32_t energy;")
    atom = builder.device_type(
        "atom",
        properties="int32_t initial; uint32_t seed; uint32_t colour;",
        state="""
            int32_t spin; int32_t field; int32_t next_field;
            uint32_t step; uint32_t seen; uint32_t next_seen; uint32_t random;
            uint8_t told; uint8_t reported;
        """,
        on_init="""
            deviceState->spin = deviceProperties->initial;
            deviceState->random = deviceProperties->seed;
        """,
        # Tell the neighbours the spin of this step, once; report it after the last.
        ready_to_send="""
            if (!deviceState->told) {
                *readyToSend = RTS_FLAG_out;
            } else if (deviceState->step == graphProperties->steps && deviceState->seen == 4
                       && !deviceState->reported) {
                *readyToSend = RTS_FLAG_done;
            }
        """,
        # On its colour's turn an atom flips if that pays, or with some luck if it costs.
        shared_code="""
            static void advance(const ising_properties_t *graph, const atom_properties_t *self,
                                atom_state_t *state) {
                if (state->seen < 4 || !state->told || state->step == graph->steps) { return; }
                if (state->step % 2 == self->colour) {
                    const int32_t cost = 2 * state->spin * state->field;
                    state->random = state->random * 1664525u + 1013904223u;
                    const uint32_t chance = cost <= 0 ? 65536u
                        : cost <= 4 ? graph->chance4 : graph->chance8;
                    if ((state->random >> 16) < chance) { state->spin = -state->spin; }
                }
                state->step++;
                state->field = state->next_field;
                state->seen = state->next_seen;
                state->next_field = 0;
                state->next_seen = 0;
                state->told = 0;
            }
        """,
    )
    # Add up the neighbours' spins of this step, and of the next one apart.
    atom.input(
        "in",
        "spin",
        properties="int8_t coupling = 1;",
        on_receive="""
            if (message->step == deviceState->step) {
                deviceState->field += edgeProperties->coupling * message->spin;
                deviceState->seen++;
            } else {
                deviceState->next_field += edgeProperties->coupling * message->spin;
                deviceState->next_seen++;
            }
            advance(graphProperties, deviceProperties, deviceState);
        """,
    )
    # Broadcast the spin; if all neighbours were heard before, the step is complete.
    atom.output(
        "out",
        "spin",
        on_send="""
            message->step = deviceState->step;
            message->spin = deviceState->spin;
            deviceState->told = 1;
            advance(graphProperties, deviceProperties, deviceState);
        """,
    )
    # The energy of an atom's four bonds, each of which its neighbour reports too.
    atom.output(
        "done",
        "report",
        on_send="""
            message->energy = -deviceState->spin * deviceState->field;
            deviceState->reported = 1;
        """,
    )
    monitor = builder.device_type(
        "monitor",
        properties="uint32_t atoms; int64_t initial;",
        state="int64_t energy; uint32_t reports;",
        ready_to_send="",
    )
    # Both ends of a bond must have seen the same, and cooling must have freed energy.
    monitor.input(
        "report",
        "report",
        on_receive="""
            deviceState->energy += message->energy;
            if (++deviceState->reports == deviceProperties->atoms) {
                const int64_t bonds = 2 * int64_t(deviceProperties->atoms);
                handler_log(1, "energy per bond %.3f",
                            deviceState->energy / 2.0 / double(bonds));
                const bool consistent = (deviceState->energy + 2 * bonds) % 4 == 0;
                const bool cooler = deviceState->energy < deviceProperties->initial;
                handler_exit(consistent && cooler ? 0 : 1);
            }
        """,
    )

    count = size * size
    spins, seeds = atoms(size)
    y, x = np.divmod(np.arange(count), size)
    builder.devices(
        [f"a{i % size}_{i // size}" for i in range(count)],
        "atom",
        properties={"initial": spins, "seed": seeds, "colour": (x + y) % 2},
    )
    builder.device(
        "monitor", "monitor", properties={"atoms": count, "initial": energy(spins, size)}
    )
    neighbours = np.stack(
        [
            (y - 1) % size * size + x,
            y * size + (x - 1) % size,
            y * size + (x + 1) % size,
            (y + 1) % size * size + x,
        ],
        axis=1,
    )
    builder.edges(neighbours.ravel(), "in", np.repeat(np.arange(count), 4), "out")
    builder.edges(np.full(count, count), "report", np.arange(count), "done")
    return builder.build()


def field(spins: np.ndarray, size: int) -> np.ndarray:
    """Sum of the four neighbours of every atom: int32[n]."""
    grid = spins.reshape(size, size)
    return sum(np.roll(grid, shift, axis) for shift in (1, -1) for axis in (0, 1)).ravel()


def energy(spins: np.ndarray, size: int) -> int:
    """Energy of all atoms' bonds; every bond is counted twice."""
    return int(-(spins * field(spins, size)).sum(dtype=np.int64))


def reference(size: int, steps: int = STEPS) -> np.ndarray:
    """The spins after ``steps`` steps: int32[n]."""
    spins, random = atoms(size)
    colour = np.indices((size, size)).sum(0).ravel() % 2
    for step in range(steps):
        turn = colour == step % 2
        cost = 2 * spins * field(spins, size)
        random[turn] = random[turn] * np.uint32(MULTIPLIER) + np.uint32(INCREMENT)
        chance = np.where(cost <= 0, 65536, np.where(cost <= 4, *CHANCES))
        spins[turn & (random >> 16 < chance)] *= -1
    return spins


def check_spins(result) -> None:
    """Every atom ends as an ordinary loop over the grid says, whatever the schedule."""
    states = result.states
    size = round((len(states) - 1) ** 0.5)
    assert result.exit_code == 0
    spins = [states[f"a{i % size}_{i // size}"]["spin"] for i in range(size * size)]
    np.testing.assert_array_equal(spins, reference(size))


if __name__ == "__main__":
    _command.main(build, SIZE, "atoms along each side, even")
