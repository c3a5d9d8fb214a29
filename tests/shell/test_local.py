"""Commands on the engine that compiles and runs: a real compiler, a real worker."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pstack_core as pstack
from pstack_core.shell.main import main
from tests.shell.applications import ROOT, command, ring

Capture = pytest.CaptureFixture[str]

#: Makes the token go round for ever.
ENDLESS = ("counter == graphProperties->laps", "counter == 0xffffffff")


@pytest.fixture
def app(tmp_path: Path):
    """Writes the ring, with some text replaced."""

    def write(*replacements: tuple[str, str], **options: int) -> str:
        text = ring("ring", **options)
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "app.xml"
        path.write_text(text)
        return str(path)

    return write


def test_the_readme_tells_the_truth(capsys: Capture) -> None:
    """The sample of the README is what the example prints, but for measured times."""
    readme = (ROOT / "README.md").read_text()
    sample = re.search(r"```text\n(.*?)```", readme, re.DOTALL)[1]
    example = re.search(r"pstack run (\S+)", readme)[1]
    assert main(["run", str(ROOT / example)]) == 0

    def untimed(text: str) -> str:
        return re.sub(r"((?:seconds|per second)\]: )[\d.]+", r"\1...", text)

    assert untimed(capsys.readouterr().out) == untimed(sample)


def test_ring(app, capsys: Capture) -> None:
    assert main(["run", app(exit_code=7)]) == 7
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines.count("Log [device n1, level 1]: counter = 3") == 1
    assert len([line for line in lines if line.startswith("Log")]) == 40
    assert "Exit [device n0]: handler_exit(7) called" in lines
    assert "Metric [Delivered messages]: 40" in lines
    assert lines[-4:] == [f"State [n{i}]: waiting = 0, counter = 10" for i in range(4)]
    assert err == ""


def test_level_and_property(app, capsys: Capture) -> None:
    assert main(["run", app(), "--level", "0", "--set", "laps=3", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    result = json.loads(out)
    assert result["metrics"]["Delivered messages"] == 12
    assert result["states"]["n3"] == {"waiting": 0, "counter": 3}


@pytest.mark.parametrize("assignment", ["lap=3", "laps=many", "laps=-1"])
def test_property_that_cannot_be_set(app, capsys: Capture, assignment: str) -> None:
    assert main(["run", app(), "--strict", "--set", assignment]) == 3
    err = capsys.readouterr().err
    assert "lap" in err
    assert "Traceback" not in err


def test_python_gives_the_same_as_the_command(app, capsys: Capture) -> None:
    path = app()
    assert main(["run", path, "--json", "--quiet"]) == 0
    said = json.loads(capsys.readouterr().out)
    timed = {"Compile seconds", "Load seconds", "Run seconds", "Deliveries per second"}
    for source in (path, Path(path), Path(path).read_text(), Path(path).read_bytes()):
        result = pstack.run(source).to_json()
        assert result["states"] == said["states"]
        for name in set(said["metrics"]) - timed:
            assert result["metrics"][name] == said["metrics"][name]
    assert pstack.run(pstack.load(path)).to_json()["states"] == said["states"]


def test_compressed_and_standard_input(
    app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    packed = gzip.compress(Path(app()).read_bytes())
    (tmp_path / "app.xml.gz").write_bytes(packed)
    assert main(["run", str(tmp_path / "app.xml.gz"), "--quiet"]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    assert main(["run", "-", "--quiet"]) == 0
    assert capsys.readouterr().out.count("Metric [Delivered messages]: 40") == 2


def test_handler_that_does_not_compile(app, capsys: Capture) -> None:
    path = app(("deviceState->counter++;", "deviceState->cuonter++;"))
    line = next(
        n for n, text in enumerate(Path(path).read_text().splitlines(), 1) if "cuonter" in text
    )
    assert main(["run", path]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{path}:{line}" in err
    assert "cuonter" in err
    assert "pstack: error: " in err
    assert "Traceback" not in err


def test_handler_that_crashes(app, capsys: Capture) -> None:
    crash = "volatile int *p = nullptr; *p = 1;"
    assert main(["run", app(("deviceState->counter++;", crash)), "--quiet"]) == 139
    out, err = capsys.readouterr()
    assert "Metric [Reason]: crash" in out
    assert err.startswith("pstack: error: ")
    assert "SIGSEGV" in err
    assert "n1" in err
    assert "in" in err


@pytest.mark.parametrize(
    ("option", "status", "reason"),
    [("--timeout=0.2", 124, "timeout"), ("--max-events=1000", 125, "limit")],
)
def test_ring_without_an_end(app, capsys: Capture, option: str, status: int, reason: str) -> None:
    assert main(["run", app(ENDLESS), "--level=0", option]) == status
    out, err = capsys.readouterr()
    assert f"Metric [Reason]: {reason}" in out
    assert err.startswith("pstack: error: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_run_with_a_report(app, number: signal.Signals) -> None:
    log = "handler_log(1,"
    endless = app(ENDLESS, (log, f"if (deviceState->counter == 1) {log}"))
    process = subprocess.Popen(
        command("run", endless),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Log [device n1, level 1]: counter = 1")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "End [killed]" in out
    assert re.search(r"Metric \[Delivered messages\]: [1-9]", out)
    assert "Traceback" not in err


def test_worker_ends_with_the_command(app, tmp_path: Path) -> None:
    """Killed without warning, pstack leaves no worker behind."""
    mark = f"ring_{os.getpid()}_{time.monotonic_ns()}"
    sleep = f'handler_log(1, "{mark}"); for (;;) {{ volatile int x = 0; (void)x; }}'
    process = subprocess.Popen(
        command("run", app(("deviceState->counter++;", sleep))), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert mark in process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while any(running(child) for child in children):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.05)


def running(process: str) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_check(app, tmp_path: Path, capsys: Capture) -> None:
    path = app()
    assert main(["check", path]) == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings\n"
    bad = app(
        ('path="n1:in-n0:out"', 'path="n9:in-n0:out"'),
        ('path="n2:in-n1:out"', 'path="n2:up-n1:out"'),
    )
    lines = Path(bad).read_text().splitlines()
    assert main(["check", bad]) == 3
    out = capsys.readouterr().out
    for text in ("n9:in", "n2:up"):
        line = next(n for n, content in enumerate(lines, 1) if text in content)
        assert f"{bad}:{line}:" in out
    assert "2 errors, 0 warnings" in out
    assert main(["check", bad, "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["errors"] == 2
    assert all(problem["line"] and problem["message"] for problem in answer["problems"])


def test_info(app, capsys: Capture) -> None:
    path = app()
    assert main(["info", path]) == 0
    out = capsys.readouterr().out
    assert "node:in" in out
    assert "token" in out
    assert main(["info", path, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["devices"], answer["edges"]) == (4, 4)
    assert main(["info", path, "--types", "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)["types"]
    assert only["id"] == "ring"
    assert main(["info", path, "--types"]) == 0
    assert "node:out" in capsys.readouterr().out


@pytest.mark.parametrize("version", ["v3", "v4", "base85"])
def test_convert_keeps_the_meaning(app, tmp_path: Path, capsys: Capture, version: str) -> None:
    path = app()
    assert main(["run", path, "--json", "--quiet"]) == 0
    before = json.loads(capsys.readouterr().out)["states"]
    other = tmp_path / "other.xml.gz"
    assert main(["convert", path, "--to", version, "-o", str(other)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["run", str(other), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == before
    assert main(["convert", path, "--to", version]) == 0
    printed = tmp_path / "printed.xml"
    printed.write_text(capsys.readouterr().out)
    assert main(["check", str(printed)]) == 0


def test_convert_to_where_nothing_can_be_written(app, tmp_path: Path, capsys: Capture) -> None:
    assert main(["convert", app(), "--to", "v4", "-o", str(tmp_path / "no" / "x.xml")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pstack: error: ")
    assert "x.xml" in err
    assert err.count("\n") == 1


def test_engines_lists_the_local_engine(capsys: Capture) -> None:
    assert main(["engines", "--json"]) == 0
    (local,) = [e for e in json.loads(capsys.readouterr().out)["engines"] if e["name"] == "local"]
    assert local["available"]
    assert local["detail"]
