"""Typed data as Python values, as JSON text and as flat columns.

Whole columns are converted at once, so that a million devices take seconds.
JSON is strict: NaN and the infinities are the strings ``"NaN"``, ``"Infinity"``
and ``"-Infinity"``; 64-bit integers are exact.  A struct is an object, an array
a list, a union an object with its active member only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union

Value = int | float | bool | str | list[Any] | dict[str, Any]


def decode(data: TypedData, value: Any) -> Value:
    """One NumPy value of the layout ``data`` as plain Python values, floats as they are."""
    if isinstance(data, Struct):
        return {m.name: decode(m.data, value[m.name]) for m in data.members}
    if isinstance(data, Array):
        if isinstance(_leaf(data), Scalar):
            return cast(Value, np.asarray(value).tolist())
        return [decode(data.element, element) for element in value]
    if isinstance(data, Union):
        tag = int(value[data.tag_name])
        if tag >= len(data.members):  # a handler wrote nonsense
            return {data.tag_name: tag}
        member = data.members[tag]
        return {member.name: decode(member.data, value[member.name])}
    return cast(Value, value.item())


def strict(value: Any) -> Any:
    """The same value with NaN and infinities as strings, for a strict JSON writer."""
    if isinstance(value, float) and not math.isfinite(value):
        return _not_finite(value)
    if isinstance(value, list):
        return [strict(element) for element in value]
    if isinstance(value, dict):
        return {name: strict(element) for name, element in value.items()}
    return value


def json_texts(data: TypedData, column: np.ndarray) -> list[str]:
    """Each value of ``column`` (shape (n, ...), dtype of ``data``) as JSON text: n strings."""
    if isinstance(data, Struct):
        if not data.members:
            return ["{}"] * len(column)
        members = [json_texts(m.data, column[m.name]) for m in data.members]
        template = "{" + ", ".join(f'"{m.name}": %s' for m in data.members) + "}"
        return [template % row for row in zip(*members, strict=True)]
    if isinstance(data, Union):
        return _union_texts(data, column)
    leaf = _leaf(data)
    if isinstance(leaf, Scalar):
        return _scalar_texts(leaf, column)
    assert isinstance(data, Array)
    flat = np.ascontiguousarray(column).reshape((-1, *column.shape[2:]))
    texts = json_texts(data.element, flat)
    return [
        "[" + ", ".join(texts[i : i + data.length]) + "]" for i in range(0, len(texts), data.length)
    ]


def flat_columns(
    data: TypedData, column: np.ndarray, name: str = ""
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """The scalars of ``column`` one by one: (``t.a[0]``, values of shape (n,), where valid).

    The last is a boolean mask for the members of a union, None for everything else.
    """
    if isinstance(data, Struct):
        for member in data.members:
            path = f"{name}.{member.name}" if name else member.name
            yield from flat_columns(member.data, column[member.name], path)
    elif isinstance(data, Array):
        for index in range(data.length):
            yield from flat_columns(data.element, column[:, index], f"{name}[{index}]")
    elif isinstance(data, Union):
        tags = column[data.tag_name]
        yield f"{name}.{data.tag_name}", tags, None
        for index, member in enumerate(data.members):
            inner = flat_columns(member.data, column[member.name], f"{name}.{member.name}")
            for path, values, valid in inner:
                active = tags == index
                yield path, values, active if valid is None else active & valid
    else:
        yield name, column, None


def person_text(value: Any, most: int = 16) -> str:
    """One value for a person to read: short, floats to the precision they have."""
    if isinstance(value, np.floating):
        return str(value)
    if isinstance(value, (list, np.ndarray)):
        shown = ", ".join(person_text(element, most) for element in value[:most])
        return f"[{shown}, ... {len(value)} in all]" if len(value) > most else f"[{shown}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {person_text(v, most)}" for k, v in value.items()) + "}"
    return str(int(value)) if isinstance(value, (bool, np.bool_)) else str(value)


def person_fields(data: Struct, value: Any) -> str:
    """The fields of one struct as ``a = 1, b = [1, 2]``."""
    fields = (f"{m.name} = {person_text(_readable(m.data, value[m.name]))}" for m in data.members)
    return ", ".join(fields)


def _readable(data: TypedData, value: Any) -> Any:
    """Like :func:`decode`, but scalars stay NumPy's, which know their own precision."""
    if isinstance(data, Struct):
        return {m.name: _readable(m.data, value[m.name]) for m in data.members}
    if isinstance(data, Array):
        return [_readable(data.element, element) for element in value]
    if isinstance(data, Union):
        tag = int(value[data.tag_name])
        if tag >= len(data.members):
            return {data.tag_name: tag}
        member = data.members[tag]
        return {member.name: _readable(member.data, value[member.name])}
    return value


def _leaf(data: TypedData) -> TypedData:
    while isinstance(data, Array):
        data = data.element
    return data


def _scalar_texts(leaf: Scalar, column: np.ndarray) -> list[str]:
    """Numbers, or (nested) lists of numbers, one text a row."""
    values = column.tolist()
    if leaf.dtype.kind == "f" and not np.isfinite(column).all():
        return [json.dumps(strict(value)) for value in values]
    if leaf.dtype.kind == "b":
        return [json.dumps(value) for value in values]
    return list(map(repr, values))


def _union_texts(data: Union, column: np.ndarray) -> list[str]:
    tags = column[data.tag_name]
    texts = [f'{{"{data.tag_name}": {tag}}}' for tag in tags.tolist()]
    for index, member in enumerate(data.members):
        rows = np.flatnonzero(tags == index)
        inner = json_texts(member.data, column[member.name][rows])
        for row, text in zip(rows.tolist(), inner, strict=True):
            texts[row] = f'{{"{member.name}": {text}}}'
    return texts


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
