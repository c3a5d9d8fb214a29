"""``pstack engines`` and ``pstack plugins``."""

from __future__ import annotations

import json

import pytest

from pstack_core.shell.main import main
from tests.conftest import Install
from tests.fake_engine import FAKE

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def two_plugins(install: Install) -> None:
    install("fake", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    install("broken", {"broken": "broken_engine"}, {"broken_engine": "import absent_module"})


def test_engines(capsys: Capture) -> None:
    assert main(["engines"]) == 0
    out, err = capsys.readouterr()
    (row,) = [line for line in out.splitlines() if line.strip().startswith("fake")]
    assert row.split() == ["fake", "test", "here", "1", "yes", "threads", "made", "up"]
    assert "plugin 'broken': it cannot be imported: ModuleNotFoundError" in err
    assert "\x1b" not in out


def test_engines_json(capsys: Capture) -> None:
    assert main(["engines", "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    (engine,) = [engine for engine in answer["engines"] if engine["name"] == "fake"]
    assert engine == {
        "name": "fake",
        "kind": "test",
        "host": "here",
        "slots": 1,
        "features": ["threads"],
        "api": [1, 0],
        "available": True,
        "detail": "made up",
    }
    (failed,) = [failed for failed in answer["failed"] if failed["plugin"] == "broken"]
    assert "absent_module" in failed["errors"][0]
    assert err == ""


def test_plugins(capsys: Capture) -> None:
    assert main(["plugins"]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "loaded" in rows["fake"]
    assert "fake 1.0" in rows["fake"]
    assert "failed" in rows["broken"]
    assert "No module named 'absent_module'" in rows["broken"]


def test_plugins_json(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSTACK_BLOCK_PLUGINS", "broken")
    assert main(["plugins", "--json"]) == 0
    found = {p["name"]: p for p in json.loads(capsys.readouterr().out)["plugins"]}
    assert found["broken"]["status"] == "blocked"
    assert found["fake"]["engines"] == ["fake"]
    assert found["fake"]["hooks"] == ["pstack_register_engines"]
