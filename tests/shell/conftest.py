"""Every test has a spool, a history and a configuration of its own, and no daemon."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(home / variable))
    monkeypatch.setenv("PSTACK_SPOOL", str(home / "spool.db"))
    monkeypatch.delenv("PSTACK_SOCKET", raising=False)
    return home
