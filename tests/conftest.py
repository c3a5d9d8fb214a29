"""Fixtures that several rooms share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pstack_core.engines.registry import registry

# On a busy machine a slow example is no failure; a hanging test has its own time limit.
settings.register_profile("pstack", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("pstack")

Install = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def compile_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compile afresh, once a session; public applications, which are many, once a machine."""
    with pytest.MonkeyPatch.context() as patch:
        if "PSTACK_CORPUS" not in os.environ:
            patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install distributions with plugins, as pip would, into a folder on ``sys.path``.

    ``install("other-engine", {"other": "other_engine"}, {"other_engine": source})`` makes the
    distribution with those entry points in ``pstack.engines`` and those modules.  The
    registry of the process starts afresh, before and after the test.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    for variable in ("LOAD", "BLOCK", "TRACE"):
        monkeypatch.delenv(f"PSTACK_{variable}_PLUGINS", raising=False)
    registry.cache_clear()
    modules = set(sys.modules)

    def add(name: str, entry_points: dict[str, str], sources: dict[str, str]) -> Path:
        for module, source in sources.items():
            (site / f"{module}.py").write_text(source)
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{key} = {value}" for key, value in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[pstack.engines]", *lines, ""]))
        return site

    yield add
    registry.cache_clear()
    for module in set(sys.modules) - modules:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(site)):
            del sys.modules[module]
