"""A dealer deals cards: every message goes to one player, by an indexed send.

An ordinary output pin sends to all of its edges.  An indexed pin sends to the
one whose number the handler writes into ``*sendIndex``.  When the pack is dealt,
the dealer calls, and the players show what they hold.
``python docs/examples/deal.py --size 100 -o deal.xml``
"""

from __future__ import annotations

import _command
import numpy as np

from pstack_core.graph import Graph, GraphBuilder

SIZE = 6
#: Cards for each player.
CARDS = 52


def build(size: int = SIZE) -> Graph:
    """``size`` players round a table, with 52 cards for each."""
    builder = GraphBuilder("deal", id=f"deal_{size}")
    builder.message("card", "uint32_t number;")
    builder.message("call", "")
    builder.message("hand", "uint32_t cards; uint64_t sum;")
    dealer = builder.device_type(
        "dealer",
        properties="uint32_t players; uint32_t cards;",
        state="uint32_t dealt; uint32_t hands; uint32_t cards; uint64_t sum; uint8_t called;",
        # Deal while there are cards, then call once.
        ready_to_send="""
            if (deviceState->dealt < deviceProperties->cards) {
                *readyToSend = RTS_FLAG_deal;
            } else if (!deviceState->called) {
                *readyToSend = RTS_FLAG_call;
            }
        """,
    )
    # Cards go round the table.
    dealer.output(
        "deal",
        "card",
        indexed=True,
        on_send="""
            message->number = deviceState->dealt;
            *sendIndex = deviceState->dealt % deviceProperties->players;
            deviceState->dealt++;
        """,
    )
    dealer.output("call", "call", on_send="deviceState->called = 1;")
    # A hand may come back short if a card came later than the call: then it comes again.
    dealer.input(
        "hand",
        "hand",
        on_receive="""
            deviceState->cards += message->cards;
            deviceState->sum += message->sum;
            if (deviceState->cards == deviceProperties->cards) {
                const uint64_t cards = deviceProperties->cards;
                handler_log(1, "%u cards are back", deviceState->cards);
                handler_exit(deviceState->sum == cards * (cards - 1) / 2 ? 0 : 1);
            }
        """,
    )
    player = builder.device_type(
        "player",
        properties="uint32_t seat; uint32_t players;",
        state="uint32_t cards; uint64_t sum; uint32_t total; uint8_t called;",
        # Show the cards that have not been shown yet.
        ready_to_send="""
            if (deviceState->called && deviceState->cards) { *readyToSend = RTS_FLAG_show; }
        """,
    )
    # A card for another seat is an error of the machine.
    player.input(
        "card",
        "card",
        on_receive="""
            if (message->number % deviceProperties->players != deviceProperties->seat) {
                handler_exit(1);
            }
            deviceState->cards++;
            deviceState->total++;
            deviceState->sum += message->number;
        """,
    )
    player.input("call", "call", on_receive="deviceState->called = 1;")
    player.output(
        "show",
        "hand",
        on_send="""
            message->cards = deviceState->cards;
            message->sum = deviceState->sum;
            deviceState->cards = 0;
            deviceState->sum = 0;
        """,
    )
    seat = np.arange(size)
    builder.device("dealer", "dealer", properties={"players": size, "cards": size * CARDS})
    builder.devices(
        [f"player{i}" for i in range(size)],
        "player",
        properties={"seat": seat, "players": np.full(size, size)},
    )
    zero = np.zeros(size, np.int64)
    builder.edges(seat + 1, "card", zero, "deal", send_index=seat)
    builder.edges(seat + 1, "call", zero, "call")
    builder.edges(zero, "hand", seat + 1, "show")
    return builder.build()


def check_hands(result) -> None:
    """Every player got 52 cards."""
    assert result.exit_code == 0
    for name, state in result.states.items():
        assert name == "dealer" or state["total"] == CARDS


if __name__ == "__main__":
    _command.main(build, SIZE, "players")
