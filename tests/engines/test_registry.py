"""Engines are found through entry points, and a broken plugin harms only itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pstack_core.engines.entry_points import EntryPoint, scan_all, scan_directories
from pstack_core.engines.registry import GROUP, Registry, UnknownEngine, describe
from tests.conftest import Install
from tests.fake_engine import FAKE


def plugin(name: str, api: str = "(1, 0)") -> str:
    """The source of a plugin with one engine."""
    return f"""
from pstack_core.engines.engine import Engine, EngineInfo
from pstack_core.engines.hookspecs import hookimpl

class E(Engine):
    name = {name!r}
    api = {api}
    def info(self): return EngineInfo({name!r}, "test", "here", 1)
    def open(self, task): raise NotImplementedError

@hookimpl
def pstack_register_engines(register):
    register(E())
"""


def named(registry: Registry, name: str):
    """The one plugin of that entry-point name."""
    (found,) = [p for p in registry.plugins() if p.name == name]
    return found


def test_engine_of_an_installed_distribution(install: Install) -> None:
    install("other-engine", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    registry = Registry({})
    engine = registry.engine("fake")
    assert engine.info().detail == "made up"
    assert registry.engine("fake") is engine
    assert registry.engines()["fake"] is engine
    found = named(registry, "fake")
    assert (found.distribution, found.version, found.status) == ("other-engine", "1.0", "loaded")
    assert found.engines == ["fake"]
    assert found.hooks == ["pstack_register_engines"]


def test_only_the_wanted_plugin_is_imported(install: Install) -> None:
    install(
        "two",
        {"fake": "fake_engine", "bystander": "bystander"},
        {"fake_engine": FAKE, "bystander": plugin("bystander")},
    )
    Registry({}).engine("fake")
    assert "fake_engine" in sys.modules
    assert "bystander" not in sys.modules


def test_engine_named_otherwise_than_its_entry_point(install: Install) -> None:
    install("other", {"cluster": "clustered"}, {"clustered": plugin("big")})
    assert Registry({}).engine("big").name == "big"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import does_not_exist", "ModuleNotFoundError: No module named 'does_not_exist'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def f(:", "SyntaxError"),
        (plugin("x").replace("(register)", "(registry)", 1), "registry"),
        (plugin("x").replace("def pstack_register", "def pstack_registers"), "pstack_registers"),
        (plugin("x").replace("@hookimpl", ""), "hookimpl"),
        (plugin("x", api="(2, 0)"), "version 2.0 of the engine contract"),
        (plugin("x").replace("register(E())", "1 / 0"), "ZeroDivisionError"),
        (plugin("x").replace("register(E())", "register('x')"), "'x', which is not a"),
        (plugin("").replace("register(E())", "register(E())"), "without a name"),
    ],
)
def test_broken_plugin_is_recorded_and_left_out(install: Install, source: str, reason: str) -> None:
    install("broken", {"broken": "broken_engine"}, {"broken_engine": source})
    install("sound", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    registry = Registry({})
    assert "fake" in registry.engines()
    assert "x" not in registry.engines()
    found = named(registry, "broken")
    assert found.status == "failed"
    assert reason in found.errors[0]
    assert "\n" not in found.errors[0]
    with pytest.raises(UnknownEngine, match=r"its plugin .* failed"):
        registry.engine("broken")


def test_a_broken_plugin_does_not_break_hooks_of_later_ones(install: Install) -> None:
    wrong = plugin("x").replace("def pstack_register", "def pstack_registers")
    install("a-wrong", {"aaa": "wrong_engine"}, {"wrong_engine": wrong})
    install("b-sound", {"bbb": "sound_engine"}, {"sound_engine": plugin("bbb")})
    registry = Registry({})
    assert "bbb" in registry.engines()
    assert named(registry, "bbb").errors == []


def test_one_bad_engine_of_a_plugin_leaves_its_others(install: Install) -> None:
    source = plugin("good").replace("register(E())", "register(E()); register(42)")
    install("half", {"half": "half_engine"}, {"half_engine": source})
    registry = Registry({})
    assert "good" in registry.engines()
    assert named(registry, "half").status == "failed"
    assert named(registry, "half").engines == ["good"]


def test_one_module_under_two_names(install: Install) -> None:
    install("twice", {"a": "x_engine", "b": "x_engine"}, {"x_engine": plugin("x")})
    registry = Registry({})
    assert registry.engine("x").name == "x"
    assert named(registry, "a").engines == ["x"]
    assert "already" in named(registry, "b").errors[0]


def test_newer_minor_is_a_warning(install: Install) -> None:
    install("newer", {"newer": "newer_engine"}, {"newer_engine": plugin("newer", "(1, 9)")})
    registry = Registry({})
    assert "newer" in registry.engines()
    assert named(registry, "newer").status == "loaded"
    assert "1.9" in named(registry, "newer").warnings[0]


def test_entry_point_named_like_the_engine_owns_the_name(install: Install) -> None:
    install("a-thief", {"aaa": "thief"}, {"thief": plugin("owned")})
    install("owner", {"owned": "owner"}, {"owner": plugin("owned")})
    one, everything = Registry({}), Registry({})
    assert type(one.engine("owned")).__module__ == "owner"
    assert type(everything.engines()["owned"]).__module__ == "owner"
    for registry in (one, everything):
        assert "left out" in named(registry, "aaa").errors[0]
        assert named(registry, "aaa").engines == []


def test_load_exactly_these(install: Install) -> None:
    install("one", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    install("Two_Engines", {"x": "x_engine"}, {"x_engine": plugin("x")})
    assert set(Registry({"PSTACK_LOAD_PLUGINS": "fake"}).engines()) == {"fake"}
    assert set(Registry({"PSTACK_LOAD_PLUGINS": "two.engines"}).engines()) == {"x"}
    assert Registry({"PSTACK_LOAD_PLUGINS": ""}).engines() == {}
    absent = Registry({"PSTACK_LOAD_PLUGINS": "fake, nowhere"})
    assert "no such plugin is installed" in named(absent, "nowhere").errors[0]
    with pytest.raises(UnknownEngine):
        Registry({"PSTACK_LOAD_PLUGINS": "fake"}).engine("x")


def test_blocked(install: Install) -> None:
    install("one", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    registry = Registry({"PSTACK_BLOCK_PLUGINS": "fake"})
    assert "fake" not in registry.engines()
    assert named(registry, "fake").status == "blocked"
    assert "fake_engine" not in sys.modules
    with pytest.raises(UnknownEngine, match="blocked by PSTACK_BLOCK_PLUGINS"):
        registry.engine("fake")


def test_trace(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("one", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    Registry({"PSTACK_TRACE_PLUGINS": "1"}).engine("fake")
    assert "pstack: pstack_register_engines" in capsys.readouterr().err


def test_unknown_engine_names_the_nearest(install: Install) -> None:
    install("one", {"fake": "fake_engine"}, {"fake_engine": FAKE})
    registry = Registry({"PSTACK_LOAD_PLUGINS": "fake"})
    with pytest.raises(UnknownEngine, match="no engine 'fkae'; did you mean 'fake'"):
        registry.engine("fkae")
    with pytest.raises(UnknownEngine, match="no engine 'qqq'; there are: fake"):
        registry.engine("qqq")
    with pytest.raises(UnknownEngine, match="pstack plugins"):
        Registry({"PSTACK_LOAD_PLUGINS": ""}).engine("local")


def test_description_that_fails(install: Install) -> None:
    source = plugin("x").replace("return EngineInfo", "1 / 0; return EngineInfo")
    install("one", {"x": "x_engine"}, {"x_engine": source})
    info = describe(Registry({}).engine("x"))
    assert not info.available
    assert "ZeroDivisionError" in info.detail


def test_both_scans_agree(install: Install) -> None:
    site = install("odd", {"a": "m:attr.x", "b": "n"}, {})
    text = "[console_scripts]\nc = d\n\n[pstack.engines]\na = m:attr.x\n\n# note\nb=n\n[z]\ny = x\n"
    (site / "odd-1.0.dist-info" / "entry_points.txt").write_text(text)
    fast = [p for p in scan_directories(GROUP) if p.distribution == "odd"]
    assert fast == [EntryPoint("a", "m:attr.x", "odd", "1.0"), EntryPoint("b", "n", "odd", "1.0")]
    assert [p for p in scan_all(GROUP) if p.distribution == "odd"] == fast


def test_first_distribution_on_the_path_wins(install: Install, tmp_path) -> None:
    site = install("odd", {"a": "first"}, {})
    later = tmp_path / "later"
    (later / "odd-2.0.dist-info").mkdir(parents=True)
    (later / "odd-2.0.dist-info" / "entry_points.txt").write_text("[pstack.engines]\na = second\n")
    found = scan_directories(GROUP, [str(site), str(later), str(tmp_path / "absent")])
    assert [p.value for p in found] == ["first"]


def test_looking_for_one_engine_is_cheap() -> None:
    """The complete scan, and numpy, are imported only when they are needed."""
    code = (
        "import sys; from pstack_core.engines.entry_points import scan_directories;"
        "scan_directories('pstack.engines');"
        "print([m for m in ('importlib.metadata', 'email', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
