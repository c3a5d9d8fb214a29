"""The screen of ``top``: what keys do and what is drawn, without a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import termios
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.runtime.errors import NotAllowed
from pstack_core.runtime.service import EngineStatus, LogLine, ProcessInfo, ServiceStatus
from pstack_core.shell.columns import cell_width
from pstack_core.shell.screen.snapshot import Snapshot
from pstack_core.shell.screen.terminal import Terminal, keys_of
from pstack_core.shell.screen.top import Top


class Actions:
    """Writes down what was asked for, and knows one log."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.log = [LogLine(n, 0.0, f"n{n % 4}", 1, f"line {n}") for n in range(1, 101)]

    def kill(self, pids: list[int], force: bool = False) -> None:
        if pids == [4]:
            raise NotAllowed("process 4 belongs to bob")
        self.asked.append(("kill", pids, force))

    def pause(self, pids: list[int]) -> None:
        self.asked.append(("pause", pids))

    def resume(self, pids: list[int]) -> None:
        self.asked.append(("resume", pids))

    def show(self, pid: int) -> object:
        return type("Details", (), {"log_lines": len(self.log)})

    def logs(self, pid: int, after: int = 0, limit: int | None = None) -> list[LogLine]:
        return [line for line in self.log if line.number > after][:limit]


def process(pid: int, state: str, **more: object) -> ProcessInfo:
    given = {"name": f"app{pid}.xml", "owner": "ann", "uid": 1, "engine": "local"} | more
    return ProcessInfo(pid=pid, state=state, **given)  # type: ignore[arg-type]


PROCESSES = [
    process(1, "waiting"),
    process(2, "running", rate=5e6, started=90.0, memory_bytes=1 << 20),
    process(3, "paused", started=80.0, memory_bytes=1 << 30),
    process(4, "running", owner="bob", rate=9e6, started=99.0),
    process(5, "finished", reason="exit", exit_code=3, exit_status=3, started=10.0, ended=20.0),
]


def snapshot(processes: list[ProcessInfo] = PROCESSES) -> Snapshot:
    status = ServiceStatus(daemon=True, pid=77, version="1", spool="/s", started=50.0, user="ann")
    engine = EngineStatus(name="local", kind="native", host="here", slots=4, running=2, waiting=1)
    counts = {"waiting": 1, "running": 2, "paused": 1, "finished": 1}
    return Snapshot(100.0, status, [engine], processes, counts)


@pytest.fixture
def actions() -> Actions:
    return Actions()


@pytest.fixture
def top(actions: Actions) -> Top:
    made = Top(actions, colour=True)  # type: ignore[arg-type]
    made.update(snapshot())
    return made


def text(top: Top, width: int = 100, height: int = 24) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in top.draw(width, height)]


def pids(top: Top) -> list[int]:
    found = [re.match(r"\s*(\d+)  ", line) for line in text(top)]
    return [int(match[1]) for match in found if match]


def press(top: Top, keys: str) -> None:
    for key in keys.split():
        top.press(key)


def test_what_is_on_it(top: Top) -> None:
    lines = text(top)
    assert lines[0].endswith("daemon 77, up 50s, user ann")
    assert lines[1].startswith("1 waiting, 2 running, 1 paused, 1 finished; 14.0M/s")
    assert lines[2] == "local  [#####.....] 2/4 slots, 1 waiting  native on here"
    assert lines[4].split()[:3] == ["PID", "STATE", "NAME"]
    assert pids(top) == [2, 4, 3, 1]
    assert len(lines) == 24
    assert "h help" in lines[-1]


def test_order(top: Top) -> None:
    for key, order in (("R", [4, 2, 1, 3]), ("M", [3, 2, 1, 4]), ("P", [1, 2, 3, 4])):
        press(top, key)
        assert pids(top) == order
    press(top, "r")
    assert pids(top) == [4, 3, 2, 1]
    press(top, "S")
    assert pids(top) == [2, 4, 3, 1]
    press(top, "> >")
    assert "by state" in text(top)[-1]
    press(top, "< <")
    assert pids(top) == [2, 4, 3, 1]


def test_what_is_shown(top: Top) -> None:
    press(top, "a")
    assert pids(top) == [2, 4, 3, 1, 5]
    assert any(line.rstrip().endswith("exit 3") for line in text(top))
    press(top, "u")
    assert pids(top) == [2, 3, 1, 5]
    press(top, "/ p a u x backspace")
    assert text(top)[-1].startswith("show only: pau_")
    assert pids(top) == [3]
    press(top, "enter")
    assert "with 'pau'" in text(top)[-1]
    press(top, "escape a u")
    assert pids(top) == [2, 4, 3, 1]


def test_kill_asks_first(top: Top, actions: Actions) -> None:
    press(top, "k")
    assert text(top)[-1].startswith("kill 2 app2.xml? y or n")
    press(top, "n")
    assert actions.asked == []
    press(top, "k y down K y")
    assert actions.asked == [("kill", [2], False)]
    assert text(top)[-1].startswith("process 4 belongs to bob")
    press(top, "down K y")
    assert actions.asked[-1] == ("kill", [3], True)


def test_pause_and_go_on(top: Top, actions: Actions) -> None:
    press(top, "p down down p")
    assert actions.asked == [("pause", [2]), ("resume", [3])]


def test_log(top: Top, actions: Actions) -> None:
    press(top, "l")
    lines = text(top, 60, 12)
    assert lines[0].startswith("log of 2, following")
    assert lines[-1].endswith("line 100")
    press(top, "up up")
    assert text(top, 60, 12)[-1].endswith("line 98")
    actions.log.append(LogLine(101, 0.0, "n0", 1, "line 101"))
    top.update(snapshot())
    assert text(top, 60, 12)[-1].endswith("line 98")
    press(top, "end")
    assert text(top, 60, 12)[-1].endswith("line 101")
    press(top, "home")
    assert text(top, 60, 12)[1].endswith("line 1")
    press(top, "escape")
    assert pids(top) == [2, 4, 3, 1]


def test_help_and_leaving(top: Top) -> None:
    press(top, "h")
    assert any("leave" in line for line in text(top))
    press(top, "x")
    assert pids(top) == [2, 4, 3, 1]
    press(top, "q")
    assert top.over


def test_a_long_list_scrolls_with_what_is_chosen(actions: Actions) -> None:
    top = Top(actions, colour=False)  # type: ignore[arg-type]
    top.update(snapshot([process(n, "waiting") for n in range(1, 501)]))
    assert pids(top)[:2] == [1, 2]
    press(top, "end")
    assert pids(top)[-1] == 500
    top.press("page up")
    assert len(pids(top)) == len(set(pids(top)))
    top.update(snapshot([process(1, "waiting")]))
    assert pids(top) == [1]
    top.update(snapshot([]))
    press(top, "k down l p")
    assert pids(top) == []


@given(st.integers(20, 250), st.integers(8, 60), st.sampled_from(["", "h", "l", "a", "k", "/"]))
def test_it_fits_every_terminal(width: int, height: int, keys: str) -> None:
    top = Top(Actions(), colour=True)  # type: ignore[arg-type]
    top.update(snapshot())
    press(top, keys)
    lines = text(top, width, height)
    assert len(lines) <= height
    if keys != "h":
        assert max(map(cell_width, lines)) <= width


def test_before_the_first_answer(actions: Actions) -> None:
    top = Top(actions, colour=False)  # type: ignore[arg-type]
    press(top, "k down l q")
    assert top.over
    assert top.draw(80, 24) == ["asking the service ..."]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("kq", ["k", "q"]),
        ("\x1b[A\x1bOB\x1b[5~", ["up", "down", "page up"]),
        ("\x1b", ["escape"]),
        ("\r\x7f", ["enter", "backspace"]),
        ("é", ["é"]),
        ("\x1b[<0;1;1M\x1b[200~", []),
        ("\x03", ["q"]),
    ],
)
def test_keys(typed: str, keys: list[str]) -> None:
    assert keys_of(typed) == keys


def test_the_terminal_is_given_back() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    out = io.StringIO()

    def use(stdin: IO[str]) -> None:
        with Terminal(stdin, out) as terminal:
            os.write(ours, b"\x1b[A")
            assert terminal.keys(5.0) == ["up"]
            terminal.wake()
            assert terminal.keys(5.0) == []
            terminal.draw(["a", "b"])
            raise ZeroDivisionError

    with open(theirs, closefd=False) as stdin, pytest.raises(ZeroDivisionError):
        use(stdin)
    assert termios.tcgetattr(theirs) == before
    assert out.getvalue().startswith("\x1b[?1049h")
    assert out.getvalue().endswith("\x1b[?1049l")
    os.close(ours)
    os.close(theirs)
