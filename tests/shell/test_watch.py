"""Saves as editors make them: each run is of a whole content, the last of the last."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import pytest

import pstack_core
from pstack_core.shell.watching.differences import compare
from pstack_core.shell.watching.saves import Save, Saves, problem_of
from tests.graphs import ring as ring_graph
from tests.shell.applications import command, ring


def version(number: int) -> bytes:
    """Contents of different lengths, so that one written over another leaves a rest."""
    text = ring().replace('default="10"', f'default="{number}"')
    return f"{text}<!-- {'x' * (number * 7919 % 5000)} -->\n".encode()


def in_place(path: Path, content: bytes, rest: float) -> None:
    """Overwrite in two steps, then cut: in between the file is old and new."""
    with path.open("r+b", buffering=0) as file:
        file.write(content[: len(content) // 2])
        time.sleep(rest)
        file.write(content[len(content) // 2 :])
        file.truncate()


def truncate(path: Path, content: bytes, rest: float) -> None:
    """Empty the file, then write it in pieces."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), 1500):
            file.write(content[start : start + 1500])
            time.sleep(rest / 4)


def rename(path: Path, content: bytes, rest: float) -> None:
    """Write another file and put it over the old one."""
    other = path.with_name(f".{path.name}.swp")
    other.write_bytes(content[:100])
    time.sleep(rest)
    other.write_bytes(content)
    os.replace(other, path)


class Reader:
    """Collects saves in a thread."""

    def __init__(self, path: Path) -> None:
        self.saves: list[Save] = []
        self.problems: list[str] = []
        self._watch = Saves(path, self.problems.append)
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        for save in self._watch:
            self.saves.append(save)

    def __enter__(self) -> Self:
        self._watch.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.__exit__(None, None, None)
        self._thread.join()

    def until(self, content: bytes) -> None:
        deadline = time.monotonic() + 30
        while not (self.saves and self.saves[-1].content == content):
            assert time.monotonic() < deadline, f"{len(self.saves)} saves, not the last content"
            time.sleep(0.02)


def save_often(path: Path, times: int, seed: int) -> None:
    """Bursts of saves by changing methods; only whole contents are ever read."""
    chance = random.Random(seed)
    path.write_bytes(version(0))
    whole = {version(number) for number in range(times + 1)}
    with Reader(path) as reader:
        reader.until(version(0))
        number = 0
        while number < times:
            for _ in range(chance.randint(1, 5)):
                if number < times:
                    number += 1
                    save = chance.choice((in_place, truncate, rename))
                    save(path, version(number), chance.choice((0.0, 0.01, 0.05)))
            if chance.random() < 0.5:
                reader.until(version(number))
        reader.until(version(times))
    assert all(one.content in whole for one in reader.saves)
    digests = [one.digest for one in reader.saves]
    assert all(one != other for one, other in pairwise(digests))


def test_bursts_of_saves(tmp_path: Path) -> None:
    save_often(tmp_path / "app.xml", 12, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_saves(tmp_path: Path, seed: int) -> None:
    save_often(tmp_path / "app.xml", 100, seed)


@pytest.mark.parametrize("save", [in_place, truncate])
def test_a_slow_writer_is_waited_for(tmp_path: Path, save) -> None:
    path = tmp_path / "app.xml"
    path.write_bytes(version(1))
    with Reader(path) as reader:
        reader.until(version(1))
        save(path, version(2), 0.6)
        reader.until(version(2))
    assert [one.content for one in reader.saves] == [version(1), version(2)]


def test_half_a_file_that_stays_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "app.xml"
    path.write_bytes(version(1))
    with Reader(path) as reader:
        reader.until(version(1))
        path.write_bytes(version(2)[:500])
        time.sleep(1.5)
        path.write_bytes(version(3))
        reader.until(version(3))
    assert len(reader.problems) == 1
    assert [one.content for one in reader.saves] == [version(1), version(3)]


def test_a_link_and_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "app.xml"
    link.symlink_to(elsewhere / "real.xml")
    with Reader(link) as reader:
        time.sleep(0.3)
        assert reader.saves == []
        rename(elsewhere / "real.xml", version(1), 0)
        reader.until(version(1))


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (version(1), True),
        (gzip.compress(version(1)), True),
        (ring().encode(), True),
        (version(1)[:900], False),
        (gzip.compress(version(1))[:-20], False),
        (b"", False),
        (b"<a><b></a>", False),
    ],
)
def test_what_is_whole(content: bytes, whole: bool) -> None:
    assert (problem_of(content) == "") == whole


def test_differences() -> None:
    old = pstack_core.run(ring_graph(), engine="local")
    same = pstack_core.run(ring_graph(), engine="local")
    assert not compare(old, same)
    same.finished.states.by_type[0]["counter"][2] += np.uint32(5)
    found = compare(old, same)
    before = old.states["n2"]["counter"]
    assert found.states == {"n2": {"counter": (before, before + 5)}}
    assert (found.changed, found.added, found.removed) == (1, 0, 0)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "app.xml"
    path.write_bytes(version(3))
    with subprocess.Popen(
        command("watch", str(path), "--json", "--quiet"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watch:
        assert watch.stdout is not None

        def line() -> dict[str, object]:
            found: dict[str, object] = json.loads(watch.stdout.readline())
            return found

        assert line()["metrics"]["Delivered messages"] == 12
        rename(path, version(4), 0)
        changed = line()["changed"]
        assert changed["metrics"]["Delivered messages"] == [12, 16]
        assert changed["states"]["n1"] == {"counter": [3, 4]}
        path.write_bytes(version(4).replace(b"node", b"nude", 1))
        bad = line()
        assert bad["exit_status"] == 3
        assert bad["error"]
        path.write_bytes(version(5))
        assert line()["changed"]["metrics"]["Delivered messages"] == [16, 20]
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=30) == 0
        assert "error" in watch.stderr.read()


def test_a_save_ends_the_run_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "app.xml"
    endless = version(1).replace(b"== graphProperties->laps", b"== 4294967295u")
    path.write_bytes(endless)
    with subprocess.Popen(
        command("watch", str(path), "--json", "--quiet", "--level", "0", "-n", "1"),
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        time.sleep(2)
        truncate(path, version(2), 0.05)
        out, _ = watch.communicate(timeout=60)
        assert watch.returncode == 0
    [only] = out.splitlines()
    assert json.loads(only)["metrics"]["Delivered messages"] == 8
