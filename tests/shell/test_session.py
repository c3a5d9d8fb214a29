"""One whole session in a terminal: what is typed, what is seen."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.shell.applications import command, ring

#: Seconds that something may take on a busy machine.
PATIENCE = 60.0
#: Modes that the emulated terminal does not know, and prints.
PRIVATE = re.compile(r"\x1b\[[>=?][0-9;]*[a-zA-Z]")


class Session:
    """A shell at a terminal, and what that shows."""

    def __init__(
        self, folder: Path, columns: int = 100, lines: int = 70, **environment: str
    ) -> None:
        self.raw = ""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        variables = os.environ | {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm-256color"}
        variables.pop("NO_COLOR", None)
        self.child = pexpect.spawn(
            command()[0],
            command()[1:],
            cwd=folder,
            env=variables | environment,
            encoding="utf-8",
            dimensions=(lines, columns),
        )

    def screen(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    def expect(self, pattern: str) -> str:
        """Wait until the screen shows something; the whole screen."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.screen(), re.MULTILINE):
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self.screen()}"
            assert self._read(0.2), f"the shell ended before {pattern!r}:\n{self.screen()}"
        return self.screen()

    def do(self, line: str, pattern: str) -> str:
        """Type a line and wait until the screen shows something."""
        return self.keys(f"{line}\r", pattern)

    def keys(self, keys: str, pattern: str) -> str:
        """Press keys and wait until the screen shows something."""
        self.child.send(keys)
        return self.expect(pattern)

    def leave(self) -> int:
        """Quit; the exit status."""
        self.child.send("quit\r")
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        while self._read(PATIENCE):
            pass
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -1)

    def _read(self, timeout: float) -> bool:
        """Take what the shell wrote; False after its end."""
        try:
            text = self.child.read_nonblocking(100_000, timeout)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += text
        self._stream.feed(PRIVATE.sub("", text))
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "ring.xml").write_text(ring())
    endless = ring().replace("== graphProperties->laps", "== 4294967295u")
    (folder / "endless.xml").write_text(endless.replace("handler_log(1", "handler_log(2"))
    (folder / "night.pstack").write_text("submit ring.xml --label script\nps -a --label script\n")
    return folder


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    made = Session(folder)
    yield made
    made.child.close(force=True)


def test_a_whole_session(session: Session, own_files: Path) -> None:
    session.expect(r"'help' lists the commands(.|\n)*^pstack>$")
    # run: log, end, metrics and states
    text = session.do("run ring.xml", r"State \[n3\]: waiting = 0, counter = 10\npstack>")
    assert text.count("Log [device") == 40
    assert "Metric [Delivered messages]: 40" in text
    # A background process announces itself above the prompt, which is typed in.
    session.do("submit ring.xml --label night", "")
    session.keys("submit endl", r"^\[2\] ring\.xml finished: exit 0 after \S+\n.*> submit endl")
    # Tab completes commands, files and PIDs.
    session.keys("\t", r"> submit endless\.xml")
    session.do("--label long", r"^3\npstack 1 running>$")
    session.keys("logs \t", r"3 +running \S+  endless\.xml")
    session.keys("\x03", r"> logs.*\n*.*\^C")
    # top: choose, ask, kill
    text = session.do("top", r"3  running  endless\.xml(.|\n)*q leave")
    assert text.startswith("pstack top  ")
    assert "local  [" in text
    session.keys("h", r"^k +kill it \(asks\)")
    session.keys("x", "q leave")
    session.keys("k", r"^kill 3 endless\.xml\? y or n")
    session.keys("y", "^0 processes, by state")
    session.keys("a", r"3  killed +endless\.xml")
    session.keys("q", r"^\[3\] endless\.xml killed after")
    # Ctrl-C kills a run in the foreground, or leaves it running.
    session.do("run endless.xml", "> run endless")
    wait_until_running(4)
    session.keys("\x03", r"Metric \[Reason\]: killed(.|\n)*^pstack \[130\]>$")
    session.do("run endless.xml --on-interrupt detach", "interrupt detach")
    wait_until_running(5)
    session.keys("\x03", r"process 5 runs on(.|\n)*^pstack 1 running \[130\]>$")
    session.do("kill 5", r"^\[5\] endless\.xml killed after \S+\npstack>$")
    # logs, results and statuses
    session.do("logs 2 -n 1", r"logs 2 -n 1\nLog \[device n0, level 1\]: counter = 10\npstack>$")
    session.do("show 99", r"^pstack: error: there is no process 99.*\npstack \[5\]>$")
    # Python
    session.do("py", "^>>>$")
    session.do("load('ring.xml')", "^<Graph exit_0 of type ring: 4 devices, 4 edges>")
    session.do("print(result(2).states['n1']['counter'] + 5)", "^15$")
    session.do("app('ps -aq').stdout", r"'1\\n2\\n3\\n4\\n5\\n'")
    session.do("quit()", r"Now exiting.*\npstack>$")
    # scripts
    session.do("run_script night.pstack", r"^6\nPID .*\n +6  \w+ +ring\.xml")
    session.expect(r"^\[6\] ring\.xml finished: exit 0")
    assert session.leave() == 0
    history = own_files / "XDG_STATE_HOME" / "pstack" / "history"
    assert history.stat().st_size > 0


def wait_until_running(pid: int) -> None:
    """Wait until a process runs, as somebody at another terminal sees it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done = subprocess.run(
            command("ps", "-q", "--state", "running"), capture_output=True, text=True, check=True
        )
        if str(pid) in done.stdout.split():
            return
    raise AssertionError(f"process {pid} does not run")


def test_startup_file_and_history(folder: Path, own_files: Path) -> None:
    config = own_files / "XDG_CONFIG_HOME" / "pstack"
    config.mkdir(parents=True)
    (config / "shellrc").write_text("alias create mine ps -a --label me\n")
    first = Session(folder)
    first.expect("'help' lists")
    first.do("mine", "^PID .*SUBMITTED")
    first.do("show 12345", "^pstack: error: there is no process 12345")
    assert first.leave() == 0
    second = Session(folder)
    second.expect("'help' lists")
    text = second.do("history -a", r"^ .*show 12345")
    assert "alias create" not in text
    assert second.leave() == 0


def test_no_colour(folder: Path) -> None:
    session = Session(folder, NO_COLOR="1")
    session.expect("'help' lists")
    session.do("submit ring.xml", r"^\[1\] ring\.xml finished: exit 0")
    session.do("ps -a", r"^ +1  finished")
    session.do("frob", "there is no command 'frob'")
    session.do("top -a", r"1  finished(.|\n)*q leave")
    session.keys("q", "")
    assert session.leave() == 0
    assert not re.search(r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|4[0-7]|9[0-7])m", session.raw)


@pytest.mark.parametrize("columns", [80, 200])
def test_tables_fit(folder: Path, columns: int) -> None:
    session = Session(folder, columns)
    session.expect("'help' lists")
    label = "a-label-that-is-rather-long-" * 2
    session.do(f"submit ring.xml --label {label}", r"^\[1\] ring\.xml finished")
    text = session.do("ps -a", r"^PID .*\n +1  finished.*\npstack")
    assert (label in text.partition("PID ")[2]) == (columns == 200)
    assert session.leave() == 0


def test_a_terminal_that_goes_away(folder: Path) -> None:
    session = Session(folder)
    session.expect("'help' lists")
    session.do("submit endless.xml", "^pstack 1 running>")
    session.child.kill(signal.SIGHUP)
    assert session.ended() == 128 + signal.SIGHUP
    done = subprocess.run(command("ps", "--json"), capture_output=True, text=True, check=True)
    [process] = json.loads(done.stdout)
    assert process["state"] == "waiting"  # for the next shell or daemon
