"""Python values to the bytes of typed data, with the rules of the formats' JSON."""

from __future__ import annotations

import struct
from typing import Any

from pstack_core.graph.diagnostics import listed
from pstack_core.graph.layout import PACK_CODES, Array, Scalar, Struct, TypedData, Union

_FLOATS = ("float", "double", "half")


def encode(data: TypedData, value: Any, image: bytearray, offset: int = 0, name: str = "") -> None:
    """Write ``value`` over ``image`` at ``offset``; what it does not mention keeps its bytes.

    Numbers fill scalars; lists, or objects with decimal keys, fill arrays (a
    short list leaves the rest); text fills arrays of bytes; objects fill structs
    and choose a union's alternative.

    Raises:
        ValueError: the value does not fit; the sentence names the member.
    """
    if isinstance(data, Scalar):
        _scalar(data, value, image, offset, name)
    elif isinstance(data, Array):
        _array(data, value, image, offset, name)
    elif isinstance(data, Struct):
        members = {m.name: (m, o) for m, o in zip(data.members, data.offsets, strict=True)}
        for key, item in _object(value, name).items():
            if key not in members:
                raise ValueError(
                    f"there is no member '{_join(name, key)}' (members: {listed(members)})"
                )
            member, at = members[key]
            encode(member.data, item, image, offset + at, _join(name, key))
    else:
        _union(data, value, image, offset, name)


def _scalar(data: Scalar, value: Any, image: bytearray, offset: int, name: str) -> None:
    if data.ctype == "bool" and value in (0, 1):
        value = bool(value)
    elif data.ctype == "char" and isinstance(value, str) and len(value) == 1:
        value = ord(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{name}' is a {data.ctype}, so its value must be a number")
    if data.ctype in _FLOATS:
        value = _as_float(value, data, name)
    elif isinstance(value, float):
        raise ValueError(f"'{name}' is a {data.ctype}, so {value!r} must be a whole number")
    try:
        packed = struct.pack(PACK_CODES[data.ctype], value)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value} is out of range for '{name}', a {data.ctype}") from error
    image[offset : offset + len(packed)] = packed


def _as_float(value: float, data: Scalar, name: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{value} is out of range for '{name}', a {data.ctype}") from error


def _array(data: Array, value: Any, image: bytearray, offset: int, name: str) -> None:
    size = data.element.dtype.itemsize
    if isinstance(value, str) and isinstance(data.element, Scalar) and size == 1:
        value = list(value.encode())
    if isinstance(value, dict):
        items = []
        for key, item in value.items():
            if not (isinstance(key, str) and key.isdecimal() and key.isascii()):
                raise ValueError(f"'{name}' is an array, so '{key}' must be an index")
            items.append((int(key) if len(key) < 12 else data.length, item))
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        raise ValueError(f"'{name}' is an array of {data.length}, so its value must be a list")
    for index, item in items:
        if index >= data.length:
            raise ValueError(f"'{name}' has {data.length} elements, so {index} is out of range")
        encode(data.element, item, image, offset + index * size, f"{name}[{index}]")


def _union(data: Union, value: Any, image: bytearray, offset: int, name: str) -> None:
    items = _object(value, name)
    if len(items) != 1:
        raise ValueError(f"'{name}' is a union, so its value must name one alternative")
    (key, item), size = next(iter(items.items())), data.dtype.itemsize
    tag = next((i for i, member in enumerate(data.members) if member.name == key), -1)
    if tag < 0:
        known = listed([member.name for member in data.members])
        raise ValueError(f"there is no alternative '{_join(name, key)}' (alternatives: {known})")
    image[offset : offset + size] = bytes(size)
    image[offset + size - 1] = tag
    encode(data.members[tag].data, item, image, offset, _join(name, key))


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"'{name}' has members, so its value must be an object")
    return value


def _join(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name


def number(text: str) -> int | float:
    """A number as the formats and C write it: ``-3``, ``0x1F``, ``1e-3``, ``2.5f``, ``7u``.

    Raises:
        ValueError: the text is not a number.
    """
    plain = text.strip()
    try:
        return int(plain, 10)
    except ValueError:
        pass
    lower = plain.lower()
    if "_" in lower or len(lower) > 400:
        raise ValueError(f"'{text[:40]}' is not a number")
    try:
        if lower.lstrip("+-").startswith("0x"):
            return int(lower.rstrip("ul"), 16)
        if lower[-1:] in ("u", "l") and "." not in lower and "e" not in lower:
            return int(lower.rstrip("ul"), 10)
        if lower[-1:] in ("f", "l") and "inf" not in lower:
            lower = lower[:-1]
        return float(lower)
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a number") from None


def json_value(text: str) -> Any:
    """A ``Default``: a JSON array, or the inside of a JSON object (braces allowed).

    Raises:
        ValueError: the text is neither.
    """
    import json  # not imported where no default or override needs it

    text = text.strip()
    if not text.startswith(("[", "{")):
        text = "{" + text + "}"
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def override_value(value: Any) -> Any:
    """The value of an override: text is read as JSON or as a number, the rest is taken as is."""
    if not isinstance(value, str):
        return value.tolist() if hasattr(value, "tolist") else value
    import json

    text = value.strip()
    if text.startswith("{") and ":" not in text:  # a C initialiser
        text = text.replace("{", "[").replace("}", "]")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return number(text)
    except ValueError:
        return value
