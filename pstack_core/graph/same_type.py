"""Whether a file's second graph type of an id says the same as the first."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from pstack_core.graph.model import Code, GraphType


def same_type(a: GraphType, b: GraphType) -> bool:
    """Equal in everything but where the code stands."""
    return _content(a) == _content(b)


def _content(value: object) -> object:
    if isinstance(value, Code):
        return value.text.strip()
    if isinstance(value, tuple):
        return tuple(map(_content, value))
    if is_dataclass(value):
        inside = (_content(getattr(value, each.name)) for each in fields(value))
        return (type(value).__name__, *inside)
    return value
