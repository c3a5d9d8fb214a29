"""The table of exit statuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.engines.engine import EngineError
from pstack_core.engines.events import Counters, Finished, Reason
from pstack_core.graph.diagnostics import ApplicationError
from pstack_core.runtime import exit_status


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_failure_never_becomes_success(code: int) -> None:
    status = exit_status.of_code(code)
    assert 0 <= status < 256
    assert (status == 0) == (code == 0)
    assert status == code % 256 or (status, code % 256) == (1, 0)


@pytest.mark.parametrize(
    ("reason", "code", "signal", "status"),
    [
        (Reason.EXIT, 0, 0, 0),
        (Reason.EXIT, 7, 0, 7),
        (Reason.EXIT, -1, 0, 255),
        (Reason.EXIT, 256, 0, 1),
        (Reason.HALT, 9, 0, 9),
        (Reason.IDLE, 0, 0, 0),
        (Reason.TIMEOUT, 0, 0, 124),
        (Reason.LIMIT, 0, 0, 125),
        (Reason.ASSERT, 0, 0, 1),
        (Reason.CRASH, 0, 11, 139),
        (Reason.CRASH, 0, 0, 1),
        (Reason.CRASH, 134, 0, 134),
        (Reason.KILLED, 0, 0, 130),
    ],
)
def test_end_of_a_run(reason: Reason, code: int, signal: int, status: int) -> None:
    finished = Finished(reason, code, Counters(), 1.0, signal=signal)
    assert exit_status.of_finished(finished) == status


def test_every_reason_has_a_status() -> None:
    for reason in Reason:
        assert isinstance(exit_status.of_finished(Finished(reason, 0, Counters(), 1.0)), int)


def test_errors() -> None:
    assert exit_status.of_error(EngineError("no compiler")) == exit_status.NO_ENGINE
    assert exit_status.of_error(EngineError("x", "app.xml:3: y")) == exit_status.BAD_APPLICATION
    assert exit_status.of_error(ApplicationError([])) == exit_status.BAD_APPLICATION
    assert exit_status.of_error(KeyError("a bug")) is None


def test_table_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exit-status.md").read_text()
    for status, meaning in exit_status.MEANINGS.items():
        assert f"| {status} | {meaning} |" in text
