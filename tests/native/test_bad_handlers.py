"""Handlers are native code: whatever they do, pstack answers and says who did it."""

from __future__ import annotations

import signal
import time

import pytest

from pstack_core.engines.events import Reason
from tests.native.apps import run, single

IN_RECEIVE = "OnReceive of pin in of device type device"
START = "deviceState->x = 1;"
SEND_ONCE = "deviceState->x = 0;"


def bad_receive(code: str, **more: str):  # type: ignore[no-untyped-def]
    """A device that sends to itself once, with ``code`` in its OnReceive."""
    return single(on_init=START, on_send=SEND_ONCE, on_receive=code, **more)


def test_null_pointer() -> None:
    end = run(bad_receive("*(volatile int *)nullptr = 1;")).end
    assert end.reason is Reason.CRASH
    assert end.exit_code == 128 + signal.SIGSEGV
    assert end.device == "d0"
    assert end.handler == IN_RECEIVE
    assert end.detail == (
        f"{IN_RECEIVE} on device d0 crashed: it used memory that is not its own (SIGSEGV)"
    )


def test_logs_before_a_crash_are_kept() -> None:
    code = 'for (int i = 0; i < 100; i++) handler_log(1, "line %d", i); abort();'
    result = run(bad_receive(code))
    assert [log.text for log in result.logs] == [f"line {i}" for i in range(100)]
    assert result.end.signal == signal.SIGABRT
    assert "it called abort() (SIGABRT)" in result.end.detail


def test_states_before_a_crash_are_kept() -> None:
    result = run(bad_receive("deviceState->x = 41; abort();"))
    assert result.state("d0") == {"x": 41}


def test_endless_loop_meets_the_wall_clock() -> None:
    begin = time.monotonic()
    end = run(bad_receive('for (;;) asm volatile("");'), wall_seconds=0.3).end
    assert time.monotonic() - begin < 10
    assert end.reason is Reason.TIMEOUT
    assert end.exit_code == 124
    assert end.detail == (
        f"the limit of 0.3 s was reached: {IN_RECEIVE} on device d0 did not return"
    )


def test_endless_loop_meets_the_cpu_limit() -> None:
    end = run(bad_receive('for (;;) asm volatile("");'), cpu_seconds=1).end
    assert end.reason is Reason.LIMIT
    assert end.detail.startswith("the limit of 1 CPU seconds was reached in OnReceive")


def test_endless_sends_meet_the_wall_clock() -> None:
    end = run(single(on_init=START, on_send=""), wall_seconds=0.3).end
    assert end.reason is Reason.TIMEOUT
    assert end.detail == "the limit of 0.3 s was reached"
    assert end.counters.sent > 1000


def test_endless_sends_meet_the_limit_of_events() -> None:
    end = run(single(on_init=START, on_send=""), events=1000).end
    assert end.reason is Reason.LIMIT
    assert end.exit_code == 125
    assert end.counters.sent + end.counters.delivered == 1000


@pytest.mark.parametrize(
    "code",
    [
        "for (;;) { volatile char *p = (char *)malloc(1 << 20); memset((void *)p, 1, 1 << 20); }",
        "for (;;) { char *p = new char[1 << 20]; memset(p, 1, 1 << 20); }",
    ],
)
def test_exhausted_memory(code: str) -> None:
    end = run(bad_receive(code), memory_bytes=50_000_000).end
    assert end.reason is Reason.CRASH
    assert IN_RECEIVE in end.detail
    assert "d0" in end.detail


def test_stack_overflow() -> None:
    recurse = "static int down(volatile int *p) { int here[64]; here[0] = *p;" \
        " return here[*p & 63] + down(here) + here[1]; }"  # fmt: skip
    end = run(bad_receive("int one = 1; deviceState->x = down(&one);", shared_code=recurse)).end
    assert end.reason is Reason.CRASH
    assert "it overflowed the stack" in end.detail
    assert IN_RECEIVE in end.detail


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("uint32_t x; uint8_t a[4];", "for (int i = 0; i < 9; i++) deviceState->a[i] = 1;"),
        ("uint32_t x; uint8_t a[4];", "memset(deviceState->a, 255, 8);"),
        ("uint32_t x;", "uint32_t *p = &deviceState->x; p[1] = 5;"),
        ("uint32_t x;", "memset(deviceState, 1, 12);"),
    ],
)
def test_write_past_the_state(state: str, code: str) -> None:
    end = run(bad_receive(code, state=state)).end
    assert end.reason is Reason.CRASH
    assert end.device == "d0"
    assert end.handler == IN_RECEIVE


@pytest.mark.parametrize("status", [0, 3])
def test_exit_called(status: int) -> None:
    end = run(bad_receive(f"exit({status});")).end
    assert end.reason is Reason.CRASH
    assert end.exit_code == 134
    assert end.detail == (
        f"{IN_RECEIVE} on device d0 ended the process with status {status};"
        " handlers end a run with handler_exit()"
    )


def test_division_by_zero() -> None:
    end = run(bad_receive("volatile int none = 0; deviceState->x = 5 / none;")).end
    assert end.signal == signal.SIGFPE
    assert "divided an integer by zero" in end.detail


def test_exception() -> None:
    end = run(bad_receive("throw 5;")).end
    assert end.reason is Reason.CRASH
    assert end.detail == f"an exception left the handler ({IN_RECEIVE} on device d0)"


def test_assertion_says_file_and_line() -> None:
    end = run(bad_receive("\n\nassert(message->value == 5);")).end
    assert end.reason is Reason.ASSERT
    assert end.exit_code == 1
    assert "assertion failed: message->value == 5" in end.detail
    assert end.detail.endswith(f"({IN_RECEIVE} on device d0)")


def test_assertion_after_exit_does_not_count() -> None:
    end = run(bad_receive("handler_exit(0); assert(false);")).end
    assert (end.reason, end.exit_code) == (Reason.EXIT, 0)


def test_crash_in_init_and_ready() -> None:
    end = run(single(on_init="abort();")).end
    assert end.handler == "OnInit of device type device"
    end = run(single(ready="abort();")).end
    assert end.handler == "ReadyToSend of device type device"
