"""Applications put into the inbox are run, each once, with the outcome beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pstack_core.runtime.daemon_options import DaemonOptions
from pstack_core.runtime.service import Query
from tests.daemon.service import EXAMPLES, RING, OwnDaemon, own_daemon, wait_until


@pytest.fixture
def inbox(spool: Path) -> Path:
    folder = spool.with_name("inbox")
    folder.mkdir()
    return folder


@pytest.fixture
def daemon(inbox: Path) -> Iterator[OwnDaemon]:
    with own_daemon(DaemonOptions()) as running:
        yield running


def outcome(inbox: Path, name: str) -> dict[str, Any]:
    path = inbox / f"{name}.json"
    wait_until(path.exists)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_file_is_run_once(daemon: OwnDaemon, inbox: Path) -> None:
    (inbox / "ring.xml").write_bytes(RING)
    ended = outcome(inbox, "ring.xml.1")
    assert (ended["state"], ended["exit_code"], ended["label"]) == ("finished", 0, "inbox")
    assert ended["metrics"]["Delivered messages"] == 40
    assert (inbox / "ring.xml.1").read_bytes() == RING
    # The same name again is another process.
    os.rename(_beside(inbox, RING), inbox / "ring.xml")
    assert outcome(inbox, "ring.xml.2")["state"] == "finished"
    assert sorted(os.listdir(inbox)) == [
        "ring.xml.1", "ring.xml.1.json", "ring.xml.2", "ring.xml.2.json",
    ]  # fmt: skip


def _beside(inbox: Path, content: bytes) -> Path:
    path = inbox.with_name("written")
    path.write_bytes(content)
    return path


def test_half_a_file_is_not_run(daemon: OwnDaemon, inbox: Path) -> None:
    with (inbox / "ring.xml").open("wb") as file:
        file.write(RING[:1000])
        file.flush()
        (inbox / "other.xml").write_bytes(RING)
        assert outcome(inbox, "other.xml.1")["state"] == "finished"
        assert (inbox / "ring.xml").exists()
        file.write(RING[1000:])
    assert outcome(inbox, "ring.xml.2")["state"] == "finished"


def test_what_is_refused_says_why(daemon: OwnDaemon, inbox: Path) -> None:
    (inbox / "empty.xml").write_bytes(b"")
    assert "is empty" in outcome(inbox, "empty.xml.refused")["error"]
    (inbox / "link.xml").symlink_to(EXAMPLES / "ring.xml")
    assert "cannot be read" in outcome(inbox, "link.xml.refused")["error"]
    os.link(_beside(inbox, RING), inbox / "linked.xml")
    assert "other names" in outcome(inbox, "linked.xml.refused")["error"]
    (inbox / "folder.xml").mkdir()
    assert "no file" in outcome(inbox, "folder.xml.refused")["error"]
    (inbox / "bad.xml").write_bytes(b"<Graphs>")
    assert outcome(inbox, "bad.xml.1")["exit_status"] == 3


def test_what_is_no_application_is_left_alone(daemon: OwnDaemon, inbox: Path) -> None:
    for name in ("notes.txt", ".hidden.xml", "ring.xml~", "ring.xml.part"):
        (inbox / name).write_bytes(RING)
    (inbox / "ring.xml").write_bytes(RING)
    assert outcome(inbox, "ring.xml.1")["state"] == "finished"
    assert {"notes.txt", ".hidden.xml", "ring.xml~", "ring.xml.part"} <= set(os.listdir(inbox))


def test_files_that_waited_for_a_daemon(inbox: Path) -> None:
    for number in range(5):
        (inbox / f"{number}.xml").write_bytes(RING)
    with own_daemon(DaemonOptions()) as daemon:
        for number in range(5):
            outcome(inbox, f"{number}.xml.{number + 1}")
        with daemon.client() as client:
            assert len(client.processes(Query())) == 5


@pytest.mark.parametrize("submitted", [True, False])
def test_daemon_killed_while_it_accepted(inbox: Path, submitted: bool) -> None:
    """Taken and submitted, or taken only: either way it is run once."""
    token = "0123456789abcdef" * 2
    (inbox / f".ring.xml.{token}").write_bytes(RING)
    if submitted:
        from pstack_core.runtime.connect import local
        from pstack_core.runtime.local_service import LocalService
        from pstack_core.runtime.service import Request

        with local() as service:
            assert isinstance(service, LocalService)
            service.submit([Request(application=RING, name="ring.xml", label="inbox")], token)
    with own_daemon(DaemonOptions()) as daemon:
        assert outcome(inbox, "ring.xml.1")["state"] == "finished"
        with daemon.client() as client:
            assert len(client.processes(Query())) == 1


def test_killed_daemon_reports_later(daemon: OwnDaemon, inbox: Path) -> None:
    for number in range(10):
        (inbox / f"{number}.xml").write_bytes(RING)
    wait_until(lambda: any(name.endswith(".1") for name in os.listdir(inbox)))
    daemon.kill()
    daemon.start()
    wait_until(lambda: sum(name.endswith(".json") for name in os.listdir(inbox)) == 10)
    with daemon.client() as client:
        assert [one.state for one in client.processes(Query())] == ["finished"] * 10
