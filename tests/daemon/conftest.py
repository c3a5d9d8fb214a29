"""A spool for each test, and daemons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.service import OwnDaemon, own_daemon


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool of this test's services."""
    path = tmp_path / "spool.db"
    monkeypatch.setenv("PSTACK_SPOOL", str(path))
    monkeypatch.delenv("PSTACK_SOCKET", raising=False)
    return path


@pytest.fixture
def daemon(spool: Path) -> Iterator[OwnDaemon]:
    """A running daemon."""
    with own_daemon() as running:
        yield running


@pytest.fixture(scope="module")
def module_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnDaemon]:
    """A running daemon that the tests of a module share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSTACK_SPOOL", str(tmp_path_factory.mktemp("daemon") / "spool.db"))
        with own_daemon() as running:
            yield running
