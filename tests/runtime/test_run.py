"""The life of a run, against an engine that does what it is told."""

from __future__ import annotations

import io
import json
import sys

import pytest

import pstack_core as pstack
from pstack_core.engines.engine import EngineError
from pstack_core.engines.events import Event, Finished, Log, Started, Stats
from pstack_core.engines.registry import UnknownEngine, registry
from tests.conftest import Install
from tests.fake_engine import FAKE
from tests.graphs import ring


@pytest.fixture(autouse=True)
def fake(install: Install) -> None:
    install("fake", {"fake": "fake_engine"}, {"fake_engine": FAKE})


def sessions() -> list:
    """Every session that the fake engine has opened."""
    return sys.modules["fake_engine"].Fake.sessions


def test_result() -> None:
    result = pstack.run(ring("exit_3"), engine="fake")
    assert (result.exit_code, result.reason, result.exit_status) == (3, "exit", 3)
    assert result.metrics == {
        "Delivered messages": 10,
        "Exit code": 3,
        "Sent messages": 5,
        "Reason": "exit",
        "Compile seconds": 0.25,
        "Load seconds": 0.5,
        "Run seconds": 2.0,
        "Deliveries per second": 5,
        "Devices": 4,
        "Edges": 0,
    }
    assert result.states["n3"] == {"counter": 11, "a": [3, 3]}
    assert result.to_json()["states"] == dict(result.states)
    text = io.StringIO()
    result.write_json(text)
    assert json.loads(text.getvalue()) == result.to_json()


def test_events_arrive_in_order() -> None:
    seen: list[Event] = []
    pstack.run(ring(size=2), engine="fake", on_event=seen.append)
    assert [type(event) for event in seen] == [Started, Log, Log, Stats, Finished]
    assert seen[1] == Log("n0", 1, "hello ✓")


def test_task_carries_every_setting() -> None:
    pstack.run(
        ring(),
        engine="fake",
        level=3,
        seed=7,
        timeout=1.5,
        max_events=10,
        memory=1 << 20,
        cpu_seconds=2.5,
        options={"x": "y"},
    )
    task = sessions()[-1].task
    assert (task.level, task.seed, task.threads, task.options) == (3, 7, 1, {"x": "y"})
    limits = task.limits
    assert (limits.wall_seconds, limits.cpu_seconds) == (1.5, 2.5)
    assert (limits.events, limits.memory_bytes) == (10, 1 << 20)


def test_session_is_closed_whatever_happens() -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        pstack.run(ring(), engine="fake", on_event=fail)
    assert sessions()[-1].closed == 1
    with pytest.raises(ZeroDivisionError):
        pstack.run(ring("bug"), engine="fake")
    assert sessions()[-1].closed == 1


def test_crash_has_no_states() -> None:
    result = pstack.run(ring("crash"), engine="fake")
    assert (result.reason, result.exit_status) == ("crash", 128 + 11)
    assert "SIGSEGV" in result.detail
    assert dict(result.states) == {}
    assert result.to_json()["states"] == {}


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("failed", "could not be started"),
        ("compile", "does not compile"),
        ("silent", "without saying how the run ended"),
    ],
)
def test_task_that_cannot_run(identity: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        pstack.run(ring(identity), engine="fake")
    assert sessions()[-1].closed == 1


def test_engine_refuses() -> None:
    with pytest.raises(EngineError, match="one thread"):
        pstack.run(ring(), engine="fake", threads=2)
    with pytest.raises(UnknownEngine, match="did you mean 'fake'"):
        pstack.run(ring(), engine="fak")


def test_properties_need_a_source() -> None:
    with pytest.raises(TypeError, match="where the application is loaded"):
        pstack.run(ring(), engine="fake", properties={"a": "1"})


def test_registry_is_one_per_process() -> None:
    assert registry() is registry()


def test_public_names_resolve() -> None:
    for name in pstack.__all__:
        assert getattr(pstack, name) is not None
        assert name in dir(pstack)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pstack.nothing  # noqa: B018
