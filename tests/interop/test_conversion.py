"""Public applications do the same after being converted to another version of the format."""

from __future__ import annotations

import re

import pytest

import pstack_core as pstack
from pstack_core.graph import ApplicationError, load, save
from tests.interop.expectations import Row, corpus, rows
from tests.interop.generate import instance
from tests.interop.generators import CannotGenerate

SECONDS = 120


def one_of_each_kind() -> list[Row]:
    """The first row of each family of files that ends by itself and is quick to run."""
    families: dict[str, Row] = {}
    for row in rows():
        family = re.sub(r"[\d.]+", "", row.recipe[0] + row.name if row.recipe else row.path)
        if row.end in ("exit", "idle") and row.devices:
            known = families.get(family)
            if known is None or (row.edges or 0) < (known.edges or 0):
                families[family] = row
    return list(families.values())


@pytest.mark.interop
@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", ["v3", "v4", "base85"])
@pytest.mark.parametrize("row", one_of_each_kind(), ids=lambda row: row.path)
def test_converted_runs_the_same(row: Row, version: str, tmp_path):
    folder = corpus()
    if folder is None:
        pytest.skip("PSTACK_CORPUS does not name a folder of checkouts")
    try:
        path = instance(row) if row.generated else folder / row.path
    except CannotGenerate as error:
        pytest.skip(str(error))
    if not path.exists():
        pytest.skip(f"there is no {row.path} under PSTACK_CORPUS")
    graph = load(path)
    converted = tmp_path / "converted.xml"
    try:
        save(graph, converted, version=version)
    except ApplicationError as error:
        pytest.skip(f"cannot be said in {version}: {error}")
    original = pstack.run(graph, level=0, timeout=SECONDS)
    again = pstack.run(converted, level=0, timeout=SECONDS)
    assert (again.reason, again.exit_code) == (original.reason, original.exit_code)
    assert again.finished.counters == original.finished.counters
