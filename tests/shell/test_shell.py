"""The shell, driven from Python: the same commands, statuses, news, completion."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cmd2.py_bridge import CommandResult, PyBridge

from pstack_core.runtime.connect import local
from pstack_core.runtime.service import ProcessInfo
from pstack_core.shell import commands
from pstack_core.shell.interactive.app import Shell, history_file, open_shell
from pstack_core.shell.interactive.news import News, announcement
from tests.shell.applications import ring

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("ring.xml").write_text(ring())
    Path("notes.txt").write_text("")
    return "ring.xml"


@pytest.fixture
def shell() -> Iterator[Shell]:
    made = Shell(local, stdin=io.StringIO(), stdout=io.StringIO())
    yield made
    made.disconnect()


Do = Callable[[str], CommandResult]


@pytest.fixture
def do(shell: Shell) -> Do:
    return PyBridge(shell)


def test_every_command_is_there_with_its_help(do: Do) -> None:
    listed = do("help").stdout
    for name in commands.NAMES:
        if name not in commands.OUTSIDE:
            assert f"\n{name} " in listed or f" {name} " in listed or f" {name}\n" in listed
            out = do(f"{name} --help").stdout
            assert f"Usage: {name}" in out
            summary = commands.command(name).SUMMARY
            assert " ".join(summary.split()) in " ".join(out.split())


def test_a_session(do: Do, app: str, shell: Shell) -> None:
    assert do(f"submit {app} --array laps=2..3 --label x").stdout == "1\n2\n"
    assert do("wait 1 2")
    lines = do("ps -a --columns pid,state,name").stdout.splitlines()
    assert lines[1].split() == ["1", "finished", "ring.xml", "[laps=2]"]
    run = do(f"run {app} --quiet")
    assert run
    assert "State [n1]: waiting = 0, counter = 10" in run.stdout
    assert shell.foreground == {1, 2, 3}
    assert do("ps -a").stdout.count("ring.xml") == 3
    do("ps -aq > pids.txt")
    assert Path("pids.txt").read_text() == "1\n2\n3\n"
    assert do("ps -aq | sort -r").stdout.split() == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("ps", 0, ""),
        ("frobnicate", 127, "there is no command 'frobnicate'; 'help' lists them"),
        ("rnu", 127, "did you mean 'run'?"),
        ("ps --colour", 2, "unrecognized arguments: --colour; 'ps --help' explains"),
        ("show 9", 5, "there is no process 9"),
        ("run no-such.xml", 3, "cannot read the file"),
        ("ps --help", 0, ""),
        ("run_script no-such", 1, "no-such"),
        ("alias list", 0, ""),
    ],
)
def test_statuses(do: Do, shell: Shell, line: str, status: int, message: str) -> None:
    result = do(line)
    assert shell.status == status
    assert message in result.stderr
    assert bool(message) == bool(result.stderr)
    if status:
        assert f"[{status}]" in shell.make_prompt()


def test_a_run_that_cannot_be(do: Do, shell: Shell, app: str) -> None:
    Path("bad.xml").write_text("<Graphs")
    result = do("run bad.xml")
    assert shell.status == 3
    assert result.stderr.startswith("pstack: error: ")
    Path("seven.xml").write_text(ring(exit_code=7))
    do("run seven.xml --quiet")
    assert shell.status == 7


def test_prompt_counts(do: Do, shell: Shell, app: str) -> None:
    service = shell.service()
    assert shell.make_prompt() == "\x1b[1mpstack\x1b[0m> "
    from pstack_core.runtime.service import Request

    service.submit([Request(application=b"x")] * 3)
    service.pause([3])
    assert shell.make_prompt() == "\x1b[1mpstack\x1b[0m 2 waiting \x1b[35m1 paused\x1b[0m> "


def completions(shell: Shell, line: str) -> list[str]:
    begin = line.rfind(" ") + 1
    found = shell.complete(line[begin:], line=line, begidx=begin, endidx=len(line))
    return list(found.to_strings())


def test_completion(do: Do, shell: Shell, app: str) -> None:
    do(f"submit {app} --label night")
    do("wait 1")
    Path("folder").mkdir()
    assert completions(shell, "subm") == ["submit"]
    assert completions(shell, "run ") == ["folder/", "ring.xml"]
    assert completions(shell, "submit ring.xml --prio") == ["--priority"]
    assert completions(shell, "run ring.xml --set ") == ["laps="]
    assert completions(shell, "run ring.xml --engine l") == ["local"]
    assert completions(shell, "result ") == ["1"]
    assert completions(shell, "kill ") == []
    assert completions(shell, "ps --label n") == ["night"]
    assert completions(shell, "ps --state fi") == ["finished"]
    assert completions(shell, "result 1 --device ") == ["n0", "n1", "n2", "n3"]
    assert completions(shell, "result 1 --device n1 --field c") == ["counter"]
    assert completions(shell, "logs 1 --device n3") == ["n3"]
    assert completions(shell, "result 99 --device ") == []
    assert completions(shell, "run notes.txt --set ") == []
    assert completions(shell, "spool v") == ["vacuum"]


def test_pids_are_described(do: Do, shell: Shell, app: str) -> None:
    do(f"submit {app} --array laps=3,4")
    do("wait 1 2")
    found = shell.complete("", line="show ", begidx=5, endidx=5)
    assert [(item.text, item.display_meta) for item in found.items] == [
        ("1", "finished exit 0  ring.xml [laps=3]"),
        ("2", "finished exit 0  ring.xml [laps=4]"),
    ]


def test_python(do: Do, app: str) -> None:
    Path("script.py").write_text(
        "graph = load('ring.xml')\n"
        "assert graphs['exit_0'] is graph\n"
        "print(run(graph).metrics['Delivered messages'])\n"
        "pid = submit('ring.xml', label='py')\n"
        "print(*[process.state for process in ps()])\n"
        "print(service.wait([pid])[0].label, runtime.service.persistent)\n"
        "print(result(pid).states['n2']['counter'])\n"
        "print(app('ps -a').stdout)\n"
    )
    result = do("run_pyscript script.py")
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[:4] == ["40", "waiting", "py False", "10"]
    assert "ring.xml" in lines[5]


def test_macros_aliases_and_scripts(do: Do, shell: Shell, app: str) -> None:
    do("alias create all ps -aq")
    do("macro create twice submit {1} {1}")
    Path("script").write_text("# comment\ntwice ring.xml\nall\n")
    assert do("run_script script").stdout == "1\n2\n1\n2\n"


def test_scripts_one_shot(app: str, capsys: Capture) -> None:
    Path("script").write_text("submit ring.xml\nfrob\nps -aq\n")
    assert open_shell([Path("script")]) == 0
    assert capsys.readouterr().out == "1\n1\n"
    assert open_shell([Path("script")], stop_on_error=True) == 127
    assert capsys.readouterr().out == "2\n"
    assert open_shell(lines=["ps -aq", "show 9"]) == 5


def test_no_history_of_scripts(shell: Shell) -> None:
    assert not history_file().exists()


def test_a_service_that_goes_away(shell: Shell, do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    from pstack_core.runtime.errors import Unavailable

    do("ps")

    def gone(check: bool = False) -> None:
        raise Unavailable("the daemon went away")

    monkeypatch.setattr(shell.service(), "spool_info", gone)
    assert "no service" in shell.make_prompt()
    assert shell.make_prompt().endswith("pstack\x1b[0m> ")  # another service


def ended(pid: int, state: str, reason: str = "", **more: object) -> ProcessInfo:
    return ProcessInfo(
        pid=pid, state=state, name="a.xml", owner="ann", uid=1, engine="local", reason=reason,
        started=1.0, ended=3.5, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_what_news_say() -> None:
    one = ended(3, "finished", "exit", exit_code=0)
    assert announcement([one], colour=False) == "[3] a.xml finished: exit 0 after 2.5s"
    assert "\x1b[36mfinished\x1b[0m" in announcement([one], colour=True)
    bad = ended(4, "failed", "crash", detail="OnSend: SIGSEGV")
    assert announcement([bad], False) == "[4] a.xml failed: crash after 2.5s (OnSend: SIGSEGV)"
    assert announcement([ended(5, "killed", "killed")], False) == "[5] a.xml killed after 2.5s"
    many = announcement([one] * 7 + [bad], False)
    assert many == "8 processes ended: 7 finished, 1 failed"
    assert announcement([], False) == ""


def test_news_come_from_the_service(app: str) -> None:
    with local() as service:
        told: list[float] = []
        news = News(service, service.status().user, lambda: told.append(time.monotonic()))
        time.sleep(0.05)
        from pstack_core.runtime.service import Request

        content = Path(app).read_bytes()
        pids = service.submit([Request(application=content, name="x")] * 2)
        service.wait(pids)
        deadline = time.monotonic() + 20
        got: list[ProcessInfo] = []
        while len(got) < 1 and time.monotonic() < deadline:
            got += news.take({pids[0]})
            time.sleep(0.02)
        news.close()
        assert [process.pid for process in got] == [pids[1]]
        assert told
