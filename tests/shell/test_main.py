"""The command line as a whole: help, version, errors, and what it does not import."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from pstack_core.shell import commands
from pstack_core.shell.context import Context
from pstack_core.shell.main import main
from tests.shell.applications import command

Capture = pytest.CaptureFixture[str]


def test_help_lists_every_command(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name in commands.NAMES:
        assert f"  {name} " in out


@pytest.mark.parametrize("name", commands.NAMES)
def test_every_command_explains_itself_with_an_example(name: str, capsys: Capture) -> None:
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: pstack {name}" in out
    assert "example:\n  pstack" in out or f"pstack {name}" in out.partition("example:")[2]
    summary = commands.command(name).SUMMARY
    assert summary.endswith(".")
    assert " ".join(out.split()).count(summary) == 1


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pstack ")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
        (["qqqq"], "there is no command 'qqqq'; there are: run, "),
        (["--verison"], "unrecognized arguments: --verison; 'pstack --help' explains the usage"),
        (["run"], "the following arguments are required: APP; 'pstack run --help' explains"),
    ],
)
def test_wrong_usage(capsys: Capture, typed: list[str], message: str) -> None:
    assert main(typed) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"pstack: error: {message}")


@pytest.mark.parametrize(
    "typed", [["--help"], ["--version"], ["run", "--help"], ["rnu"], ["run"], ["plugins"]]
)
def test_short_commands_import_nothing_heavy(typed: list[str]) -> None:
    code = (
        "import sys; from pstack_core.shell.main import main; main(sys.argv[1:]);"
        "heavy = {'numpy', 'jinja2', 'cffi', 'asyncio', 'sqlite3'} & set(sys.modules);"
        "sys.stderr.write(f'heavy={sorted(heavy)}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *typed],
        capture_output=True,
        text=True,
        check=True,
        env={"PSTACK_LOAD_PLUGINS": "", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stderr.endswith("heavy=[]")


def test_interrupt_before_a_run(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt(context: Context, arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pstack_core.shell.commands.plugins.run", interrupt)
    assert main(["plugins"]) == 130
    assert capsys.readouterr().err == "pstack: error: interrupted\n"


@pytest.mark.parametrize(
    ("variables", "terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour(variables: dict[str, str], terminal: bool, coloured: bool) -> None:
    class Stream:
        def isatty(self) -> bool:
            return terminal

    context = Context(environment=variables)
    assert context.coloured(Stream()) is coloured  # type: ignore[arg-type]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_no_control_characters_of_others() -> None:
    stream = Terminal()
    context = Context(stdout=stream, stderr=stream, environment={})
    context.write("a\tb\x1b[31mc\x07\né")
    context.error("bad \x1b]0;title\x07")
    assert stream.getvalue() == (
        "a\tb\\x1b[31mc\\x07\né\n\x1b[1;31mpstack: error:\x1b[0m bad \\x1b]0;title\\x07\n"
    )
    pipe = io.StringIO()
    Context(stdout=pipe).write("a\x1bb")
    assert pipe.getvalue() == "a\x1bb\n"


def test_module_runs_as_a_program() -> None:
    done = subprocess.run(command("--version"), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pstack ")
