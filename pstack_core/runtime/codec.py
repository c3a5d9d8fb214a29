"""The service's dataclasses as JSON and back, every value checked against its annotation."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from pstack_core.runtime.errors import BadRequest

T = TypeVar("T")

#: Integers that every reader of JSON, and SQLite, takes as they are.
_LARGEST = (1 << 63) - 1


def to_json(value: Any) -> Any:
    """A dataclass, or a list of them, as what ``json.dumps`` takes; bytes are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        return {name: to_json(getattr(value, name)) for name in hints if hints[name] is not bytes}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def from_json(kind: type[T], value: Any, **given: Any) -> T:
    """A dataclass from its JSON; ``given`` are fields that are not in it.

    Raises BadRequest for unknown, missing and ill-typed fields.
    """
    if not isinstance(value, dict):
        raise BadRequest(f"{kind.__name__}: an object is expected, not {_name(value)}")
    hints = _hints(cast(Any, kind))
    arguments = dict(given)
    for name, item in value.items():
        if name not in hints or name in given:
            raise BadRequest(f"{kind.__name__} has no field {name[:40]!r}")
        arguments[name] = _convert(hints[name], item, f"{kind.__name__}.{name}")
    for name in _required(cast(Any, kind)):
        if name not in arguments:
            raise BadRequest(f"{kind.__name__} needs the field {name!r}")
    return kind(**arguments)


def convert(hint: Any, value: Any, what: str) -> Any:
    """One value of JSON as the type that an annotation says.  Raises BadRequest."""
    return _convert(hint, value, what)


def _convert(hint: Any, value: Any, what: str) -> Any:
    if hint is Any:
        return value
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(typing.get_args(hint), value, what)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise _wrong(what, "a list", value)
        element = typing.get_args(hint)[0]
        items = [_convert(element, item, what) for item in value]
        return tuple(items) if origin is tuple else items
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _wrong(what, "an object", value)
        element = typing.get_args(hint)[1]
        return {key: _convert(element, item, what) for key, item in value.items()}
    if is_dataclass(hint):
        return from_json(cast(type, hint), value)
    return _scalar(hint, value, what)


def _scalar(hint: Any, value: Any, what: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= _LARGEST else math.inf
    if hint is float and isinstance(value, float):
        if not math.isfinite(value):
            raise BadRequest(f"{what}: the number is too large, or none")
        return value
    if type(value) is not hint:
        name = {int: "an integer", str: "text", bool: "true or false", float: "a number"}
        raise _wrong(what, name.get(hint, str(hint)), value)
    if hint is int and abs(value) > _LARGEST:
        raise BadRequest(f"{what}: the number is too large")
    if hint is str and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise BadRequest(f"{what}: the text holds a character that cannot be kept")
    return value


def _one_of(hints: tuple[Any, ...], value: Any, what: str) -> Any:
    if value is None and type(None) in hints:
        return None
    others = [hint for hint in hints if hint is not type(None)]
    for hint in others[:-1]:
        try:
            return _convert(hint, value, what)
        except BadRequest:
            continue
    return _convert(others[-1], value, what)


def _wrong(what: str, expected: str, value: Any) -> BadRequest:
    return BadRequest(f"{what}: {expected} is expected, not {_name(value)}")


def _name(value: Any) -> str:
    if value is None:
        return "null"
    return {dict: "an object", list: "a list", str: "text", bool: "true or false"}.get(
        type(value), "a number"
    )


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in typing.get_type_hints(kind).items()
        if name in {field.name for field in _fields(kind)}
    }


@cache
def _required(kind: Any) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in _fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    )


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)
