"""Tables of packed rows, filled from Python values with every value checked.

One :class:`Rows` holds the properties or state of all devices of a type, or of
all edges into a pin, as the bytes that the kernel will use.
"""

from __future__ import annotations

import struct as binary
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pstack_core.graph.layout import PACK_CODES, Array, Scalar, Struct, TypedData, Union

#: Scalar types that Python's ``struct`` packs with a range check of its own.
CODES = {name: code for name, code in PACK_CODES.items() if name != "bool"}


class ValueProblem(ValueError):
    """A value does not fit its member.

    ``row`` is the index of the value in a bulk call; None where the problem is not one row's.
    """

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class Rows:
    """A growing table of rows of one struct.

    ``kind`` is ``property`` or ``state member`` and ``owner`` what the struct
    belongs to (``device type 'node'``); both are for error messages.
    """

    def __init__(self, struct: Struct, kind: str, owner: str) -> None:
        self.struct = struct
        self.kind = kind
        self.owner = owner
        self.count = 0
        self._bytes = bytearray()
        self._members = {member.name: member.data for member in struct.members}
        self._packers: dict[str, tuple[Callable[..., None], int]] = {}
        for member, offset in zip(struct.members, struct.offsets, strict=True):
            code = CODES.get(member.data.ctype) if isinstance(member.data, Scalar) else None
            if code:
                self._packers[member.name] = (binary.Struct(code).pack_into, offset)

    def add(self, values: Mapping[str, Any] | None = None) -> None:
        """Append one row: ``values`` by member name over the defaults."""
        if not values:
            self._bytes += self.struct.default
            self.count += 1
            return
        image = bytearray(self.struct.default)
        for name, value in values.items():
            packer = self._packers.get(name)
            if packer is not None:
                try:
                    packer[0](image, packer[1], value)
                    continue
                except (binary.error, OverflowError, TypeError, ValueError):
                    pass  # the general path finds the words for it
            data = self._member(name)
            _assign(np.frombuffer(image, self.struct.dtype)[name], data, value, name)
        self._bytes += image
        self.count += 1

    def extend(self, columns: Mapping[str, Any] | None, count: int) -> None:
        """Append ``count`` rows: each column has ``count`` values, or is one value for all."""
        if not columns:
            self._bytes += self.struct.default * count
        else:
            image = bytearray(self.struct.default * count)
            for name, column in columns.items():
                data = self._member(name)
                if count:
                    _assign(np.frombuffer(image, self.struct.dtype)[name], data, column, name)
            self._bytes += image
        self.count += count

    def truncate(self, count: int) -> None:
        """Forget the rows after the first ``count``."""
        del self._bytes[count * self.struct.dtype.itemsize :]
        self.count = count

    def array(self) -> np.ndarray:
        """The rows as a structured array of shape (count,) that owns its memory."""
        if not self.struct.dtype.itemsize:
            return np.zeros(self.count, self.struct.dtype)
        return np.frombuffer(bytearray(self._bytes), self.struct.dtype)

    def _member(self, name: str) -> TypedData:
        try:
            return self._members[name]
        except KeyError:
            known = ", ".join(self._members)
            listing = f"it has {known}" if known else "it has none"
            raise ValueProblem(f"{self.owner} has no {self.kind} '{name}' ({listing})") from None


def _assign(view: np.ndarray, data: TypedData, value: Any, path: str) -> None:
    """Set ``view`` (rows first) from a column of values, or from one value for all rows."""
    if isinstance(data, Array):
        # The dtype of an array member is already unfolded into view's shape.
        element = data.element
        while isinstance(element, Array):
            element = element.element
        if isinstance(element, Scalar):
            _assign_numbers(view, element.ctype, value, path)
        else:
            _assign(view, element, value, path)
    elif isinstance(data, Scalar):
        _assign_numbers(view, data.ctype, value, path)
    elif isinstance(data, Struct):
        members = {member.name: member.data for member in data.members}
        for name, part in _parts(value, path).items():
            if name not in members:
                known = ", ".join(members) or "none"
                raise ValueProblem(f"'{path}' has no member '{name}' (its members: {known})")
            _assign(view[name], members[name], part, f"{path}.{name}")
    else:
        _assign_union(view, data, value, path)


def _assign_union(view: np.ndarray, data: Union, value: Any, path: str) -> None:
    parts = _parts(value, path)
    names = [member.name for member in data.members]
    if len(parts) != 1 or next(iter(parts)) not in names:
        raise ValueProblem(f"'{path}' is a union: give exactly one of {', '.join(names)}")
    name, part = next(iter(parts.items()))
    tag = names.index(name)
    _assign(view[name], data.members[tag].data, part, f"{path}.{name}")
    view[data.tag_name] = tag


def _parts(value: Any, path: str) -> Mapping[str, Any]:
    """The members of a struct value: from a mapping, a structured array or a list of mappings."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, np.ndarray | np.void) and value.dtype.names:
        return {name: value[name] for name in value.dtype.names}
    if isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value):
        names = list(value[0])
        if any(list(item) != names for item in value):
            raise ValueProblem(f"the values of '{path}' do not all give the same members")
        return {name: [item[name] for item in value] for name in names}
    raise ValueProblem(f"'{path}' is a struct: give a mapping of its members")


def _assign_numbers(view: np.ndarray, ctype: str, value: Any, path: str) -> None:
    numbers = _numbers(value, view.dtype, ctype, path)
    # One value an element of view, or the value of one row for every row.
    if numbers.shape not in (view.shape, view.shape[1:]):
        one = f"numbers of shape {list(view.shape[1:])}" if view.ndim > 1 else "one number"
        many = f", or a column of shape {list(view.shape)}" if view.shape[0] != 1 else ""
        shape = f"shape {list(numbers.shape)}" if numbers.ndim else "one number"
        raise ValueProblem(f"'{path}' is given as {shape}; it needs {one}{many}")
    per_row = numbers.ndim == view.ndim
    if view.dtype.kind in "iub":
        low, high = (0, 1) if view.dtype.kind == "b" else _limits(view.dtype)
        if numbers.size and not (low <= numbers.min() and numbers.max() <= high):
            bad = (numbers < low) | (numbers > high)
            _refuse(numbers, bad, per_row, path, f"{ctype} holds {low} to {high}")
        view[...] = numbers.astype(view.dtype)
        return
    try:
        with np.errstate(over="ignore"):
            converted = numbers.astype(view.dtype)
    except OverflowError:
        raise ValueProblem(f"'{path}' is not a number that a {ctype} holds") from None
    if view.dtype.itemsize < 8 or numbers.dtype.kind == "O":
        bad = np.isinf(converted) & ~np.isinf(numbers.astype(np.float64))
        if bad.any():
            _refuse(numbers, bad, per_row, path, f"that is too large for a {ctype}")
    view[...] = converted


def _limits(dtype: np.dtype) -> tuple[int, int]:
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _refuse(numbers: np.ndarray, bad: np.ndarray, per_row: bool, path: str, because: str) -> None:
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    row = first[0] if per_row and first else None
    inner = "".join(f"[{i}]" for i in (first[1:] if per_row else first))
    raise ValueProblem(f"'{path}{inner}' is {numbers[first]}; {because}", row)


def _numbers(value: Any, dtype: np.dtype, ctype: str, path: str) -> np.ndarray:
    """``value`` as an array of numbers that holds every one of them exactly."""
    try:
        numbers = np.asarray(value)
        if not isinstance(value, np.ndarray) and numbers.dtype.kind == "f" and dtype.kind in "iu":
            # A list that mixes signs above 2**63 becomes double and would lose digits.
            numbers = np.asarray(value, dtype=object)
    except (ValueError, OverflowError):
        raise ValueProblem(f"'{path}' is not a number or a regular array of numbers") from None
    if numbers.dtype.kind == "O":
        kinds = (int, np.integer) if dtype.kind in "iub" else (int, float, np.number)
        for item in numbers.flat:
            if not isinstance(item, kinds):
                raise ValueProblem(f"'{path}' is {item!r}; {ctype} needs {_needs(dtype)}")
        return numbers
    if numbers.dtype.kind not in ("iub" if dtype.kind in "iub" else "iubf"):
        shown = repr(value) if numbers.ndim == 0 else f"an array of {numbers.dtype}"
        raise ValueProblem(f"'{path}' is {shown}; {ctype} needs {_needs(dtype)}")
    return numbers


def _needs(dtype: np.dtype) -> str:
    return "a number" if dtype.kind == "f" else "an integer"
