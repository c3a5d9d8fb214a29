"""``pstack run`` against an engine that does what it is told."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pstack_core.shell.main import main
from tests.conftest import Install
from tests.fake_engine import FAKE
from tests.shell.applications import command, ring

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def fake(install: Install) -> Path:
    return install("fake", {"fake": "fake_engine"}, {"fake_engine": FAKE})


@pytest.fixture
def app(tmp_path: Path):
    """Writes an application whose instance tells the engine what to do."""

    def write(instance: str = "exit_0", **options: int) -> str:
        path = tmp_path / "app.xml"
        path.write_text(ring(instance, **options))
        return str(path)

    return write


def run(*arguments: str) -> int:
    return main(["run", *arguments, "--engine", "fake"])


def test_what_a_person_sees(app, capsys: Capture) -> None:
    assert run(app("exit_3")) == 3
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[:4] == [f"Log [device n{i}, level 1]: hello ✓" for i in range(4)]
    assert lines[4] == "Exit [device n0]: handler_exit(3) called"
    assert lines[5] == "Metric [Delivered messages]: 10"
    assert lines[6] == "Metric [Exit code]: 3"
    assert len([line for line in lines if line.startswith("Metric")]) == 10
    assert lines[15:] == [f"State [n{i}]: waiting = 1, counter = 10" for i in range(4)]
    assert err == ""


def test_json(app, capsys: Capture) -> None:
    assert run(app(), "--json") == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert set(result) == {"states", "metrics"}
    assert result["states"]["n2"] == {"waiting": 1, "counter": 10}
    assert result["metrics"]["Delivered messages"] == 10
    assert err.splitlines()[0] == "Log [device n0, level 1]: hello ✓"
    assert out.isascii()


def test_quiet(app, capsys: Capture) -> None:
    assert run(app(), "--quiet") == 0
    out, err = capsys.readouterr()
    assert "Log" not in out + err
    assert "Metric [Delivered messages]: 10" in out
    assert run(app(), "--quiet", "--json") == 0
    out, err = capsys.readouterr()
    assert "Log" not in out + err
    assert json.loads(out)["metrics"]["Reason"] == "exit"


@pytest.mark.parametrize(
    ("instance", "status", "line"),
    [
        ("idle", 0, "End [idle]: nothing in flight and nothing ready to send"),
        ("halt_9", 9, "End [halt]: a message to __halt__ ended the run"),
        ("timeout", 124, "End [timeout]: the time limit ended the run"),
        ("limit", 125, "End [limit]: a limit ended the run"),
        ("assert", 1, "End [assert]: an assertion failed"),
        ("crash", 139, "End [crash]: OnSend of pin 'out' of device n0: SIGSEGV"),
    ],
)
def test_ends(app, capsys: Capture, instance: str, status: int, line: str) -> None:
    assert run(app(instance)) == status
    out, err = capsys.readouterr()
    assert line in out.splitlines()
    blamed = instance not in ("idle", "halt_9")
    assert err == (f"pstack: error: {line.partition(': ')[2]}\n" if blamed else "")


@pytest.mark.parametrize(
    ("instance", "status", "message"),
    [
        ("failed", 4, "pstack: error: the worker could not be started: no such file\n"),
        (
            "compile",
            3,
            "app.xml:3: error: x\npstack: error: OnInit of device type 'node' does not compile\n",
        ),
    ],
)
def test_task_that_cannot_run(app, capsys, instance: str, status: int, message: str) -> None:
    assert run(app(instance)) == status
    assert capsys.readouterr() == ("", message)


def test_bug_of_ours_is_reported_as_one(app, capsys: Capture) -> None:
    assert run(app("bug"), "--quiet") == 70
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "this is a bug in pstack; please report it" in err


def test_unknown_engine(app, capsys: Capture) -> None:
    assert main(["run", app(), "--engine", "fka"]) == 4
    assert "there is no engine 'fka'; did you mean 'fake'?" in capsys.readouterr().err


def test_many_states_are_not_printed(app, tmp_path: Path, capsys: Capture) -> None:
    states = tmp_path / "states.csv"
    assert run(app(size=150), "--quiet", "--states", str(states)) == 0
    out = capsys.readouterr().out
    assert out.count("State [") == 100
    assert out.endswith("States of 100 of 150 devices; --states FILE writes all of them\n")
    with states.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 150


def test_states_files(app, tmp_path: Path) -> None:
    for ending in ("json", "npz"):
        assert run(app(), "--quiet", "--states", str(tmp_path / f"s.{ending}")) == 0
    loaded = json.loads((tmp_path / "s.json").read_text())
    assert loaded["n1"] == {"waiting": 1, "counter": 10}
    with np.load(tmp_path / "s.npz") as file:
        assert file["node/counter"].tolist() == [10] * 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s.xls", "must end in .json, .csv or .npz"),
        ("nowhere/s.json", "there is no folder"),
        ("folder.csv", "cannot be written"),
    ],
)
def test_states_file_is_refused_before_the_run(
    app, tmp_path: Path, capsys: Capture, name: str, message: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert run(app(), "--states", str(tmp_path / name)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_options_reach_the_engine(app) -> None:
    options = "--level 2 --seed 5 --timeout 1.5m --max-events 1_000 --memory 2G --cpu-seconds 3"
    assert run(app(), "--quiet", *options.split(), "--set", "laps=7") == 0
    task = sys.modules["fake_engine"].Fake.sessions[-1].task
    assert (task.level, task.seed) == (2, 5)
    assert (task.limits.wall_seconds, task.limits.cpu_seconds) == (90.0, 3.0)
    assert (task.limits.events, task.limits.memory_bytes) == (1000, 2 << 30)
    assert task.graph.properties["laps"] == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--timeout 0", "'0' is not a time"),
        ("--timeout soon", "'soon' is not a time"),
        ("--timeout .", "'.' is not a time"),
        ("--memory lots", "'lots' is not a size"),
        ("--memory 0", "'0' is not a size"),
        ("--threads 0", "'0' is not a whole number of at least 1"),
        ("--max-events 1.5", "'1.5' is not a whole number"),
        ("--level -1", "'-1' is not a whole number from 0"),
        ("--seed 18446744073709551616", "is not a whole number from 0"),
        ("--set laps", "'laps' is not NAME=VALUE"),
        ("--set 9=1", "'9=1' is not NAME=VALUE"),
        ("--nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_usage_errors(capsys: Capture, options: str, message: str) -> None:
    assert run("app.xml", *options.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pstack: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_bad_application(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(ring().replace('path="n1:in-n0:out"', 'path="n9:in-n0:out"'))
    assert run(str(path)) == 3
    out, err = capsys.readouterr()
    assert out == ""
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "n9:in" in text)
    assert err.startswith(f"{path}:{line}:")
    assert "n9" in err
    assert err.endswith("pstack: error: the application has 1 error\n")


def test_absent_file(capsys: Capture) -> None:
    assert run("absent.xml") == 3
    err = capsys.readouterr().err
    assert "absent.xml" in err
    assert "Traceback" not in err


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    text = io.TextIOWrapper(io.BytesIO(ring("exit_5").encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert run("-") == 5
    assert "Exit [device n0]: handler_exit(5) called" in capsys.readouterr().out


def test_interrupt_stops_the_run_and_reports(app, capsys: Capture) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run(app("wait")) == 130
    out = capsys.readouterr().out
    assert "End [killed]: stopped" in out
    assert "Metric [Delivered messages]: 10" in out
    assert signal.getsignal(signal.SIGINT) is before


def environment(site: Path, **variables: str) -> dict[str, str]:
    """For a process that sees the fake engine."""
    path = os.pathsep.join([str(site), *sys.path])
    return {**os.environ, "PYTHONPATH": path, **variables}


def test_reader_that_goes_away(app, fake: Path) -> None:
    process = subprocess.Popen(
        command("run", app(size=5000), "--engine", "fake"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(fake),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 141


def test_terminal_that_is_not_utf_8(app, fake: Path) -> None:
    done = subprocess.run(
        command("run", app(), "--engine", "fake"),
        capture_output=True,
        env=environment(fake, PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        check=True,
    )
    assert done.stdout.startswith(b"Log [device n0, level 1]: hello \\u2713\n")


def test_output_that_cannot_be_written(app, fake: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("run", app(), "--engine", "fake"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(fake),
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"pstack: error: No space left on device\n"
