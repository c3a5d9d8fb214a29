"""Every public application in the table does what the table says."""

from __future__ import annotations

import pytest

from tests.interop.expectations import ENDS, Row, corpus, rows
from tests.interop.generate import instance
from tests.interop.generators import CannotGenerate
from tests.interop.judge import judge

ROWS = rows()


def test_the_table_is_well_formed():
    assert {row.end for row in ROWS} <= set(ENDS)
    assert len({row.path for row in ROWS}) == len(ROWS)
    assert all(bool(row.recipe) == row.generated for row in ROWS)


@pytest.mark.interop
@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_application(row: Row):
    folder = corpus()
    if folder is None:
        pytest.skip("PSTACK_CORPUS does not name a folder of checkouts")
    if row.generated:
        try:
            path = instance(row)
        except CannotGenerate as error:
            pytest.skip(str(error))
    else:
        path = folder / row.path
        if not path.exists():
            pytest.skip(f"there is no {row.path} under PSTACK_CORPUS")
    outcome = judge(row, path)
    assert not outcome.faults, outcome.faults
