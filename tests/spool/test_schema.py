"""The schema: documented, upgraded from every earlier version, and quick where it must be."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pstack_spool import Engine, Outcome, Spool, SpoolError, State, claims
from pstack_spool.db import sqlite3
from pstack_spool.migrations import APPLICATION_ID, VERSION
from tests.spool.conftest import Clock, claim, submit

DATA = Path(__file__).parent / "data"
PAGE = (Path(__file__).parents[2] / "docs" / "spool.md").read_text()


def schema(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Columns and their types by table, indices and triggers by name."""
    connection = sqlite3.connect(str(path))
    names = connection.execute(
        "SELECT name, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' "
        "AND name NOT LIKE '_sqlite_%' AND name NOT LIKE 'idx_%'"
    ).fetchall()
    found = {
        f"{kind} {name}": sorted(
            (column[1], column[2]) for column in connection.execute(f"PRAGMA table_info({name})")
        )
        for name, kind in names
    }
    connection.close()
    return found


def test_every_table_and_column_is_documented(spool: Spool, path: Path) -> None:
    for table, columns in schema(path).items():
        kind, name = table.split()
        if kind == "table":
            assert f"**{name}**" in PAGE, name
            for column, _ in columns:
                assert re.search(rf"`{column}`", PAGE), f"{name}.{column}"


def old_spool(version: Path, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.decompress(version.read_bytes()))


OLD = sorted(DATA.glob("version-*.db.gz"))


def test_every_earlier_version_is_kept() -> None:
    assert [path.name for path in OLD] == [f"version-{n}.db.gz" for n in range(1, VERSION)]


@pytest.mark.parametrize("version", OLD, ids=lambda path: path.name.partition(".")[0])
def test_an_old_spool_is_upgraded(version: Path, path: Path, clock: Clock, tmp_path: Path) -> None:
    old_spool(version, path)
    with Spool(path, clock=clock) as spool:
        first, second, third, fourth = spool.select()
        assert (first.state, first.exit_code, first.devices) == (State.FINISHED, 0, 4)
        assert first.options == {"seed": 7}
        assert (first.private, first.stats) == (0, {})
        assert [line.text for line in spool.logs(1)] == ["hello", "wörld"]
        assert spool.result(1).metrics == {"delivered": 16}
        assert b"".join(spool.states(1)) == b"npz" * 1000
        assert spool.application(second.application).startswith(b'<Graphs appname="ring"/>')
        assert (third.state, third.array_value, third.worker) == ("running", "10", "host:1:1")
        assert (fourth.state, fourth.engine) == ("paused", "hardware")
        assert spool.engines()[0].features == ("threads",)
        assert len(spool.history(1)) == 3
        # And it works on.
        assert spool.end(third.claim, Outcome(reason="idle", exit_code=0)) == "finished"
        assert claim(spool).pid == 2
        assert submit(spool, private=True) == 5
        assert spool.integrity() == []
        assert spool.size().schema == VERSION
    fresh = tmp_path / "fresh.db"
    Spool(fresh).close()
    assert schema(path) == schema(fresh)
    Spool(path).close()  # once is enough


def test_an_upgrade_that_fails_leaves_the_old_spool(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_spool(OLD[0], path)
    before = schema(path)
    monkeypatch.setattr(
        "pstack_spool.migrations.STEPS",
        (
            ("processes", ()),
            ("bad", ("ALTER TABLE processes ADD COLUMN x TEXT", "SELECT nonsense")),
        ),
    )
    with pytest.raises(SpoolError, match="nonsense"):
        Spool(path)
    assert schema(path) == before


def test_a_newer_spool_is_refused(path: Path) -> None:
    Spool(path).close()
    connection = sqlite3.connect(str(path))
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(SpoolError, match=r"made by a newer pstack .*: upgrade pstack"):
        Spool(path)


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(str(path))
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    with pytest.raises(SpoolError, match="is a SQLite file of another program, not a spool"):
        Spool(path)
    assert list(schema(path)) == ["table mine"]


def test_the_file_says_what_it_is(spool: Spool, path: Path) -> None:
    connection = sqlite3.connect(str(path))
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


def test_many_processes_may_create_one_spool(path: Path) -> None:
    code = f"from pstack_spool import Spool; Spool({str(path)!r}).close()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    with Spool(path) as spool:
        assert spool.size().schema == VERSION


def plan(connection: object, query: str, values: object) -> str:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {query}", values)  # type: ignore[attr-defined]
    return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (claims.SINGLES, ("local", "ann", 0.0)),
        (claims.OWNERS, {"engine": "local"}),
        (claims.GANGS, (0.0,)),
        *((query, ()) for query in claims.ANYTHING),
    ],
)
def test_a_claim_reads_only_indices_in_their_order(
    spool: Spool, query: str, values: object
) -> None:
    with spool.batch() as connection:
        said = plan(connection, query, values)
    assert re.search(r"USING (COVERING )?INDEX processes_(claimable|gangs)", said)
    assert "TEMP B-TREE" not in said
    assert not re.search(r"SCAN (p|processes)$", said, re.MULTILINE)


def work(spool: Spool, count: int) -> int:
    """Steps of SQLite's machine, in hundreds, for a claim with ``count`` waiting."""
    for index in range(count):
        submit(spool, owner="ann", priority=index % 3)
    submit(spool, owner="bob", priority=-5)
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with spool.batch() as connection:
        connection.set_progress_handler(step, 100)
        found = spool.claim("w", {"local": 3}, lease=30.0, share=2)
        connection.set_progress_handler(None, 0)
    assert [process.owner for process in found] == ["ann", "ann", "bob"]
    return steps


def test_the_work_of_a_claim_does_not_grow_with_the_queue(spool: Spool, tmp_path: Path) -> None:
    with Spool(tmp_path / "small.db") as small:
        assert work(spool, 1000) <= 2 * work(small, 10) + 2


def test_looking_imports_no_sqlite_utils(path: Path) -> None:
    Spool(path).close()
    code = (
        "import sys; from pstack_spool import Spool\n"
        f"spool = Spool({str(path)!r}); spool.select(); spool.counts()\n"
        "heavy = {'sqlite_utils', 'numpy', 'click', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_library_as_sqlite_utils() -> None:
    from sqlite_utils.utils import sqlite3 as theirs

    assert sqlite3 is theirs


def test_nobody_else_imports_sqlite() -> None:
    root = Path(__file__).parents[2]
    imports = re.compile(r"^\s*(?:import|from) (?:py)?sqlite3\b", re.MULTILINE)
    for folder in ("spool", "pstack_core", "plugins", "native"):
        for path in (root / folder).rglob("*.py"):
            if path.name != "db.py" or path.parent.name != "pstack_spool":
                assert not imports.search(path.read_text()), path


def test_backups_and_vacuum(spool: Spool, path: Path, tmp_path: Path) -> None:
    pids = [submit(spool, application=bytes(range(256)) * n) for n in range(1, 200)]
    spool.announce(Engine("local"))
    copy = tmp_path / "copy.db"
    spool.backup(copy)
    assert copy.stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o600
    for pid in pids:
        spool.kill(pid)
    spool.remove(pids)
    assert spool.size().free > 0
    assert spool.vacuum() > 0
    assert spool.size().free == 0
    with Spool(copy) as restored:
        assert len(restored.select(states=["waiting"])) == 199
        assert restored.integrity() == []
    with pytest.raises(SpoolError, match=r"copy.db exists: give the backup another name"):
        spool.backup(copy)
    with pytest.raises(SpoolError, match="cannot be written"):
        spool.backup(tmp_path / "absent" / "copy.db")
    assert sorted(entry.name for entry in tmp_path.iterdir() if "copy" in entry.name) == ["copy.db"]
