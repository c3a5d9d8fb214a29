"""The commands on processes, one-shot, on a spool of their own and the local engine."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pstack_core.shell.main import main
from tests.shell.applications import ring

Capture = pytest.CaptureFixture[str]
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def app(tmp_path: Path) -> str:
    path = tmp_path / "ring.xml"
    path.write_text(ring())
    return str(path)


@pytest.fixture
def cli(capsys: Capture) -> Cli:
    def run(*typed: str) -> tuple[int, str, str]:
        status = main(typed)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def listed(cli: Cli, *more: str) -> list[dict[str, object]]:
    status, out, _ = cli("ps", "--json", *more)
    assert status == 0
    found: list[dict[str, object]] = json.loads(out)
    return found


def test_from_submission_to_forgetting(app: str, cli: Cli, tmp_path: Path) -> None:
    status, out, err = cli("submit", app, "--array", "laps=2..3", "--label", "night")
    assert (status, out) == (0, "1\n2\n")
    assert "no daemon runs" in err
    assert [process["state"] for process in listed(cli)] == ["waiting", "waiting"]
    assert "no daemon" in cli("show", "1")[1] or "waits for" in cli("show", "1")[1]

    assert cli("wait", "1", "2") == (0, "", "")
    assert listed(cli) == []
    first, second = listed(cli, "-a")
    assert first["state"] == "finished"
    assert first["reason"] == "exit"
    assert first["exit_code"] == 0
    assert second["array_value"] == "laps=3"
    assert {"pid", "owner", "priority", "engine", "label", "submitted", "started", "ended"} <= (
        first.keys()
    )

    status, out, err = cli("logs", "2", "--json", "-n", "2")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["number"] for line in lines] == [11, 12]
    assert lines[-1]["device"] == "n0"
    assert cli("logs", "2", "--device", "n0")[1].count("device n0") == 3

    stored = json.loads(cli("result", "2", "--json")[1])
    direct = json.loads(cli("run", app, "--set", "laps=3", "--json")[1])
    assert stored["states"] == direct["states"]
    for name, value in direct["metrics"].items():
        if "econd" not in name:
            assert stored["metrics"][name] == value
    target = tmp_path / "states.csv"
    assert cli("result", "2", "--states", str(target))[0] == 0
    with target.open() as file:
        assert [row["device"] for row in csv.DictReader(file)] == ["n0", "n1", "n2", "n3"]
    out = cli("result", "2", "--device", "n1", "--field", "counter")[1]
    assert out == "State [n1]: counter = 3\n"
    assert cli("result", "2", "--device", "n9")[0] == 2

    status, out, _ = cli("show", "2")
    assert "finished (exit 0)" in out
    assert "laps=3" in out
    assert [line.split()[2] for line in out.partition("history\n")[2].splitlines()] == [
        "waiting",
        "running",
        "finished",
    ]
    assert json.loads(cli("show", "2", "--json")[1])["process"]["pid"] == 2

    assert cli("rerun", "2")[:2] == (0, "3\n")
    assert cli("kill", "3") == (0, "", "")
    assert listed(cli, "3")[0]["state"] == "killed"
    assert "had ended: finished" in cli("kill", "1")[2]
    assert cli("rm", "1")[0] == 0
    assert [process["pid"] for process in listed(cli, "-a")] == [2, 3]
    assert cli("clean", "--older", "1h")[1] == "0 processes forgotten\n"
    assert cli("clean", "--state", "killed")[1] == "1 process forgotten\n"
    assert [process["pid"] for process in listed(cli, "-a")] == [2]


def test_wait_gives_the_status_of_the_process(cli: Cli, tmp_path: Path) -> None:
    failing, broken = tmp_path / "failing.xml", tmp_path / "broken.xml"
    failing.write_text(ring(exit_code=7))
    broken.write_text("<Graphs")
    cli("submit", str(failing), str(broken))
    assert cli("submit", str(failing), "--after", "1")[1] == "3\n"
    assert cli("submit", str(failing), "--after", "1:any", "--retries", "1")[1] == "4\n"
    assert cli("wait", "1")[0] == 7
    assert cli("wait", "2")[0] == 3
    assert cli("wait", "3")[0] != 0
    assert cli("wait", "4", "1")[0] == 7
    by_pid = {process["pid"]: process for process in listed(cli, "-a")}
    assert by_pid[3]["reason"] == "dependency"
    assert by_pid[2]["reason"] == "error"
    assert by_pid[4]["attempt"] >= 2


def test_a_paused_process_waits(app: str, cli: Cli) -> None:
    cli("submit", app)
    assert cli("pause", "1") == (0, "", "")
    assert listed(cli)[0]["state"] == "paused"
    status, _, err = cli("wait", "1", "--timeout", "100ms")
    assert status == 124
    assert "process 1 has not ended" in err
    assert cli("continue", "1")[0] == 0
    assert cli("wait", "1")[0] == 0


@pytest.mark.parametrize(
    "typed",
    [["result", "99"], ["show", "99"], ["logs", "99"], ["kill", "99"], ["wait", "99"], ["rm", "99"],
     ["rerun", "99"], ["pause", "99"], ["continue", "99"], ["ps", "99"]],
    ids=" ".join,
)  # fmt: skip
def test_processes_that_are_not(typed: list[str], cli: Cli) -> None:
    status, _, err = cli(*typed)
    assert status == 5
    assert "pstack: error: there is no process 99" in err
    assert len(err.splitlines()) == 1


def test_ps_for_people(app: str, cli: Cli) -> None:
    cli("submit", app, app, "--label", "b", "--priority", "3")
    cli("submit", app, "--label", "a")
    lines = cli("ps")[1].splitlines()
    assert lines[0].split()[:3] == ["PID", "STATE", "NAME"]
    assert len(lines) == 4
    out = cli("ps", "--columns", "pid,label", "--sort", "label", "-r")[1]
    assert [line.split() for line in out.splitlines()[1:]] == [["1", "b"], ["2", "b"], ["3", "a"]]
    assert cli("ps", "-q", "--label", "b")[1] == "1\n2\n"
    assert cli("ps", "-q", "-n", "1")[1] == "3\n"
    assert cli("ps", "-q", "--state", "running")[1] == ""
    assert cli("ps", "-q", "--owner", "nobody-at-all")[1] == ""
    status, _, err = cli("ps", "--columns", "pid,colour")
    assert status == 2
    assert "there is no column 'colour'; there are: pid, state" in err


def test_ps_of_many_processes_is_quick_to_print(app: str, cli: Cli) -> None:
    out = cli("submit", app, "--array", "laps=1..2000")[1]
    assert out.split() == [str(pid) for pid in range(1, 2001)]
    assert len(cli("ps")[1].splitlines()) == 2001
    assert len(listed(cli)) == 2000


def test_spool(app: str, cli: Cli, tmp_path: Path) -> None:
    cli("submit", app)
    info = json.loads(cli("spool", "check", "--json")[1])
    assert info["counts"]["waiting"] == 1
    assert info["problems"] == []
    assert "integrity     ok" in cli("spool", "check")[1]
    copy = tmp_path / "copy.db"
    assert cli("spool", "backup", str(copy))[0] == 0
    assert copy.read_bytes().startswith(b"SQLite format 3")
    assert "exists already" in cli("spool", "backup", str(copy))[2]
    assert cli("spool", "vacuum")[0] == 0
    assert cli("spool", "backup")[0] == 2
    assert cli("spool", "vacuum", "x")[0] == 2


def test_run_detached(app: str, cli: Cli) -> None:
    assert cli("run", app, "--detach")[:2] == (0, "1\n")
    assert listed(cli)[0]["state"] == "waiting"


def test_top_once(app: str, cli: Cli) -> None:
    cli("submit", app, "--label", "x")
    status, out, err = cli("top", "-b", "-n", "1")
    assert (status, err) == (0, "")
    assert "no daemon, user" in out
    assert "1 waiting" in out
    heading, row = out.splitlines()[-2:]
    assert heading.split()[:3] == ["PID", "STATE", "NAME"]
    assert row.split()[:3] == ["1", "waiting", "ring.xml"]
    assert cli("top")[0] == 2  # no terminal
    assert cli("top", "-n", "1")[0] == 2


def test_doctor(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _ = cli("doctor", "--json")
    findings = {one["what"]: one for one in json.loads(out)["findings"]}
    assert {"pstack", "engine local", "SQLite", "spool", "daemon", "inotify", "cache"} <= set(
        findings
    )
    assert status == 0
    assert all(one["fix"] for one in findings.values() if one["level"] != "ok")
    monkeypatch.setenv("PSTACK_CXX", "no-such-compiler")
    monkeypatch.setenv("PSTACK_SPOOL", "/dev/null/spool.db")
    status, out, _ = cli("doctor")
    assert status == 1
    assert "no-such-compiler" in out
    assert "/dev/null/spool.db cannot be written" in out
    assert out.count("fix: ") >= 2


def test_daemon(app: str, cli: Cli, own_files: Path) -> None:
    assert cli("daemon", "status")[0] == 1
    assert cli("daemon", "logs")[0] == 1
    assert cli("daemon", "stop")[0] == 5
    status, out, err = cli("daemon", "start", "--slots", "local=1", "--no-inbox")
    try:
        assert (status, err) == (0, "")
        assert "an administrator" in out
        assert json.loads(cli("daemon", "status", "--json")[1])["daemon"] is True
        assert cli("submit", app) == (0, "1\n", "")
        assert cli("wait", "1")[0] == 0
        status, out, err = cli("run", app, "--quiet")
        assert status == 0
        assert "Metric [Delivered messages]: 40" in out
        assert [process["pid"] for process in listed(cli, "-a")] == [1, 2]
        assert cli("run", app, "--json", "--detach")[1] == "3\n"
        assert "serving" in cli("daemon", "logs")[1]
        assert cli("daemon", "start")[0] == 5
    finally:
        assert cli("daemon", "stop")[0] == 0
    assert cli("daemon", "status")[0] == 1


def test_follow_ends_with_the_process(app: str, cli: Cli) -> None:
    assert cli("daemon", "start")[0] == 0
    try:
        cli("submit", app)
        begin = time.monotonic()
        out = cli("logs", "-f", "1")[1]
        assert len(out.splitlines()) == 40
        assert time.monotonic() - begin < 60
    finally:
        cli("daemon", "stop")
