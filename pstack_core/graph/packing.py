"""Rows without padding and with one form of each value: bytes are equal when values are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union


def packed(struct: Struct) -> Struct:
    """The same members laid out packed, inner structs too; defaults are dropped."""
    return Struct(
        tuple(replace(member, data=_packed_data(member.data)) for member in struct.members)
    )


def _packed_data(data: TypedData) -> TypedData:
    if isinstance(data, Struct):
        return packed(data)
    if isinstance(data, Array):
        return replace(data, element=_packed_data(data.element))
    if isinstance(data, Union):
        members = (replace(m, data=_packed_data(m.data)) for m in data.members)
        return replace(data, members=tuple(members))
    return data


def packed_rows(rows: np.ndarray, struct: Struct) -> np.ndarray:
    """A copy of ``rows`` in the dtype of :func:`packed`."""
    return rows.astype(packed(struct).dtype)


def canonical_bytes(rows: np.ndarray, struct: Struct) -> np.ndarray:
    """The bytes of packed rows, every NaN the same, unused union bytes zero: uint8[n, size]."""
    copy = np.ascontiguousarray(packed_rows(np.atleast_1d(rows), struct))
    size = copy.dtype.itemsize
    if not size:
        return np.zeros((len(copy), 0), np.uint8)
    _settle(copy, packed(struct))
    return copy.view(np.uint8).reshape(len(copy), size)


def _settle(values: np.ndarray, data: TypedData) -> None:
    """Give values in place the bytes that stand for all that are equal to them."""
    while isinstance(data, Array):
        data = data.element
    if isinstance(data, Scalar):
        if values.dtype.kind == "f":
            values[np.isnan(values)] = np.nan
    elif isinstance(data, Union):
        for tag, member in enumerate(data.members):
            chosen = values[data.tag_name] == tag
            part = values[chosen][member.name]
            _settle(part, member.data)
            clean = np.zeros(len(part), values.dtype)
            clean[data.tag_name] = tag
            clean[member.name] = part
            values[chosen] = clean
    else:
        for member in data.members:
            _settle(values[member.name], member.data)
