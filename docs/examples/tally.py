"""Letters counted per correspondent: state that belongs to an edge.

Every writer sends numbered letters to all of its friends.  Letters may overtake
each other, so a reader keeps for every friend how many came and the sum of their
numbers; that is the state of the edge, not of the device.
``python docs/examples/tally.py --size 1000 -o tally.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 12
LETTERS = 25
FRIENDS = 6


def build(size: int = SIZE) -> Graph:
    """``size`` people in a circle, who write to the six people who follow them."""
    friends = min(FRIENDS, size - 1)
    builder = GraphBuilder("tally", id=f"tally_{size}", properties=f"uint32_t letters = {LETTERS};")
    builder.message("letter", "uint32_t number;")
    builder.message("report", "uint32_t complete;")
    person = builder.device_type(
        "person",
        properties="uint32_t friends;",
        state="uint32_t written; uint32_t complete; uint8_t reported;",
        # Write all letters; report when all friends' letters are complete.
        ready_to_send="""
            if (deviceState->written < graphProperties->letters) { *readyToSend |= RTS_FLAG_out; }
            if (deviceState->complete == deviceProperties->friends && !deviceState->reported) {
                *readyToSend |= RTS_FLAG_done;
            }
        """,
    )
    # When as many have come as were written, their numbers must add up.
    person.input(
        "in",
        "letter",
        properties="uint32_t line;",
        state="uint32_t count; uint64_t sum;",
        on_receive="""
            edgeState->count++;
            edgeState->sum += message->number;
            if (edgeState->count == graphProperties->letters) {
                const uint64_t letters = graphProperties->letters;
                if (edgeState->sum != letters * (letters + 1) / 2) {
                    handler_log(0, "letters of line %u are wrong", edgeProperties->line);
                    handler_exit(1);
                }
                deviceState->complete++;
            }
        """,
    )
    # Letters are numbered from 1.
    person.output("out", "letter", on_send="message->number = ++deviceState->written;")
    person.output(
        "done",
        "report",
        on_send="""
            message->complete = deviceState->complete;
            deviceState->reported = 1;
        """,
    )
    monitor = builder.device_type(
        "monitor",
        properties="uint32_t people; uint64_t lines;",
        state="uint32_t reports; uint64_t complete;",
        ready_to_send="",
    )
    # Every line of correspondence must be complete.
    monitor.input(
        "report",
        "report",
        on_receive="""
            deviceState->complete += message->complete;
            if (++deviceState->reports == deviceProperties->people) {
                handler_log(1, "%llu correspondences are complete",
                            (unsigned long long)deviceState->complete);
                handler_exit(deviceState->complete == deviceProperties->lines ? 0 : 1);
            }
        """,
    )
    people = np.arange(size)
    writer = np.repeat(people, friends)
    reader = (writer + np.tile(np.arange(1, friends + 1), size)) % size
    builder.devices(
        [f"p{i}" for i in range(size)], "person", properties={"friends": np.full(size, friends)}
    )
    builder.device("monitor", "monitor", properties={"people": size, "lines": size * friends})
    builder.edges(reader, "in", writer, "out", properties={"line": np.arange(len(writer))})
    builder.edges(np.full(size, size), "report", people, "done")
    return builder.build()


def check_letters(result) -> None:
    """Everybody wrote all letters and heard all of every friend's."""
    states = dict(result.states)
    assert result.exit_code == 0
    monitor = states.pop("monitor")
    friends = min(FRIENDS, len(states) - 1)
    assert monitor["complete"] == friends * len(states)
    for state in states.values():
        assert (state["written"], state["complete"]) == (LETTERS, friends)


if __name__ == "__main__":
    _command.main(build, SIZE, "people")
