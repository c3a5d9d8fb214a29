"""Two users, by real user ids, on a daemon of root's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pstack_core.runtime import protocol
from pstack_core.runtime.daemon_options import DaemonOptions
from tests.daemon.service import ENDLESS, RING, OwnDaemon, own_daemon, wait_until

ANN, BOB, BOSS = 4001, 4002, 4003


def _why_not() -> str:
    """Why these tests cannot be done here; empty if they can."""
    if os.geteuid() != 0:
        return "only root can become other users"
    try:
        subprocess.run(
            [sys.executable, "-c", "import pstack_core.runtime.client"],
            user=ANN, group=ANN, extra_groups=[], cwd="/", check=True, capture_output=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return f"other users cannot run {sys.executable}"
    return ""


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())

#: What a user does: one call after another, each answered with its value or its error.
_CLIENT = """
import json, sys
from pathlib import Path
from pstack_core.runtime.client import Client
from pstack_core.runtime.codec import to_json
from pstack_core.runtime.errors import ServiceError
from pstack_core.runtime.service import Query, Request

with Client(Path(sys.argv[1])) as client:
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            if name == "submit":
                value = client.submit([Request(
                    **{**arguments, "application": Path(arguments["application"]).read_bytes()})])
            elif name == "processes":
                value = to_json(client.processes(Query()))
            elif name == "states":
                value = dict(client.result(*arguments).states)
            elif name == "raw":
                value = client._ask(*arguments)[0]
            else:
                value = to_json(getattr(client, name)(*arguments))
            answer = {"value": value}
        except ServiceError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer), flush=True)
"""


class Person:
    """A user of the daemon, with a Python process of the user's own."""

    def __init__(self, uid: int, path: Path, folder: Path) -> None:
        self.uid = uid
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"]},
            user=uid,
            group=uid,
            extra_groups=[],
        )

    def do(self, name: str, *arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, list(arguments)]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def value(self, name: str, *arguments: Any) -> Any:
        answer = self.do(name, *arguments)
        assert "value" in answer, answer
        return answer["value"]

    def submit(self, application: bytes, **fields: Any) -> int:
        path = self._folder / f"{self.uid}.xml"
        path.write_bytes(application)
        path.chmod(0o644)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"application": str(path), "name": "a.xml", **fields}
        self._process.stdin.write(json.dumps(["submit", request]) + "\n")
        self._process.stdin.flush()
        [pid] = json.loads(self._process.stdout.readline())["value"]
        return int(pid)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that all users can reach, for a socket."""
    folder = Path("/tmp") / f"pstack-test-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    monkeypatch.setenv("PSTACK_SOCKET", str(folder / "socket"))
    return folder


class Persons:
    """Makes users of one daemon."""

    def __init__(self, daemon: OwnDaemon, folder: Path) -> None:
        self.daemon = daemon
        self._folder = folder
        self._made: list[Person] = []

    def __call__(self, uid: int) -> Person:
        self._made.append(Person(uid, self.daemon.paths.socket, self._folder))
        return self._made[-1]

    def close(self) -> None:
        for person in self._made:
            person.close()


@pytest.fixture
def persons(spool: Path, shared: Path) -> Iterator[Persons]:
    options = DaemonOptions(inbox=False, admins=(str(BOSS),), slots={"local": 4})
    with own_daemon(options) as daemon:
        made = Persons(daemon, shared)
        yield made
        made.close()


def test_worker_is_its_owners(persons: Persons) -> None:
    ann = persons(ANN)
    pid = ann.submit(ENDLESS)
    root = persons.daemon.client()
    with root:
        wait_until(lambda: root.logs(pid))
        runner = int(root.show(pid).where.rpartition(" ")[2])
        workers = Path(f"/proc/{runner}/task/{runner}/children").read_text().split()
        assert workers
        for one in (runner, *map(int, workers)):
            status = Path(f"/proc/{one}/status").read_text()
            [uids] = [line for line in status.splitlines() if line.startswith("Uid:")]
            [gids] = [line for line in status.splitlines() if line.startswith("Gid:")]
            [groups] = [line for line in status.splitlines() if line.startswith("Groups:")]
            assert uids.split()[1:] == [str(ANN)] * 4
            assert gids.split()[1:] == [str(ANN)] * 4
            assert set(groups.split()[1:]) <= {str(ANN)}
        environment = Path(f"/proc/{runner}/environ").read_bytes()
        assert b"PSTACK_SPOOL" not in environment
        assert b"HOME=" in environment
    assert ann.value("kill", [pid])
    assert ann.value("wait", [pid], 10)[0]["state"] == "killed"


def test_one_user_cannot_act_on_anothers(persons: Persons) -> None:
    ann, bob = persons(ANN), persons(BOB)
    pid = ann.submit(ENDLESS)
    [shown] = bob.value("processes")
    assert (shown["owner"], shown["uid"]) == (str(ANN), ANN)
    for call in ("kill", "pause", "resume", "remove"):
        answer = bob.do(call, [pid])
        assert answer["error"] == "NotAllowed", (call, answer)
        assert str(ANN) in answer["message"]
    assert bob.do("kill", [pid], True)["error"] == "NotAllowed"
    assert bob.value("clean") == 0
    assert bob.do("vacuum")["error"] == "NotAllowed"
    assert bob.do("spool_info", True)["error"] == "NotAllowed"
    for person in (bob, persons(BOSS)):
        assert person.do("raw", "backup", {"path": "/tmp/stolen.db"})["error"] == "NotAllowed"
    assert ann.value("processes")[0]["state"] == "running"
    assert ann.value("kill", [pid])
    assert ann.value("wait", [pid], 10)[0]["state"] == "killed"


def test_what_is_private_stays_so(persons: Persons) -> None:
    ann, bob, boss = persons(ANN), persons(BOB), persons(BOSS)
    private = ann.submit(RING, private=True, label="secret")
    open_one = ann.submit(RING)
    assert ann.value("wait", [private, open_one], 30)[0]["state"] == "finished"
    assert ann.value("states", private)
    assert boss.value("states", private)
    assert bob.value("states", open_one)
    for call in ("show", "logs", "result", "application"):
        assert bob.do(call, private)["error"] == "NotAllowed", call
    assert bob.do("rerun", [private])["error"] == "NotAllowed"
    shown = bob.value("processes")[0]
    assert shown["name"] == "(private)"
    assert shown["label"] == ""
    assert shown["exit_code"] is None


def test_administrators_may(persons: Persons) -> None:
    ann, boss = persons(ANN), persons(BOSS)
    pid = ann.submit(ENDLESS)
    assert boss.value("status")["admin"]
    assert not ann.value("status")["admin"]
    assert boss.value("kill", [pid])[0]["owner"] == str(ANN)
    assert ann.value("wait", [pid], 10)[0]["state"] == "killed"


def test_owner_cannot_be_forged(persons: Persons) -> None:
    ann = persons(ANN)
    pid = ann.submit(RING)
    for field, value in (("owner", "root"), ("uid", 0)):
        request = {"application": 0, field: value}
        answer = ann.do("raw", "submit", {"requests": [request], "sizes": [0]})
        assert answer["error"] == "BadRequest"
        assert field in answer["message"]
    assert ann.value("processes")[0]["uid"] == ANN
    # What bob runs again is bob's.
    bob = persons(BOB)
    [again] = bob.value("rerun", [pid])
    assert bob.value("wait", [again], 30)[0]["uid"] == BOB


def test_nobody_else_may_look_where_the_service_says_so(spool: Path, shared: Path) -> None:
    with own_daemon(DaemonOptions(inbox=False, look=False)) as daemon:
        made = Persons(daemon, shared)
        ann, bob = made(ANN), made(BOB)
        pid = ann.submit(RING)
        ann.value("wait", [pid], 30)
        assert bob.value("processes") == []
        for call in ("show", "logs", "result", "application"):
            assert bob.do(call, pid)["error"] == "NoSuchProcess"
        assert bob.do("kill", [pid])["error"] == "NoSuchProcess"
        assert [one["pid"] for one in ann.value("processes")] == [pid]
        made.close()


def test_share_of_one_user(spool: Path, shared: Path) -> None:
    options = DaemonOptions(inbox=False, share=1, slots={"local": 2})
    with own_daemon(options) as daemon:
        made = Persons(daemon, shared)
        ann, bob = made(ANN), made(BOB)
        first, second = ann.submit(ENDLESS), ann.submit(ENDLESS)
        third = bob.submit(ENDLESS)
        wait_until(lambda: ann.value("show", third)["process"]["state"] == "running")
        states = {one["pid"]: one["state"] for one in ann.value("processes")}
        assert states == {first: "running", second: "waiting", third: "running"}
        with daemon.client() as root:
            root.kill([second, first, third])
            root.wait([first, second, third], 10)
        made.close()


def test_daemon_of_a_user_serves_that_user(shared: Path, spool: Path) -> None:
    """Where root could connect, its processes are refused: the daemon cannot become root."""
    code = """
import asyncio, os
from pstack_core.runtime.daemon import Daemon
from pstack_core.runtime.daemon_options import DaemonOptions
asyncio.run(Daemon(DaemonOptions(inbox=False)).run())
"""
    home = shared / "home"
    home.mkdir()
    os.chown(home, ANN, ANN)
    path = home / "socket"
    daemon = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd="/",
        user=ANN,
        group=ANN,
        extra_groups=[],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PSTACK_SPOOL": str(home / "spool.db"),
            "PSTACK_SOCKET": str(path),
        },
    )
    try:
        wait_until(path.exists)
        wait_until(lambda: path.stat().st_mode & 0o777 == 0o600)
        made = Persons(OwnDaemon(DaemonOptions(inbox=False)), shared)
        made.daemon = type("At", (), {"paths": type("P", (), {"socket": path})})()
        ann, root = made(ANN), made(0)
        pid = ann.submit(RING)
        assert ann.value("wait", [pid], 60)[0]["state"] == "finished"
        request = {"application": 0}
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(path))
            raw.sendall(protocol.request("hello", {"protocol": protocol.VERSION}))
        sent = root.do("rerun", [pid])
        assert sent["error"] == "NotAllowed"
        assert "its own user only" in sent["message"], request
        made.close()
    finally:
        daemon.terminate()
        daemon.wait(10)
