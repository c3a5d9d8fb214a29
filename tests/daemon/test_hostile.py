"""Nothing that comes over the socket disturbs the daemon."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pstack_core.runtime import frames, protocol
from pstack_core.runtime.client import Client
from pstack_core.runtime.errors import BadRequest, ServiceError
from pstack_core.runtime.service import Request
from tests.daemon.service import RING, OwnDaemon, wait_until


@contextmanager
def raw(daemon: OwnDaemon, greet: bool = True) -> Iterator[socket.socket]:
    """A bare connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(daemon.paths.socket))
        if greet:
            connection.sendall(protocol.request("hello", {"protocol": protocol.VERSION}))
            assert reply(connection)["value"]["daemon"]
        yield connection


def reply(connection: socket.socket) -> dict[str, Any]:
    frame = frames.receive(connection.recv_into)
    assert frame is not None
    return frame[0]


def refusal(connection: socket.socket, data: bytes) -> str:
    """What the daemon says to some bytes before it closes the connection."""
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    answer = reply(connection)
    assert answer["error"] == "BadRequest"
    assert connection.recv(1) == b""
    return str(answer["message"])


def works(daemon: OwnDaemon) -> None:
    """The daemon still runs processes."""
    with daemon.client() as client:
        pids = client.submit([Request(application=RING, name="ring.xml")])
        assert client.wait(pids, 30)[0].state == "finished"


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_frames_that_are_none(daemon: OwnDaemon) -> None:
    header = frames.HEADER.pack
    magic = frames.MAGIC
    cases = {
        b"GET / HTTP/1.1\r\n\r\n": "must begin with its magic",
        header(magic, 1 << 31, 0): "too large",
        header(magic, 2, 1 << 60) + b"{}": "too large",
        header(magic, 3, 0) + b"{,}": "is not JSON",
        header(magic, 2, 0) + b"[]": "is not a JSON object",
        header(magic, 60_000, 0) + b"[" * 60_000: "is not JSON",
        header(magic, 2, 0) + b"{}": "needs the text 'call'",
        header(magic, 10, 0) + b"{}": "ended within a frame",
        magic: "ended within a frame",
        protocol.request("status", {}): "must be hello",
        frames.encode({"call": 1, "arguments": []}): "needs the text 'call'",
    }
    for data, message in cases.items():
        with raw(daemon, greet=False) as connection:
            assert message in refusal(connection, data)
    works(daemon)
    assert daemon.log().count("refused: ") == len(cases)


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("nonsense", {}, "there is no request 'nonsense'"),
        ("show", {}, "needs the argument 'pid'"),
        ("show", {"pid": "1"}, "an integer is expected"),
        ("show", {"pid": True}, "an integer is expected"),
        ("show", {"pid": 1 << 80}, "too large"),
        ("show", {"pid": 1, "uid": 0}, "has no argument 'uid'"),
        ("kill", {"pids": 1}, "a list is expected"),
        ("kill", {"pids": [None]}, "an integer is expected"),
        ("kill", {"pids": list(range(100_001))}, "at most 100000 PIDs"),
        ("wait", {"pids": [], "timeout": 1e400}, "too large, or none"),
        ("processes", {"query": []}, "an object is expected"),
        ("processes", {"query": {"x": 1}}, "has no field 'x'"),
        ("submit", {}, "needs the lists"),
        ("submit", {"requests": [], "sizes": []}, "nothing to submit"),
        ("submit", {"requests": [{}], "sizes": []}, "which of the applications"),
        ("submit", {"requests": [{"application": 0}], "sizes": [7]}, "do not add up"),
        ("submit", {"requests": [{"application": 0}], "sizes": [0]}, "is empty"),
        ("submit", {"requests": [{"application": 0, "name": "../x"}], "sizes": [0]}, "is empty"),
        ("backup", {"path": "relative"}, "must be absolute"),
        ("follow", {"pid": []}, "an integer is expected"),
        ("changes", {"x": 1}, "has no argument 'x'"),
    ],
)
def test_requests_that_make_no_sense(
    module_daemon: OwnDaemon, call: str, arguments: dict[str, Any], message: str
) -> None:
    with module_daemon.client() as client:
        ask = client._stream if call in ("follow", "changes") else _asker(client)
        with pytest.raises(BadRequest, match=message):
            ask(call, **arguments)


def _asker(client: Client) -> Callable[..., Any]:
    return lambda call, **arguments: client._ask(call, arguments)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a/b"}, "without its folder"),
        ({"name": "x" * 2000}, "too long"),
        ({"label": "a\0b"}, "zero byte"),
        ({"priority": 5000}, "not between"),
        ({"retries": -1}, "not between"),
        ({"timeout": 0.0}, "no time"),
        ({"memory": -5}, "makes no sense"),
        ({"threads": 0}, "makes no sense"),
        ({"seed": -1}, "makes no sense"),
        ({"engine": "abacus"}, "there is no engine 'abacus'"),
        ({"properties": {str(n): "" for n in range(2000)}}, "too many"),
        ({"log_lines": 0}, "not between"),
        ({"after": (99999,)}, "no process 99999"),
    ],
)
def test_submissions_that_make_no_sense(
    module_daemon: OwnDaemon, fields: dict[str, Any], message: str
) -> None:
    with module_daemon.client() as client, pytest.raises(ServiceError, match=message):
        client.submit([Request(application=RING, **{"name": "ring.xml", **fields})])


def streams(count: int, seed: int) -> Iterator[bytes]:
    """Random bytes: of any kind, frames that were damaged, and well-formed nonsense."""
    chance = random.Random(seed)
    hello = protocol.request("hello", {"protocol": protocol.VERSION})
    submit = protocol.request(*_submission())
    for _ in range(count):
        match chance.randrange(4):
            case 0:
                yield chance.randbytes(chance.randrange(200))
            case 1:
                data = bytearray(hello + submit)
                for _ in range(chance.randint(1, 8)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                yield bytes(data)
            case 2:
                data = bytearray(hello + submit)
                yield bytes(data[: chance.randrange(len(data))])
            case _:
                yield hello + frames.encode(_nonsense(chance, 4), chance.randbytes(5))


def _submission() -> tuple[str, dict[str, Any], bytes]:
    arguments, payload = protocol.pack_requests([Request(application=b"<a/>", name="a.xml")])
    return "submit", arguments, payload


def _nonsense(chance: random.Random, depth: int) -> dict[str, Any]:
    calls = ["submit", "wait", "kill", "follow", "show", "logs", "processes", "hello", "clean"]
    names = ["pid", "pids", "query", "requests", "sizes", "after", "limit", "timeout", "force"]
    values: list[Any] = [None, True, -1, 1.5, "x", [], {}, [1], [[]], {"a": None}, 1 << 70, "\0"]
    return {
        "call": chance.choice(calls),
        "arguments": {chance.choice(names): chance.choice(values) for _ in range(depth)},
    }


def throw(daemon: OwnDaemon, count: int, seed: int) -> None:
    before = descriptors(daemon.pid)
    for data in streams(count, seed):
        with raw(daemon, greet=False) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass  # refused before all was sent
    works(daemon)
    log = daemon.log()
    assert "Traceback" not in log
    assert "bug in pstack" not in log
    wait_until(lambda: descriptors(daemon.pid) <= before + 4)  # a runner or two


def test_random_bytes(daemon: OwnDaemon) -> None:
    throw(daemon, 150, seed=1)


@pytest.mark.slow
def test_a_thousand_random_streams(daemon: OwnDaemon) -> None:
    throw(daemon, 1000, seed=2)


def test_slow_and_silent_clients_stop_nobody(daemon: OwnDaemon) -> None:
    with raw(daemon, greet=False) as silent, raw(daemon) as slow, raw(daemon) as unread:
        slow.sendall(frames.HEADER.pack(frames.MAGIC, 100, 1 << 20) + b"{")
        for _ in range(50):
            unread.sendall(protocol.request("engines", {}))
        works(daemon)
        assert silent.fileno() > 0


def test_connections_of_one_user_are_bounded(daemon: OwnDaemon) -> None:
    held = []
    try:
        refused = None
        for _ in range(200):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(10)
            connection.connect(str(daemon.paths.socket))
            held.append(connection)
            connection.sendall(protocol.request("hello", {"protocol": protocol.VERSION}))
            answer = reply(connection)
            if "error" in answer:
                refused = answer
                break
        assert refused is not None
        assert refused["error"] == "Busy"
        assert len(held) > 100
    finally:
        for connection in held:
            connection.close()
    wait_until(lambda: _answers(daemon))


def _answers(daemon: OwnDaemon) -> bool:
    try:
        with daemon.client() as client:
            return client.status().daemon
    except ServiceError:
        return False


def test_other_version_of_the_protocol(daemon: OwnDaemon) -> None:
    with raw(daemon, greet=False) as connection:
        connection.sendall(protocol.request("hello", {"protocol": 99}))
        assert "use the same pstack for both" in reply(connection)["message"]


def test_a_runner_that_lies(tmp_path: Path) -> None:
    """Whatever a runner says, it is killed and only its process fails."""
    from pstack_core.runtime import reports

    good = {
        "type": "ended", "state": "finished", "reason": "exit", "detail": "", "exit_code": 0,
        "exit_status": 0, "metrics": {"Exit code": 0, "Reason": "exit"},
    }  # fmt: skip
    assert reports.ended(good).state == "finished"
    for change in (
        {"state": "waiting"},
        {"state": None},
        {"reason": 5},
        {"detail": None},
        {"exit_code": 1 << 40},
        {"exit_status": 256},
        {"exit_status": True},
        {"metrics": []},
        {"metrics": {"a": 1}},
        {"metrics": {"Exit code": 0, "Reason": {}}},
        {"metrics": {str(n): n for n in range(200)}},
    ):
        with pytest.raises(reports.BadReport):
            reports.ended(json.loads(json.dumps(good | change)))
    with pytest.raises(reports.BadReport):
        reports.lines({"lines": [[1.0, "a", "1", "text"]]})
    with pytest.raises(reports.BadReport):
        reports.started({"devices": -1, "edges": 0})
