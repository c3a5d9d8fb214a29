"""The benchmark's limit does what the example does: otherwise the ratio means nothing."""

import numpy as np
import pytest

from tests.bench.limit import compile_limit, run_limit, write_plate
from tests.bench.report import table
from tests.bench.workloads import example


@pytest.mark.parametrize("ready", [True, False])
def test_the_limit_computes_the_same_temperatures(tmp_path, ready):
    heat = example("heat")
    steps = 30
    graph = heat.build(9, steps)
    write_plate(graph, steps, tmp_path / "plate")
    run = run_limit(compile_limit(tmp_path, ready), tmp_path / "plate")
    np.testing.assert_allclose(run.values, heat.reference(9, steps), rtol=1e-5)
    inside = int((graph.edges.dst < 81).sum())
    assert run.deliveries == (steps + 1) * inside


def test_tables_are_even():
    text = table(["name", "figure"], [["a", "1.5"], ["longer", "22"]])
    assert text.splitlines() == [
        "| name   | figure |",
        "| ------ | -----: |",
        "| a      |    1.5 |",
        "| longer |     22 |",
    ]
