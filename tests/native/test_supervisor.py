"""Supervisors: implicit pins, replies, broadcasts, idle, stop."""

from __future__ import annotations

import numpy as np

from pstack_core.engines.events import Reason
from pstack_core.graph.layout import Member, Scalar, Struct
from pstack_core.graph.model import (
    SUPERVISOR_IN,
    SUPERVISOR_OUT,
    Code,
    Devices,
    DeviceType,
    Edges,
    Graph,
    GraphType,
    InputPin,
    MessageType,
    OutputPin,
    SupervisorType,
)
from pstack_core.graph.names import Names
from tests.native.apps import run


def fields(*names: str) -> Struct:
    return Struct(tuple(Member(name, Scalar("uint32_t")) for name in names))


def supervised(supervisor: SupervisorType, devices: int = 3, rounds: int = 2) -> Graph:
    """Devices that send their id to the supervisor ``rounds`` times and add up what comes back."""
    device = DeviceType(
        id="d",
        properties=fields("id"),
        state=fields("sent", "sum", "got"),
        input_pins=(
            InputPin(
                SUPERVISOR_IN,
                "down",
                Code("deviceState->sum += message->v; deviceState->got++;"),
            ),
        ),
        output_pins=(
            OutputPin(
                SUPERVISOR_OUT,
                "up",
                Code("deviceState->sent++; message->v = deviceProperties->id;"),
            ),
        ),
        ready_to_send=Code(f"if (deviceState->sent < {rounds}) RTSSUP();"),
    )
    graph_type = GraphType(
        id="g",
        version="v4",
        message_types=(MessageType("up", fields("v")), MessageType("down", fields("v"))),
        device_types=(device,),
        supervisor=supervisor,
    )
    properties = np.zeros(devices, device.properties.dtype)
    properties["id"] = np.arange(devices) + 1
    none = np.zeros(0, np.uint32)
    return Graph(
        id="i",
        type=graph_type,
        properties=np.zeros((), graph_type.properties.dtype),
        devices=Devices(
            Names.of(f"d{i}" for i in range(devices)),
            np.zeros(devices, np.uint16),
            np.arange(devices, dtype=np.uint32),
            [properties],
            [np.zeros(devices, device.state.dtype)],
        ),
        edges=Edges(none, none, none, none, none.astype(np.int32), none),
    )


def supervisor(**handlers: str) -> SupervisorType:
    codes = {name: Code(text) for name, text in handlers.items()}
    return SupervisorType(
        id="",
        code=(Code("#include <map>\nstatic int helper(int v) { return v * 10; }"),),
        state=Code("std::map<uint32_t, int> seen; bool finished = false; int total = 5;"),
        in_message="up",
        **codes,
    )


def test_reply_goes_to_the_sender() -> None:
    text = "SUPSTATE(seen)[MSG(v)]++; REPLY(v) = helper(MSG(v)); RTSREPLY();"
    result = run(supervised(supervisor(on_receive=text)))
    assert result.end.reason is Reason.IDLE
    assert [result.state(f"d{i}")["sum"] for i in range(3)] == [20, 40, 60]
    assert result.end.counters.delivered == 12


def test_broadcast_goes_to_all() -> None:
    text = "SUPSTATE(total)++; if (SUPSTATE(total) == 11) { bcast->v = 7; RTSBCAST(); }"
    result = run(supervised(supervisor(on_receive=text)))
    assert [result.state(f"d{i}")["sum"] for i in range(3)] == [7, 7, 7]


def test_init_idle_stop_and_post() -> None:
    result = run(
        supervised(
            supervisor(
                on_init='Super::post("hello"); BCAST(v) = 1; RTSBCAST();',
                on_receive='handler_log(1, "%u", MSG(v));',
                on_idle="if (!SUPSTATE(finished)) { SUPSTATE(finished) = true; }"
                "else Super::stop_application();",
                on_stop='Super::post("bye");',
            ),
            devices=2,
            rounds=1,
        )
    )
    assert (result.end.reason, result.end.exit_code) == (Reason.EXIT, 0)
    assert [(log.device, log.text) for log in result.logs] == [
        ("__supervisor__", text) for text in ("hello", "1", "2", "bye")
    ]
    assert [result.state(f"d{i}")["got"] for i in range(2)] == [1, 1]


def test_crash_names_the_supervisor() -> None:
    end = run(supervised(supervisor(on_receive="abort();"))).end
    assert end.detail.startswith("OnReceive of the supervisor crashed")
