"""Commands that plugins bring."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cmd2.py_bridge import PyBridge

from pstack_core.runtime.connect import local
from pstack_core.shell import plugin_commands
from pstack_core.shell.interactive.app import Shell
from pstack_core.shell.main import main

GUIDE = Path(__file__).parents[2] / "docs" / "shell.md"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on ``sys.path``; what is found there is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    for variable in ("LOAD", "BLOCK"):
        monkeypatch.delenv(f"PSTACK_{variable}_PLUGINS", raising=False)
    plugin_commands.load.cache_clear()
    yield folder
    plugin_commands.load.cache_clear()
    sys.modules.pop("hello_plugin", None)


def install(site: Path, source: str) -> None:
    (site / "hello_plugin.py").write_text(source)
    info = site / "hello-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pstack.commands]\nhello = hello_plugin\n")


@pytest.fixture
def hello(site: Path) -> None:
    [source] = re.findall(r"```python\n(import argparse.*?)```", GUIDE.read_text(), re.DOTALL)
    install(site, source)


@pytest.mark.usefixtures("hello")
def test_the_plugin_of_the_guide(capsys: Capture) -> None:
    assert main(["hello", "world"]) == 0
    assert capsys.readouterr().out == "hello world\n"
    assert main(["hello", "--help"]) == 0
    assert "usage: pstack hello" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert "plugins:\n  hello     Greet somebody.\n" in capsys.readouterr().out
    assert main(["helo"]) == 2
    assert "did you mean 'hello'?" in capsys.readouterr().err


@pytest.mark.usefixtures("hello")
def test_in_the_shell() -> None:
    shell = Shell(local, stdin=io.StringIO(), stdout=io.StringIO())
    try:
        assert PyBridge(shell)("hello you").stdout == "hello you\n"
    finally:
        shell.disconnect()


@pytest.mark.usefixtures("hello")
def test_not_imported_for_pstacks_own_commands(capsys: Capture) -> None:
    assert main(["plugins"]) == 0
    assert "hello_plugin" not in sys.modules


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("variable", ["PSTACK_LOAD_PLUGINS", "PSTACK_BLOCK_PLUGINS"])
def test_switched_off(variable: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv(variable, "" if "LOAD" in variable else "hello")
    assert main(["hello", "x"]) == 2
    assert "there is no command 'hello'" in capsys.readouterr().err


HEAD = "from pstack_core.engines.hookspecs import hookimpl\n"
HOOK = "@hookimpl\ndef pstack_register_commands(register):\n    "
GOOD = "class C:\n    SUMMARY = EXAMPLES = ''\n    add_arguments = run = print\n"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "none of its functions is marked as a hook"),
        (HEAD + HOOK + "1/0", "ZeroDivisionError"),
        (HEAD + GOOD + HOOK + "register('run', C())", "there is a command of that name"),
        (HEAD + GOOD + HOOK + "register('A B', C())", "must be lower-case letters"),
        (HEAD + HOOK + "register('bare', object())", "'bare' is left out: it has no SUMMARY"),
        (HEAD + GOOD + "    run = 3\n" + HOOK + "register('c', C())", "it has no function run"),
    ],
)
def test_a_plugin_that_fails_harms_nothing(
    site: Path, source: str, error: str, capsys: Capture
) -> None:
    install(site, source)
    assert main(["--help"]) == 0
    assert main(["doctor"]) == 1
    assert error in capsys.readouterr().out
