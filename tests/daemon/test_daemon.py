"""One daemon on a spool, whatever was left behind, and what it says when it cannot be."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pstack_core.runtime import control
from pstack_core.runtime.client import Client
from pstack_core.runtime.connect import connect
from pstack_core.runtime.daemon import THREADS
from pstack_core.runtime.daemon_options import DaemonOptions
from pstack_core.runtime.errors import ServiceError, Unavailable
from pstack_core.runtime.local_service import LocalService
from pstack_core.runtime.service import Request
from pstack_core.runtime.usage import children
from tests.daemon.service import ENDLESS, RING, OwnDaemon, processes_of, wait_until

NO_INBOX = DaemonOptions(inbox=False)


def test_commands_find_it(daemon: OwnDaemon) -> None:
    with connect() as service:
        assert isinstance(service, Client)
        assert service.persistent
        status = service.status()
        assert status.daemon
        assert status.pid == daemon.pid
        assert status.spool == str(daemon.paths.spool)


def test_without_one_the_work_is_done_here(spool: Path) -> None:
    with connect() as service:
        assert isinstance(service, LocalService)
        assert not service.status().daemon


def test_two_daemons_cannot_own_one_spool(
    daemon: OwnDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match=f"process {daemon.pid}"):
        control.start(NO_INBOX)
    # Another socket does not make it another spool.
    monkeypatch.setenv("PSTACK_SOCKET", str(tmp_path / "other"))
    with pytest.raises(Unavailable, match=rf"process {daemon.pid}\) owns the spool"):
        control.start(NO_INBOX)
    # Nor may another spool's daemon take the socket.
    monkeypatch.setenv("PSTACK_SOCKET", str(daemon.paths.socket))
    monkeypatch.setenv("PSTACK_SPOOL", str(tmp_path / "other.db"))
    done = subprocess.run(
        [sys.executable, "-m", "pstack_core.runtime.daemon", NO_INBOX.to_json()],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "another program listens on" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_killed_daemon_left_is_no_hindrance(daemon: OwnDaemon) -> None:
    daemon.kill()
    assert daemon.paths.socket.exists()
    assert daemon.paths.lock.read_text() == f"{daemon.pid}\n"
    assert control.running(NO_INBOX) is None
    with connect() as service:
        assert not service.status().daemon
    daemon.start()
    assert control.running(NO_INBOX) is not None


def test_what_is_no_socket_is_left_alone(spool: Path) -> None:
    path = NO_INBOX.paths().socket
    path.write_text("precious")
    with pytest.raises(Unavailable, match="no socket: move it away"):
        control.start(NO_INBOX)
    assert path.read_text() == "precious"


def test_long_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("long" * 30)
    monkeypatch.setenv("PSTACK_SPOOL", str(folder / "spool.db"))
    control.start(NO_INBOX)
    with connect() as service:
        assert service.status().daemon
    control.stop(NO_INBOX)
    assert not NO_INBOX.paths().socket.exists()


def test_stop_lets_what_runs_run_again(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        [pid] = client.submit([Request(application=ENDLESS, name="endless.xml")])
        wait_until(lambda: client.logs(pid))
    control.stop(NO_INBOX)
    wait_until(lambda: not processes_of(daemon.paths.spool))
    daemon.start()
    with daemon.client() as client:
        wait_until(lambda: len(client.logs(pid)) > 2)
        shown = client.show(pid)
        assert shown.process.state == "running"
        assert shown.process.attempt == 2
        client.kill([pid])
        assert client.wait([pid], 10)[0].state == "killed"


def test_killed_daemon_takes_its_children_with_it(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        [pid] = client.submit([Request(application=ENDLESS, name="endless.xml")])
        wait_until(lambda: client.logs(pid))
    [runner] = children(daemon.pid)
    assert children(runner)
    daemon.kill()
    wait_until(lambda: not processes_of(daemon.paths.spool))


def test_nothing_is_left_open(daemon: OwnDaemon) -> None:
    def held() -> tuple[int, int]:
        """Descriptors of the spool's files, and others."""
        folder = Path(f"/proc/{daemon.pid}/fd")
        files = [os.readlink(folder / name) for name in os.listdir(folder)]
        of_spool = sum(str(daemon.paths.spool) in file for file in files)
        return of_spool, len(files) - of_spool

    with daemon.client() as client:
        request = Request(application=RING, name="ring.xml")
        client.wait(client.submit([request] * 4), 30)
        before = held()[1]
        client.wait(client.submit([request] * 40), 60)
        for _ in range(10):
            with daemon.client() as other:
                assert list(other.follow(1))
        wait_until(lambda: held()[1] <= before)
        # Two for each thread that has read from the spool, and for the loop; lock and memory.
        assert held()[0] <= 2 * (THREADS + 1) + 2
        assert len(children(daemon.pid)) <= 2


def test_follow_brings_lines_as_they_come(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        [pid] = client.submit([Request(application=ENDLESS, name="endless.xml")])
        lines = client.follow(pid)
        assert next(lines).text == "begun"
        assert [next(lines).number] == [2]
        threading.Timer(0.3, lambda: client.kill([pid])).start()
        assert list(lines) == []
        assert client.wait([pid], 10)[0].state == "killed"


def test_changes(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        changes = client.changes()
        [pid] = client.submit([Request(application=RING, name="ring.xml")])
        states = []
        for change in changes:
            assert change.pid == pid
            states.append(change.state)
            if change.final:
                break
        assert states == ["waiting", "running", "finished"]


def test_client_that_goes_while_it_waits(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        [pid] = client.submit([Request(application=ENDLESS, name="endless.xml")])
        with daemon.client() as other:
            thread = threading.Thread(target=_wait_for_ever, args=(other, pid))
            thread.start()
            time.sleep(0.2)
        held = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        assert held < 100
        client.kill([pid], force=True)
        client.wait([pid], 10)
        thread.join(10)
        assert not thread.is_alive()


def _wait_for_ever(client: Client, pid: int) -> None:
    with suppress(ServiceError):  # the connection was closed
        client.wait([pid])


def test_client_says_so_when_the_daemon_goes(daemon: OwnDaemon) -> None:
    with daemon.client() as client:
        [pid] = client.submit([Request(application=ENDLESS, name="endless.xml")])
        threading.Timer(0.5, daemon.kill).start()
        with pytest.raises(Unavailable, match="went away"):
            client.wait([pid])
    wait_until(lambda: not processes_of(daemon.paths.spool))


def test_no_daemon_says_how_to_start_one(spool: Path) -> None:
    with pytest.raises(Unavailable, match="pstack daemon start"):
        Client(NO_INBOX.paths().socket)
    with pytest.raises(Unavailable, match="no daemon listens"):
        control.stop(NO_INBOX)


def test_unknown_administrator(spool: Path) -> None:
    with pytest.raises(ServiceError, match="no user 'nobody-knows'"):
        control.start(DaemonOptions(inbox=False, admins=("nobody-knows",)))


def test_disk_that_is_full(spool: Path, tmp_path: Path) -> None:
    """Files of this daemon may not grow beyond a size: as a full disk, but for us alone."""
    code = """
import resource, sys
from pstack_core.runtime.daemon import serve
from pstack_core.runtime.daemon_options import DaemonOptions
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
sys.exit(serve(DaemonOptions(inbox=False)))
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as full:
        path = NO_INBOX.paths().socket
        wait_until(path.exists)
        with Client(path) as client:
            noise = os.urandom(100_000)
            with pytest.raises(Unavailable, match="full"):
                fill(client, noise)
            # It still answers.
            assert client.status().daemon
            assert client.processes() is not None
        full.terminate()
        assert full.stderr is not None
        said = full.stderr.read()
        full.wait(10)
    assert "Traceback" not in said
    with connect() as service:
        assert service.spool_info(check=True).problems == ()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def fill(client: Client, noise: bytes) -> None:
    for _ in range(20):
        client.submit([Request(application=os.urandom(8) + noise, name="a.xml")])


def test_spool_that_is_none(spool: Path) -> None:
    spool.write_text("this is no spool" * 1000)
    with pytest.raises(Unavailable, match="not a spool"):
        control.start(NO_INBOX)
    with pytest.raises(Unavailable, match="not a spool"):
        connect()


def test_address_without_a_listener(spool: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(NO_INBOX.paths().socket))
    control.start(NO_INBOX)
    control.stop(NO_INBOX)
