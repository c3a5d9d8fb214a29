"""What handlers may rely on: sends, ready bits, idle, ends, names.

The choices are those of docs/semantics.md; each has a test here.
"""

from __future__ import annotations

import pytest

from pstack_core.engines.events import Reason
from pstack_core.graph.builder import GraphBuilder
from tests.native.apps import run, single


def test_exit_code_and_first_exit_latches() -> None:
    graph = single(on_init="handler_exit(7); handler_exit(8);")
    end = run(graph).end
    assert (end.reason, end.exit_code) == (Reason.EXIT, 7)


@pytest.mark.parametrize(("word", "code"), [("SUCCESS", 0), ("FAIL", 1)])
def test_logged_exit_convention(word: str, code: int) -> None:
    graph = single(on_init=f'handler_log(0, "_HANDLER_EXIT_{word}_9be65737_");')
    result = run(graph)
    assert (result.end.reason, result.end.exit_code) == (Reason.EXIT, code)
    assert [log.level for log in result.logs] == [0]


def test_logged_exit_compares_the_format() -> None:
    graph = single(on_init='handler_log(0, "%s", "_HANDLER_EXIT_FAIL_9be65737_");')
    assert run(graph).end.reason is Reason.IDLE


def test_logged_exit_needs_level_0() -> None:
    graph = single(on_init='handler_log(1, "_HANDLER_EXIT_FAIL_9be65737_");')
    assert run(graph).end.reason is Reason.IDLE


def test_going_idle_is_an_ordinary_end() -> None:
    end = run(single()).end
    assert (end.reason, end.exit_code, end.detail) == (Reason.IDLE, 0, "")


def test_nothing_runs_after_exit() -> None:
    graph = single(
        devices=3,
        on_init="deviceState->x = 1;",
        on_send="handler_exit(0);",
        on_receive="deviceState->x = 99;",
    )
    result = run(graph)
    assert result.end.counters.delivered == 0
    assert [result.state(f"d{i}")["x"] for i in range(3)] == [1, 1, 1]


def test_send_with_no_edges_runs() -> None:
    builder = GraphBuilder("g", id="g")
    builder.message("m", "")
    device = builder.device_type(
        "d", state="uint32_t n;", ready_to_send="*readyToSend = deviceState->n < 5;"
    )
    device.output("out", "m", on_send="deviceState->n++;")
    builder.device("d0", "d")
    result = run(builder.build())
    assert result.state("d0") == {"n": 5}
    assert (result.end.counters.sent, result.end.counters.delivered) == (5, 0)


def test_do_send_cancels() -> None:
    graph = single(on_init="deviceState->x = 1;", on_send="deviceState->x = 0; *doSend = false;")
    counters = run(graph).end.counters
    assert (counters.sent, counters.cancelled, counters.delivered) == (0, 1, 0)


def test_bits_above_the_last_pin_are_ignored() -> None:
    graph = single(ready="*readyToSend = 0xfffffffe;")
    assert run(graph).end.reason is Reason.IDLE


def test_a_receive_can_withdraw_a_send() -> None:
    """d0 sends first; d1's own wish to send falls with what it receives."""
    graph = single(
        devices=2,
        on_init="deviceState->x = 1;",
        on_receive="deviceState->x = 0;",
        on_send="deviceState->x = 2;",
        ready="*readyToSend = deviceState->x == 1 ? RTS_FLAG_out : 0;",
    )
    result = run(graph)
    assert result.end.counters.sent == 1


def test_every_ready_pin_gets_its_turn() -> None:
    """A pin that is always ready does not starve the one above it."""
    builder = GraphBuilder("g", id="g")
    builder.message("m", "")
    device = builder.device_type(
        "d", state="uint32_t n;", ready_to_send="*readyToSend = RTS_FLAG_busy | RTS_FLAG_shy;"
    )
    device.output("busy", "m", on_send="")
    device.output("shy", "m", on_send="if (++deviceState->n == 3) handler_exit(0);")
    builder.device("d0", "d")
    assert run(builder.build()).end.reason is Reason.EXIT


def test_message_starts_at_its_defaults() -> None:
    builder = GraphBuilder("g", id="g")
    builder.message("m", "uint32_t a = 7; float f = 1.5; uint16_t z;")
    device = builder.device_type(
        "d",
        state="uint32_t sent; uint32_t a; float f; uint16_t z;",
        ready_to_send="*readyToSend = !deviceState->sent;",
    )
    device.output("out", "m", on_send="deviceState->sent = 1;")
    device.input(
        "in",
        "m",
        on_receive="deviceState->a = message->a; deviceState->f = message->f;"
        "deviceState->z = message->z;",
    )
    builder.device("d0", "d")
    builder.edge("d0", "in", "d0", "out")
    assert run(builder.build()).state("d0") == {"sent": 1, "a": 7, "f": 1.5, "z": 0}


def test_edge_properties_and_state() -> None:
    builder = GraphBuilder("g", id="g")
    builder.message("m", "")
    source = builder.device_type(
        "source", state="uint32_t n;", ready_to_send="*readyToSend = deviceState->n < 3;"
    )
    source.output("out", "m", on_send="deviceState->n++;")
    sink = builder.device_type("sink", state="uint32_t sum; uint32_t seen[2];")
    sink.input(
        "in",
        "m",
        properties="uint8_t slot; uint32_t weight = 10;",
        state="uint32_t count = 100;",
        on_receive="edgeState->count++; deviceState->sum += edgeProperties->weight;"
        "deviceState->seen[edgeProperties->slot] = edgeState->count;",
    )
    builder.devices(["s0", "s1"], "source")
    builder.device("t", "sink")
    builder.edge("t", "in", "s0", "out", properties={"slot": 0})
    builder.edge("t", "in", "s1", "out", properties={"slot": 1, "weight": 1})
    assert run(builder.build()).state("t") == {"sum": 33, "seen": [103, 103]}


def indexed(on_send: str):  # type: ignore[no-untyped-def]
    builder = GraphBuilder("g", id="g")
    builder.message("m", "uint32_t value;")
    source = builder.device_type(
        "source", state="uint32_t n;", ready_to_send="*readyToSend = deviceState->n < 3;"
    )
    source.output("out", "m", indexed=True, on_send=on_send)
    sink = builder.device_type("sink", state="uint32_t got;")
    sink.input("in", "m", on_receive="deviceState->got = message->value;")
    builder.device("s", "source")
    builder.devices(["t0", "t1", "t2"], "sink")
    return builder


def test_indexed_send_in_file_order() -> None:
    builder = indexed("*sendIndex = deviceState->n; message->value = ++deviceState->n;")
    for name in ("t2", "t0", "t1"):
        builder.edge(name, "in", "s", "out")
    result = run(builder.build())
    assert [result.state(f"t{i}")["got"] for i in range(3)] == [2, 3, 1]
    assert result.end.counters.delivered == 3


def test_indexed_send_by_given_index() -> None:
    builder = indexed("*sendIndex = deviceState->n; message->value = ++deviceState->n;")
    for name, index in (("t0", 2), ("t1", 0), ("t2", 1)):
        builder.edge(name, "in", "s", "out", send_index=index)
    result = run(builder.build())
    assert [result.state(f"t{i}")["got"] for i in range(3)] == [3, 1, 2]


def test_send_index_out_of_range() -> None:
    builder = indexed("deviceState->n++; *sendIndex = 3;")
    for name in ("t0", "t1", "t2"):
        builder.edge(name, "in", "s", "out")
    end = run(builder.build()).end
    assert end.reason is Reason.ASSERT
    assert end.detail == (
        "sendIndex is 3, but the pin has 3 edges on this device"
        " (OnSend of pin out of device type source on device s)"
    )


def test_hardware_idle_is_a_barrier() -> None:
    """Every device steps once a round, and all messages of a round come before the next."""
    graph = single(
        devices=5,
        state="uint32_t x; uint32_t steps; uint32_t got;",
        ready="*readyToSend = deviceState->x ? RTS_FLAG_out : 0;",
        on_receive="deviceState->got++; assert(message->value == deviceState->steps);",
        on_send="deviceState->x = 0; message->value = deviceState->steps;",
        on_hardware_idle="if (deviceState->steps == 4) handler_exit(deviceState->got == 4 ? 0 : 1);"
        "deviceState->steps++; deviceState->x = 1;",
    )
    end = run(graph).end
    assert (end.reason, end.exit_code) == (Reason.EXIT, 0)
    assert end.counters.delivered == 20


def test_barren_hardware_idle_rounds_end_the_run() -> None:
    graph = single(state="uint32_t x; uint32_t rounds;", on_hardware_idle="deviceState->rounds++;")
    result = run(graph)
    assert result.end.reason is Reason.IDLE
    assert result.state("d0")["rounds"] == 10


def test_device_idle_runs_when_asked_for_and_before_hardware_idle() -> None:
    graph = single(
        devices=2,
        state="uint32_t x; uint32_t idles;",
        ready="*readyToSend = 0; if (deviceState->idles < 3) *requestIdle = true;",
        on_device_idle="deviceState->idles++;",
        on_hardware_idle="handler_exit(deviceState->idles == 3 ? 0 : 1);",
    )
    end = run(graph).end
    assert (end.reason, end.exit_code) == (Reason.EXIT, 0)


def test_device_idle_does_not_run_unasked() -> None:
    graph = single(state="uint32_t x; uint32_t idles;", on_device_idle="deviceState->idles++;")
    result = run(graph)
    assert result.state("d0")["idles"] == 0


def test_handlers_may_return_early() -> None:
    graph = single(
        on_init="deviceState->x = 1; if (deviceState->x) return; deviceState->x = 2;",
        on_send="deviceState->x = 0; if (true) { return; } deviceState->x = 9;",
        on_receive="auto twice = [](int v) { return 2 * v; }; deviceState->x = 0;"
        "if (twice(1) == 2) return; abort();",
        ready="if (deviceState->x) { *readyToSend = RTS_FLAG_out; return; }",
    )
    end = run(graph).end
    assert (end.reason, end.counters.delivered) == (Reason.IDLE, 1)


def test_log_forms() -> None:
    """Logging from shared functions, through templates, of packed members and long lines."""
    graph = single(
        state="uint8_t pad; double d; uint64_t q; uint32_t x;",
        shared_code="""
            #include <string>
            static void helper(int v) { handler_log(1, "helper %d", v); }
            template <class Log> void through(Log &&log) { log(1, "through %s", "template"); }
        """,
        on_init="""
            deviceState->d = 0.5; deviceState->q = 18446744073709551615ull;
            helper(3);
            through(handler_log);
            handler_log(1, "%g %llu %08x %5.2f|%-4s|", deviceState->d,
                        (unsigned long long)deviceState->q, 255, 1.5f, "ab");
            handler_log(2, "above the level %d", ++deviceState->x);
            std::string text(5000, 'y');
            handler_log(1, "%s", text.c_str());
        """,
        ready="*readyToSend = 0;",
    )
    result = run(graph)
    assert [log.text for log in result.logs] == [
        "helper 3",
        "through template",
        "0.5 18446744073709551615 000000ff  1.50|ab  |",
        "y" * 5000,
    ]
    assert {log.device for log in result.logs} == {"d0"}
    assert result.state("d0")["x"] == 1  # arguments are evaluated all the same


def test_logs_beyond_the_ring_arrive_whole_and_in_order() -> None:
    graph = single(
        on_init='for (int i = 0; i < 40000; i++) handler_log(1, "%d %0*d", i, i % 97 + 1, 7);'
    )
    logs = run(graph).logs
    assert [log.text for log in logs] == [f"{i} {7:0{i % 97 + 1}d}" for i in range(40000)]


def test_names_of_every_dialect() -> None:
    graph = single(
        on_init="""
            static_assert(RTS_FLAG_out == 1 && OUTPUT_FLAG_out == 1 && RTS_INDEX_out == 0, "");
            static_assert(RTS_FLAG_device_out == 1 && OUTPUT_FLAG_device_out == 1, "");
            static_assert(INPUT_INDEX_device_in == 0 && INPUT_COUNT_device == 1, "");
            static_assert(RTC_FLAG_device == 0x80000000u, "");
            single_device_state_t *a = deviceState; device_state_t *b = a; DEVICE_STATE_T *c = b;
            const GRAPH_PROPERTIES_T *g = graphProperties; const global_props_t *h = g;
            const single_properties_t *i = h; (void)i; (void)c;
            m_message_t m; single_m_message_t *n = &m; pkt_m_pyld_t *o = n; (void)o;
            handler_checkpoint(true, 1, "x %d", 1); handler_export_key_value(1, 2);
            uint32_t rts = 5; (void)rts;
            deviceState->x = min(3, 4) + max(1u, 2u) + abs(-1);
        """,
        on_receive="MESSAGE_T copy = *message; const PORT_PROPERTIES_T *p = edgeProperties;"
        "EDGE_STATE_T *s = edgeState; (void)p; (void)s; deviceState->x = copy.value;",
        on_send="message->value = 77; deviceState->x = 0;",
        ready="rts = deviceState->x == 6 ? 1 : 0;",
    )
    assert run(graph).state("d0") == {"x": 77}


def test_application_constants_shadow_ours() -> None:
    builder = GraphBuilder("g", id="g")
    builder.message("m", "")
    device = builder.device_type(
        "d",
        state="uint32_t v;",
        shared_code="const uint32_t OUTPUT_FLAG_d_out = 42; struct helper { int v; };",
        on_init="deviceState->v = OUTPUT_FLAG_d_out; helper h{1}; (void)h;",
    )
    device.output("out", "m")
    other = builder.device_type("e", shared_code="struct helper { float w; };")
    other.input("in", "m")
    builder.device("d0", "d")
    assert run(builder.build()).state("d0") == {"v": 42}


def test_references_to_packed_members() -> None:
    graph = single(
        state="uint8_t pad; uint32_t x; float f;",
        shared_code="static void bump(uint32_t &v, float &f) { v += 2; f += 0.5f; }",
        on_init="bump(deviceState->x, deviceState->f); float &r = deviceState->f; r *= 2;",
        ready="*readyToSend = 0;",
    )
    assert run(graph).state("d0") == {"pad": 0, "x": 2, "f": 1.0}


def test_floats_and_integers_survive() -> None:
    graph = single(
        state="float nan; double inf; int64_t low; uint64_t high; int8_t small; uint32_t x;",
        on_init="deviceState->nan = NAN; deviceState->inf = -INFINITY;"
        "deviceState->low = INT64_MIN;"
        "deviceState->high = UINT64_MAX; deviceState->small = -128;",
        ready="*readyToSend = 0;",
    )
    state = run(graph).state("d0")
    assert state.pop("nan") != state.get("nan")
    assert state == {
        "inf": float("-inf"), "low": -(2**63), "high": 2**64 - 1, "small": -128, "x": 0,
    }  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 5, 12345])
def test_any_seed_gives_the_result_of_a_confluent_application(seed: int) -> None:
    graph = single(
        devices=200,
        on_init="deviceState->x = 5;",
        on_send="deviceState->x--;",
        state="uint32_t x; uint32_t got;",
        on_receive="deviceState->got++;",
    )
    result = run(graph, seed=seed)
    assert result.end.counters.delivered == 1000
    assert all(result.state(f"d{i}") == {"x": 0, "got": 5} for i in range(200))


def test_same_seed_same_run() -> None:
    graph = single(
        devices=50,
        state="uint32_t x; uint32_t mix;",
        on_init="deviceState->x = 20; deviceState->mix = deviceProperties->id;",
        on_send="deviceState->x--; message->value = deviceState->mix;",
        on_receive="deviceState->mix = deviceState->mix * 31 + message->value;",
    )
    states = [[run(graph, seed=s).state(f"d{i}") for i in range(50)] for s in (3, 3, 4)]
    assert states[0] == states[1]
    assert states[0] != states[2]
