"""Disks that are full or read-only, damaged files, other programs, threads and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pstack_spool import Outcome, Spool, SpoolError, Submission, library_problem
from pstack_spool.db import sqlite3
from pstack_spool.filesystem import _network_mount, network_file_system
from tests.spool.conftest import claim, submit

ROOT = os.geteuid() == 0


def run(code: str, *arguments: object) -> str:
    """What Python code prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not ROOT or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(spool: Spool) -> tuple[list[int], SpoolError]:
    """Submit until it fails; what was accepted, and the error."""
    accepted = []
    for _ in range(10_000):
        try:
            accepted += spool.submit([Submission(application=os.urandom(20_000))] * 2)
        except SpoolError as error:
            return accepted, error
    raise AssertionError("the disk was never full")


def test_a_full_disk(small_disk: Path) -> None:
    with Spool(small_disk / "spool.db") as spool:
        held = [claim(spool) for _ in range(1) if submit(spool)]
        accepted, error = fill(spool)
        assert "its disk is full: free some space" in str(error)
        assert [process.pid for process in spool.select()] == [1, *accepted]
        with pytest.raises(SpoolError, match="full"):
            spool.end(held[0].claim, Outcome(states=os.urandom(1 << 20)))
        assert spool.get(1).state == "running"
        assert spool.integrity() == []
        backup = small_disk / "backup.db"
        with pytest.raises(SpoolError, match=r"backup.db cannot be made: .*full"):
            spool.backup(backup)
        assert not backup.exists()
    # With some space again, it goes on.
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    with Spool(small_disk / "spool.db") as spool:
        assert spool.end(held[0].claim, Outcome()) == "finished"
        assert len(spool.submit([Submission(application=b"x")])) == 1
        assert spool.integrity() == []


def test_a_new_spool_on_a_full_disk(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with pytest.raises(SpoolError, match="cannot"):
        Spool(small_disk / "spool.db")
    (small_disk / "filler").unlink()
    with Spool(small_disk / "spool.db") as spool:
        assert submit(spool) == 1


def test_a_disk_mounted_read_only(small_disk: Path) -> None:
    path = small_disk / "spool.db"
    with Spool(path) as spool:
        submit(spool)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(SpoolError, match=r"whether its disk is mounted read-only|permissions"):
        Spool(path)
    with pytest.raises(SpoolError, match="Read-only file system"):
        Spool(small_disk / "new.db")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with Spool(path) as spool:
        assert len(spool.select()) == 1
        assert spool.integrity() == []


def test_a_limit_on_the_size_of_files(path: Path) -> None:
    code = """
import resource, sys, os
from pstack_spool import Spool, SpoolError, Submission
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
spool = Spool(sys.argv[1])
count = 0
try:
    while True:
        count += len(spool.submit([Submission(application=os.urandom(20_000))]))
except SpoolError as error:
    print(count, error)
"""
    count, _, sentence = run(code, path).partition(" ")
    assert "cannot be read or written" in sentence or "disk is full" in sentence
    with Spool(path) as spool:
        assert len(spool.select()) == int(count)
        assert spool.integrity() == []


READ = """
import os, sys
from pstack_spool import Spool, SpoolError, Submission
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    spool = Spool(sys.argv[1])
    print("opened", len(spool.select()))
    spool.submit([Submission(application=b"x")])
    print("submitted")
except SpoolError as error:
    print(error)
"""


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that every user may reach."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o444, 0o755), (0o444, 0o555), (0o644, 0o555), (0o000, 0o755)]
)
def test_a_read_only_spool(open_folder: Path, file_mode: int, folder_mode: int) -> None:
    folder = open_folder / "state"
    folder.mkdir()
    path = folder / "spool.db"
    with Spool(path) as spool:
        submit(spool)
    path.chmod(file_mode)
    folder.chmod(folder_mode)
    said = run(READ, path)
    folder.chmod(0o755)
    assert "check the permissions of the file and of its folder" in said
    assert "submitted" not in said
    with Spool(path) as spool:
        assert len(spool.select()) == 1
        assert spool.integrity() == []


def test_a_folder_that_cannot_be_made(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    said = run(READ, open_folder / "new" / "spool.db")
    open_folder.chmod(0o755)
    assert said.endswith("cannot be used: Permission denied\n")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="is not a file"):
        Spool(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="cannot be used: "):
        Spool(tmp_path / "file" / "spool.db")


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"<Graphs>" * 1000)
    with pytest.raises(SpoolError, match="is not a spool"):
        Spool(path)
    assert path.read_bytes() == b"<Graphs>" * 1000


def test_a_damaged_file(path: Path) -> None:
    with Spool(path) as spool:
        for index in range(300):
            submit(spool, application=os.urandom(2000), label=f"{index}")
        spool.vacuum()
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 64] = os.urandom(64)
    path.write_bytes(data)
    with pytest.raises(SpoolError, match=r"is damaged .*put a backup in its place"):
        damage(path)


def damage(path: Path) -> None:
    with Spool(path) as spool:
        assert spool.integrity() != []
        spool.select()
        submit(spool)


def test_integrity_finds_rows_that_refer_to_nothing(spool: Spool, path: Path) -> None:
    submit(spool)
    other = sqlite3.connect(str(path))
    other.execute("DELETE FROM applications")
    other.commit()
    other.close()
    assert spool.integrity() == ["row 1 of processes refers to nothing in applications"]


def test_a_program_that_holds_the_lock(path: Path) -> None:
    with Spool(path, timeout=0.05) as spool:
        submit(spool)
        other = sqlite3.connect(str(path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SpoolError, match=r"in use by another program .*fuser"):
            submit(spool)
        assert len(spool.select()) == 1  # readers do not wait
        other.execute("ROLLBACK")
        other.close()
        assert submit(spool) == 2


def test_a_closed_spool_says_so(path: Path) -> None:
    spool = Spool(path)
    submit(spool)
    spool.close()
    spool.close()
    failed = []

    def use() -> None:
        try:
            spool.select()
        except SpoolError as error:
            failed.append(str(error))

    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert failed == [f"the spool {path} was closed"] * 2


def test_threads_share_a_spool(spool: Spool) -> None:
    errors: list[BaseException] = []
    done: list[int] = []

    def work(name: str) -> None:
        try:
            for _ in range(25):
                submit(spool)
                for process in spool.claim(name, {"local": 1}, lease=30.0, most=1):
                    spool.end(process.claim, Outcome())
                    done.append(process.pid)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(done) == list(range(1, 101))


def test_a_fork_uses_a_connection_of_its_own(path: Path) -> None:
    code = """
import os, sys
from pstack_spool import Spool, Submission
spool = Spool(sys.argv[1])
spool.submit([Submission(application=b"parent")])
child = os.fork()
if not child:
    spool.submit([Submission(application=b"child")])
    spool.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
spool.submit([Submission(application=b"parent")])
print(len(spool.select()), spool.integrity())
"""
    assert run(code, path) == "3 []\n"


def test_a_final_state_is_final_for_everybody(spool: Spool) -> None:
    pid = submit(spool)
    spool.kill(pid)

    def meddle() -> None:
        with spool.batch() as connection:
            connection.execute("UPDATE processes SET state = 'waiting', ended = NULL")

    with pytest.raises(sqlite3.IntegrityError, match="a process that has ended does not change"):
        meddle()
    assert spool.get(pid).state == "killed"


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 8:2 / /home/ann/my\\040disk rw - ext4 /dev/sdb1 rw
32 22 0:41 / /net rw - autofs systemd rw
35 22 0:44 / /mnt/ünï\\134x rw - nfs far:/ rw
33 32 0:42 / /net rw - cifs //server/share rw
34 22 0:43 / /mnt/remote rw master:1 - fuse.sshfs bob@far: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/spool.db", None),
        ("/home/bob/.local/state/pstack", "nfs4"),
        ("/home/ann/my disk/spool.db", None),
        ("/home/ann/my disks/spool.db", "nfs4"),
        ("/homes/ann", None),
        ("/net/x", "cifs"),
        ("/mnt/remote", "fuse.sshfs"),
        ("/mnt/remote2", None),
        ("/mnt/ünï\\x/y", "nfs"),
    ],
)
def test_network_file_systems_are_known(path: str, kind: str | None) -> None:
    assert _network_mount(path, MOUNTS) == kind


def test_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert network_file_system(path.parent) is None
    monkeypatch.setattr("pstack_spool.db.network_file_system", lambda path: "nfs4")
    with pytest.raises(SpoolError, match=r"on a network file system \(nfs4\).*PSTACK_SPOOL"):
        Spool(path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 40, 1), False),
        ((3, 44, 6), True),
        ((3, 46, 0), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_libraries_that_lose_data_are_known(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], sound: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert (library_problem() is None) == sound


def test_the_file_is_its_owners_alone(path: Path) -> None:
    with Spool(path) as spool:
        submit(spool)
        modes = {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()}
    assert modes == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
