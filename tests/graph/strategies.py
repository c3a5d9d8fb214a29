"""Random graphs, made straight from the model, for tests of writers and readers."""

from __future__ import annotations

import math
import string
from functools import cache
from random import Random

import numpy as np
from hypothesis import strategies as st

from pstack_core.graph.layout import SCALARS, Array, Member, Scalar, Struct, TypedData, Union
from pstack_core.graph.model import (
    Code,
    Devices,
    DeviceType,
    Edges,
    Graph,
    GraphType,
    InputPin,
    MessageType,
    OutputPin,
    SupervisorType,
)
from pstack_core.graph.names import Names
from pstack_core.graph.typed_data import KEYWORDS

#: What v3 and v4 both have.
COMMON = tuple(sorted(set(SCALARS) - {"half", "char", "bool"}))

identifiers = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(string.ascii_letters + "_"),
    st.text(string.ascii_letters + string.digits + "_", max_size=6),
).filter(lambda name: name not in KEYWORDS and not name.startswith("__"))

# Anything XML can hold.  Readers drop blank text around a handler, so there is none.
source_texts = st.text(
    st.one_of(
        st.sampled_from(list("]>[<&\"'\r\n\t !;{}")),
        st.characters(
            exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff\x85\u2028\u2029"
        ),
    ),
    max_size=30,
).map(str.strip)

codes = st.one_of(st.none(), source_texts.filter(bool).map(Code))


def scalars(ctypes: tuple[str, ...]) -> st.SearchStrategy[Scalar]:
    return st.sampled_from([Scalar(ctype) for ctype in ctypes])


@cache
def structs(
    ctypes: tuple[str, ...], depth: int = 2, unions: bool = False
) -> st.SearchStrategy[Struct]:
    """Structs with nested arrays and structs, without defaults; inner structs have members."""
    least = 0 if depth == 2 else 1
    member = st.builds(Member, identifiers, typed_data(ctypes, depth, unions))
    members = st.lists(member, min_size=least, max_size=4, unique_by=lambda m: m.name)
    return members.map(lambda made: Struct(tuple(made)))


@cache
def typed_data(ctypes: tuple[str, ...], depth: int, unions: bool) -> st.SearchStrategy[TypedData]:
    if depth == 0:
        return scalars(ctypes)
    inner = typed_data(ctypes, depth - 1, unions)
    options: list[st.SearchStrategy[TypedData]] = [
        scalars(ctypes),
        st.builds(Array, st.integers(1, 3), inner),
        structs(ctypes, depth - 1, unions),
    ]
    if unions:
        member = st.builds(Member, identifiers, inner)
        members = st.lists(member, min_size=1, max_size=3, unique_by=lambda m: m.name)
        options.append(members.map(lambda made: Union(tuple(made), "the_tag")))
    return st.one_of(options)


class Values(Random):
    """The source of values, without NaN and infinity where they are to be ``finite``."""

    def __init__(self, seed: int, finite: bool) -> None:
        super().__init__(seed)
        self.finite = finite


def value_bytes(random: Values, data: TypedData) -> bytes:
    """The bytes of one random value: extremes, NaN and denormal numbers among them."""
    if isinstance(data, Array):
        return b"".join(value_bytes(random, data.element) for _ in range(data.length))
    if isinstance(data, Struct):
        return b"".join(value_bytes(random, member.data) for member in data.members)
    if isinstance(data, Union):
        tag = random.randrange(len(data.members))
        image = bytearray(data.dtype.itemsize)
        part = value_bytes(random, data.members[tag].data)
        image[: len(part)] = part
        image[-1] = tag
        return bytes(image)
    if data.dtype.kind == "f":
        image = _number_bytes(random, data.dtype)
        if random.finite and not np.isfinite(np.frombuffer(image, data.dtype)[0]):
            return bytes(len(image))
        return image
    return _number_bytes(random, data.dtype)


def _number_bytes(random: Values, dtype: np.dtype) -> bytes:
    size = dtype.itemsize
    if dtype.kind == "b":
        return bytes([random.randrange(2)])
    if dtype.kind == "f" and random.random() < 0.5:
        info = np.finfo(dtype)
        least = float(info.smallest_subnormal)
        chosen = random.choice([0.0, -0.0, 0.1, 1.0, math.nan, math.inf, -math.inf, least])
        return np.array(random.choice([chosen, float(info.max)]), dtype).tobytes()
    if random.random() < 0.5:
        return random.choice([bytes(size), b"\xff" * size, b"\0" * (size - 1) + b"\x80"])
    return random.randbytes(size)


def rows(random: Values, struct: Struct, count: int) -> np.ndarray:
    """``count`` rows, some of them at the default."""
    if not struct.dtype.itemsize:
        return np.zeros(count, struct.dtype)
    images = [
        struct.default if random.random() < 0.3 else value_bytes(random, struct)
        for _ in range(count)
    ]
    return np.frombuffer(bytearray(b"".join(images)), struct.dtype)


def with_default(random: Values, struct: Struct) -> Struct:
    """The same members, half the time with a random default."""
    if not struct.dtype.itemsize or random.random() < 0.5:
        return struct
    return Struct(struct.members, default_bytes=value_bytes(random, struct))


@st.composite
def graphs(
    draw: st.DrawFn,
    ctypes: tuple[str, ...] = COMMON,
    unions: bool = False,
    message_defaults: bool = False,
    supervisor: bool = False,
    finite: bool = False,
) -> Graph:
    """A graph type with an instance of it; structs are packed, floats ``finite`` where asked."""
    data = structs(ctypes, 2, unions)
    # Values come from a seed: drawing each number would take most of a test's time.
    random = Values(draw(st.integers(0, 2**32)), finite)

    def struct() -> Struct:
        return with_default(random, draw(data))

    message_ids = draw(st.lists(identifiers, min_size=1, max_size=3, unique=True))
    messages = tuple(
        MessageType(id, struct() if message_defaults else draw(data)) for id in message_ids
    )
    kinds = []
    for id in draw(st.lists(identifiers, min_size=1, max_size=3, unique=True)):
        external = draw(st.booleans()) and draw(st.booleans())
        names = [draw(st.lists(identifiers, max_size=3, unique=True)) for _ in range(2)]
        inputs = tuple(
            InputPin(name, draw(st.sampled_from(message_ids)))
            if external
            else InputPin(name, draw(st.sampled_from(message_ids)), draw(codes), struct(), struct())
            for name in names[0]
        )
        outputs = tuple(
            OutputPin(
                name,
                draw(st.sampled_from(message_ids)),
                None if external else draw(codes),
                draw(st.booleans()),
            )
            for name in names[1]
        )
        if external:
            kinds.append(DeviceType(id, struct(), Struct(), inputs, outputs, external=True))
            continue
        shared = tuple(c for c in draw(st.lists(codes, max_size=2)) if c is not None)
        handlers = [draw(codes) for _ in range(4)]
        kinds.append(DeviceType(id, struct(), struct(), inputs, outputs, shared, *handlers))
    boss = None
    if supervisor and draw(st.booleans()):
        text = [draw(codes) for _ in range(5)]
        boss = SupervisorType("boss", (), *text, in_message=message_ids[0], on_receive=draw(codes))
    graph_type = GraphType(
        draw(identifiers),
        properties=struct(),
        shared_code=tuple(c for c in draw(st.lists(codes, max_size=2)) if c is not None),
        message_types=messages,
        device_types=tuple(kinds),
        supervisor=boss,
    )
    devices = _devices(draw, random, graph_type)
    return Graph(
        draw(identifiers),
        graph_type,
        rows(random, graph_type.properties, 1).reshape(()),
        devices,
        _edges(draw, random, graph_type, devices),
    )


def _devices(draw: st.DrawFn, random: Values, graph_type: GraphType) -> Devices:
    kinds = graph_type.device_types
    ids = st.one_of(st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=4))
    numbered = st.integers(0, 12).map(lambda n: [f"n{i}" for i in range(n)])
    names = draw(st.one_of(numbered, st.lists(ids, max_size=8, unique=True)))
    types = np.array([draw(st.integers(0, len(kinds) - 1)) for _ in names], np.uint16)
    row = np.zeros(len(names), np.uint32)
    counts = []
    for kind in range(len(kinds)):
        mine = np.flatnonzero(types == kind)
        row[mine] = np.arange(len(mine))
        counts.append(len(mine))
    return Devices(
        Names.of(names),
        types,
        row,
        [rows(random, t.properties, n) for t, n in zip(kinds, counts, strict=True)],
        [rows(random, t.state, n) for t, n in zip(kinds, counts, strict=True)],
    )


def _edges(draw: st.DrawFn, random: Values, graph_type: GraphType, devices: Devices) -> Edges:
    kinds = [graph_type.device_types[t] for t in devices.type.tolist()]
    possible = [
        (d, i, s, o)
        for d, receiver in enumerate(kinds)
        for i, pin in enumerate(receiver.input_pins)
        for s, sender in enumerate(kinds)
        for o, out in enumerate(sender.output_pins)
        if out.message == pin.message
    ]
    chosen = []
    if possible:
        chosen = draw(st.lists(st.sampled_from(possible), max_size=10, unique=True))
    columns = np.array(chosen, np.int64).reshape(-1, 4)
    edges = Edges(
        dst=columns[:, 0].astype(np.uint32),
        dst_pin=columns[:, 1].astype(np.uint16),
        src=columns[:, 2].astype(np.uint32),
        src_pin=columns[:, 3].astype(np.uint16),
        send_index=np.full(len(chosen), -1, np.int32),
        row=np.zeros(len(chosen), np.uint32),
    )
    # Where a pin is indexed, all its edges give their place or none does.
    ends: dict[tuple[int, int], list[int]] = {}
    for index, (_, _, s, o) in enumerate(chosen):
        if kinds[s].output_pins[o].indexed:
            ends.setdefault((s, o), []).append(index)
    for members in ends.values():
        if draw(st.booleans()):
            edges.send_index[members] = draw(st.permutations(range(len(members))))
    dst_types = devices.type[edges.dst]
    for t, device in enumerate(graph_type.device_types):
        for p, pin in enumerate(device.input_pins):
            mine = np.flatnonzero((dst_types == t) & (edges.dst_pin == p))
            edges.row[mine] = np.arange(len(mine))
            if pin.properties.dtype.itemsize:
                edges.properties[t, p] = rows(random, pin.properties, len(mine))
            if pin.state.dtype.itemsize:
                edges.state[t, p] = rows(random, pin.state, len(mine))
    return edges
