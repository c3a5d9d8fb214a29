"""Hostile instances: whatever arrives, in whatever pieces, columns stay consistent.

The slow test is meant for a build with sanitizers as well: compile the module with
``-fsanitize=address,undefined`` and run pytest under ``LD_PRELOAD=libasan.so``.
"""

from __future__ import annotations

import os
import random
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pstack_scan
from tests.scan.documents import MATRIX, array, layout, packed, scalar, scan, union

MIXED = layout(
    packed(
        b=scalar("bool"),
        t=array(5, scalar("char")),
        u=union(i=scalar("int16_t"), d=array(2, scalar("double"))),
        h=array(2, array(2, scalar("half"))),
        deep=packed(er=packed(e=scalar("int64_t"))),
    )
)
TYPES: list[Any] = [
    (
        "node",
        False,
        MATRIX,
        MIXED,
        [("in", "m", MATRIX, MIXED), ("in2", "m", None, None)],
        [("out", "m", False), ("ix", "m", True)],
    ),
    ("ext", True, MIXED, None, [("in", "m", MIXED, None)], [("out", "m", False)]),
]
VALUES = [
    '"a":1,"f":2.5,"arr":[1,2],"s":{"x":-3}',
    '"b":true,"t":"ab","u":{"d":[1e3]},"h":[[1,2],[3]],"deep":{"er":{"e":-9}}',
    "{1,2.5f,{1,2,3},{-4,(5+1)*2}}",
    '{true,"abc",{7},{{1,2},{3}},{{int(1e3)}}}',
    '"zz":{"k":[1,"]",{}]}',
    "{}",
    "",
]
PIECES = [
    *(c for c in "<>/!?-[]&;#x=\"' \n\r\tabin:01.{}(),+*é"),
    *VALUES,
    "<P>",
    "</P>",
    "<S>",
    "<M>",
    "</DevI>",
    "<DevI id='a' type='node'/>",
    "<ExtI id='e' type='ext'>",
    "<EdgeI path='a:in-b:out'/>",
    "<EdgeI path='a:in-b:ix' sendIndex='1'>",
    "</DeviceInstances>",
    "<EdgeInstances>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "&quot;",
    "&#10;",
    "1e400",
    "99999999999999999999",
    "static_cast<int>(",
    "'\\x41'",
    "// c",
    "/* c */",
    ":in-",
    "-:out",
]
COLUMNS = {
    "device_type": 2,
    "device_row": 4,
    "device_line": 4,
    "edge_dst": 4,
    "edge_dst_pin": 2,
    "edge_src": 4,
    "edge_src_pin": 2,
    "edge_send_index": 4,
    "edge_row": 4,
    "edge_line": 4,
}


def document(generator: random.Random) -> bytes:
    def value() -> str:
        return generator.choice(VALUES).replace("&", "&amp;").replace('"', "&quot;")

    names = [generator.choice("abcd") * generator.choice((1, 1, 4, 14)) for _ in range(6)]
    parts = ["<g><DeviceInstances>"]
    for name in names:
        kind, tag = generator.choice((("node", "DevI"), ("node", "DevI"), ("ext", "ExtI")))
        if generator.random() < 0.5:
            parts.append(f'<{tag} id="{name}" type="{kind}" P="{value()}" S="{value()}"/>')
        else:
            parts.append(
                f"<{tag} id='{name}' type='{kind}'><P>{value()}</P><S>{value()}</S>"
                f"<M>{value()}</M></{tag}>"
            )
    parts.append("</DeviceInstances>\n<EdgeInstances>")
    for _ in range(generator.randrange(12)):
        path = (
            f"{generator.choice(names)}:{generator.choice(('in', 'in2'))}-"
            f"{generator.choice(names)}:{generator.choice(('out', 'ix'))}"
        )
        parts.append(f"<EdgeI path='{path}' P='{value()}'><S>{value()}</S><M k='v'/></EdgeI>")
    parts.append("</EdgeInstances></g>")
    text = "".join(parts)
    for _ in range(generator.choice((0, 1, 2, 4, 10))):
        at = generator.randrange(len(text) + 1)
        end = min(len(text), at + generator.choice((0, 0, 1, 3, 10, 60)))
        text = text[:at] + generator.choice(PIECES) * generator.choice((0, 1, 1, 3)) + text[end:]
    data = bytearray(text.encode())
    if generator.random() < 0.1:
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data)


def outcome(pieces: list[bytes], syntax: str, strict: bool) -> list[Any]:
    """Everything that reading gives."""
    instance = pstack_scan.Instance(TYPES, syntax, strict, True, memory_limit=1 << 20)
    events = scan(pieces, instance)
    devices, edges = instance.device_count, instance.edge_count
    columns = {name: bytes(instance.column(name)) for name in COLUMNS}
    for name, size in COLUMNS.items():
        assert len(columns[name]) == size * (devices if name.startswith("device") else edges)
    assert len(instance.names_offsets) == 8 * (devices + 1)
    kinds = memoryview(columns["device_type"]).cast("H").tolist()
    rows: list[bytes] = []
    for index, type_ in enumerate(TYPES):
        rows += [bytes(instance.device_properties(index)), bytes(instance.device_state(index))]
        assert len(rows[-2]) == type_[2][0] * kinds.count(index)
        for pin in range(len(type_[4])):
            rows += [
                bytes(instance.edge_properties(index, pin)),
                bytes(instance.edge_state(index, pin)),
            ]
    assert all(end < devices for end in memoryview(columns["edge_dst"]).cast("I").tolist())
    return [events, columns, rows, instance.names_arena, instance.diagnostics, instance.metadata()]


def check(generator: random.Random) -> None:
    data = document(generator)
    syntax, strict = generator.choice(("json", "braces")), generator.random() < 0.5
    cuts = sorted(generator.randrange(len(data) + 1) for _ in range(generator.randrange(6)))
    pieces = [data[a:b] for a, b in pairwise([0, *cuts, len(data)])]
    assert outcome([data], syntax, strict) == outcome(pieces, syntax, strict), data


@given(st.integers(0, 2**32))
def test_mutated_instances(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(5):
        check(generator)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_mutated_instances_for_long() -> None:
    generator = random.Random(int(os.environ.get("PSTACK_FUZZ_SEED", "1")))
    end = time.monotonic() + float(os.environ.get("PSTACK_FUZZ_SECONDS", "120"))
    while time.monotonic() < end:
        check(generator)
