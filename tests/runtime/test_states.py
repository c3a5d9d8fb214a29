"""States as Python values, JSON, CSV and NumPy files."""

from __future__ import annotations

import csv
import json
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph.layout import Array, Member, Scalar, Struct, TypedData, Union
from pstack_core.runtime.states import CHUNK, StateMap
from pstack_core.runtime.values import decode, json_texts, person_fields, strict
from tests.graphs import RICH, graph_of, ring


def refuse(constant: str) -> None:
    """What a strict JSON reader does with NaN."""
    raise AssertionError(constant)


def rich_states() -> StateMap:
    """Two rich devices around one without state."""
    graph = graph_of(
        {"rich": RICH, "bare": Struct()}, [("a", "rich"), ("b", "bare"), ("c", "rich")]
    )
    state = graph.devices.state[0]
    first, second = state[0], state[1]
    first["count"] = 2**32 - 1
    first["big"] = -(2**63)
    first["huge"] = 2**64 - 1
    first["single"] = np.nan
    first["double_"] = -np.inf
    first["small"] = 0.5
    first["flag"] = True
    first["grid"] = [[1, 2, 3], [4, 5, -6]]
    first["weights"] = [np.inf, 0.1]
    first["t"]["x"] = -1
    first["t"]["y"] = [7, 8]
    first["pairs"]["a"] = [9, 10]
    first["u"]["n"] = 42
    second["u"]["u_tag"] = 1
    second["u"]["f"] = 1.5
    return StateMap(graph, graph.devices.state)


def test_mapping_decodes_every_kind_of_data() -> None:
    states = rich_states()
    assert list(states) == ["a", "b", "c"]
    assert len(states) == 3
    assert states["b"] == {}
    a = states["a"]
    assert math.isnan(a.pop("single"))
    assert a == {
        "count": 2**32 - 1,
        "big": -(2**63),
        "huge": 2**64 - 1,
        "double_": -math.inf,
        "small": 0.5,
        "flag": True,
        "grid": [[1, 2, 3], [4, 5, -6]],
        "weights": [math.inf, float(np.float32(0.1))],
        "t": {"x": -1, "y": [7, 8]},
        "pairs": [{"a": 9}, {"a": 10}],
        "u": {"n": 42},
    }
    assert a["flag"] is True
    assert states["c"]["u"] == {"f": 1.5}
    assert "d" not in states
    with pytest.raises(KeyError):
        states["d"]


def test_no_states() -> None:
    states = StateMap(ring(), None)
    assert len(states) == 0
    assert list(states) == list(states.lines(10)) == []
    with pytest.raises(KeyError):
        states["n0"]


def test_json_is_strict_and_exact(tmp_path: Path) -> None:
    states = rich_states()
    states.write(tmp_path / "s.json")
    loaded = json.loads((tmp_path / "s.json").read_text(), parse_constant=refuse)
    assert loaded == {device: strict(values) for device, values in states.items()}
    assert loaded["a"]["huge"] == 2**64 - 1
    assert loaded["a"]["single"] == "NaN"
    assert loaded["a"]["double_"] == "-Infinity"
    assert loaded["a"]["weights"][0] == "Infinity"


def test_csv_has_a_column_a_scalar(tmp_path: Path) -> None:
    rich_states().write(tmp_path / "s.csv")
    with (tmp_path / "s.csv").open(newline="") as file:
        a, b, c = csv.DictReader(file)
    assert list(a)[:4] == ["device", "type", "count", "big"]
    assert a["device"] == "a"
    assert a["huge"] == str(2**64 - 1)
    assert [a[f"grid[{i}][{j}]"] for i in range(2) for j in range(3)] == [*"12345", "-6"]
    assert a["t.x"] == "-1"
    assert a["t.y[1]"] == "8"
    assert a["pairs[1].a"] == "10"
    assert a["flag"] == "1"
    assert (a["u.n"], a["u.f"], a["u.u_tag"]) == ("42", "", "0")
    assert (c["u.n"], c["u.f"], c["u.u_tag"]) == ("", "1.5", "1")
    assert (b["device"], b["type"], b["count"]) == ("b", "bare", "")
    assert math.isnan(float(a["single"]))


def test_npz_has_whole_columns(tmp_path: Path) -> None:
    states = rich_states()
    states.write(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as file:
        assert [name.decode() for name in file["rich/device"]] == ["a", "c"]
        assert file["rich/grid"].shape == (2, 2, 3)
        assert file["rich/grid"][0].tolist() == [[1, 2, 3], [4, 5, -6]]
        assert file["rich/huge"].dtype == np.uint64
        assert file["rich/t.x"].tolist() == [-1, 0]
        assert file["rich/u.f"][1] == 1.5
        assert [name.decode() for name in file["bare/device"]] == ["b"]


def test_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.json, \.csv, \.npz"):
        rich_states().write(tmp_path / "s.xls")


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_many_devices_stream(tmp_path: Path, ending: str) -> None:
    graph = ring(size=3 * CHUNK + 5)
    graph.devices.state[0]["counter"] = np.arange(len(graph.devices))
    path = tmp_path / f"s.{ending}"
    tracemalloc.start()
    try:
        StateMap(graph, graph.devices.state).write(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if ending == "json":
        loaded = json.loads(path.read_text())
        counters = [state["counter"] for state in loaded.values()]
    else:
        with path.open(newline="") as file:
            counters = [int(row["counter"]) for row in csv.DictReader(file)]
    assert counters == list(range(len(graph.devices)))
    assert peak < 1000 * CHUNK


def test_names_are_escaped(tmp_path: Path) -> None:
    graph = graph_of({"t": Struct()}, [('a"b\\', "t"), ("é,\n", "t")])
    states = StateMap(graph, graph.devices.state)
    states.write(tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text()) == {'a"b\\': {}, "é,\n": {}}
    states.write(tmp_path / "s.csv")
    with (tmp_path / "s.csv").open(newline="", encoding="utf-8") as file:
        assert [row["device"] for row in csv.DictReader(file)] == ['a"b\\', "é,\n"]


def test_lines_for_people() -> None:
    lines = list(rich_states().lines(2))
    assert lines[0].startswith("State [a]: count = 4294967295, big = -9223372036854775808, ")
    assert "weights = [inf, 0.1], t = {x = -1, y = [7, 8]}" in lines[0]
    assert lines[0].endswith("pairs = [{a = 9}, {a = 10}], u = {n = 42}")
    assert lines[1] == "State [b]:"
    assert len(lines) == 2


def test_long_arrays_are_shortened_for_people() -> None:
    struct = Struct((Member("a", Array(1000, Scalar("uint8_t"))),))
    value = np.zeros((), struct.dtype)
    assert person_fields(struct, value).endswith("0, ... 1000 in all]")
    assert len(person_fields(struct, value)) < 100


scalars = st.sampled_from(
    ["int8_t", "uint16_t", "int64_t", "uint64_t", "float", "double", "half", "bool"]
).map(Scalar)


def members_of(inner: st.SearchStrategy[TypedData]) -> st.SearchStrategy[tuple[Member, ...]]:
    return st.lists(inner, min_size=1, max_size=3).map(
        lambda data: tuple(Member(f"m{i}", d) for i, d in enumerate(data))
    )


typed_data = st.recursive(
    scalars,
    lambda inner: (
        st.builds(Array, st.integers(1, 3), inner)
        | members_of(inner).map(Struct)
        | members_of(inner).map(lambda members: Union(members, "tag"))
    ),
    max_leaves=6,
)


@given(members_of(typed_data).map(Struct), st.data())
def test_whole_columns_and_single_values_agree(struct: Struct, data: st.DataObject) -> None:
    """Any layout, any bytes: the JSON of a column is the JSON of each of its values."""
    size = struct.dtype.itemsize
    raw = data.draw(st.binary(min_size=3 * size, max_size=3 * size))
    column = np.frombuffer(raw, struct.dtype)
    texts = json_texts(struct, column)
    for text, value in zip(texts, column, strict=True):
        assert json.loads(text, parse_constant=refuse) == strict(decode(struct, value))
        assert person_fields(struct, value)
