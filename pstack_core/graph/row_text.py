"""Rows of typed data as text: the inside of a JSON object (v3) or braces (v4).

Whole columns are formatted at once, and rows with the same bytes only once.
Numbers are written so that reading them gives the same bits: the shortest
decimal for floating point; NaN loses its payload.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union

Style = Literal["json", "braces"]

#: Texts remembered for rows already seen.
MAX_CACHED = 1 << 16
_SAMPLE = 256

_SPECIAL = {
    "json": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"},
    "braces": {},
}


class RowText:
    """Formats rows of one struct; a row equal to ``omit`` gives the empty text.

    ``before`` and ``after`` enclose each other text.
    """

    def __init__(
        self, struct: Struct, style: Style, omit: bytes, before: str = "", after: str = ""
    ) -> None:
        self._struct = struct
        self._style: Style = style
        self._omit = np.frombuffer(omit, np.uint8)
        self._before = before
        self._after = after
        self._cache: dict[bytes, str] = {}

    def texts(self, rows: np.ndarray) -> list[str]:
        """One text a row of ``rows``, a structured array of shape (n,)."""
        size = self._struct.dtype.itemsize
        if not size or not len(rows):
            return [""] * len(rows)
        rows = np.ascontiguousarray(rows)
        raw = rows.view(np.uint8).reshape(len(rows), size)
        wanted = np.flatnonzero((raw != self._omit).any(axis=1))
        if not len(wanted):
            return [""] * len(rows)
        chosen = rows[wanted]
        # Most generated graphs have few different rows; where a sample has many, do not look.
        sample = chosen[:_SAMPLE].tobytes()
        different = len({sample[i : i + size] for i in range(0, len(sample), size)})
        if len(chosen) > 1 and 2 * different < min(len(chosen), _SAMPLE):
            made = self._cached(chosen.tobytes(), size)
        else:
            made = self._format(chosen)
        if len(wanted) == len(rows):
            return made
        result = [""] * len(rows)
        for index, text in zip(wanted.tolist(), made, strict=True):
            result[index] = text
        return result

    def one(self, row: np.ndarray) -> str:
        """The text of one row, a structured array of shape ()."""
        return self.texts(row.reshape(1))[0]

    def _cached(self, data: bytes, size: int) -> list[str]:
        keys = [data[i : i + size] for i in range(0, len(data), size)]
        if len(self._cache) > MAX_CACHED:
            self._cache.clear()
        fresh = [key for key in dict.fromkeys(keys) if key not in self._cache]
        if fresh:
            rows = np.frombuffer(b"".join(fresh), self._struct.dtype)
            self._cache.update(zip(fresh, self._format(rows), strict=True))
        return [self._cache[key] for key in keys]

    def _format(self, rows: np.ndarray) -> list[str]:
        texts = render(rows, self._struct, self._style)
        # JSON text in XML is the inside of an object, without its braces.
        begin, end = (1, -1) if self._style == "json" else (None, None)
        return [f"{self._before}{text[begin:end]}{self._after}" for text in texts]


def render(values: np.ndarray, data: TypedData, style: Style) -> list[str]:
    """Texts of ``values``, an array whose first axis is over the values of ``data``."""
    if isinstance(data, Scalar):
        return numbers(values, style)
    if isinstance(data, Array):
        length = data.length
        inner = render(values.reshape(-1, *values.shape[2:]), data.element, style)
        begin, end = "[]" if style == "json" else "{}"
        return [
            f"{begin}{','.join(inner[i : i + length])}{end}" for i in range(0, len(inner), length)
        ]
    if isinstance(data, Union):
        return _render_union(values, data, style)
    if not data.members:
        return ["{}"] * len(values)
    columns = [render(values[member.name], member.data, style) for member in data.members]
    if style == "json":
        names = (f'"{member.name}":' for member in data.members)
    else:
        names = ("" for _ in data.members)
    template = "{" + ",".join(f"{name}%s" for name in names) + "}"
    return [template % row for row in zip(*columns, strict=True)]


def _render_union(values: np.ndarray, data: Union, style: Style) -> list[str]:
    tags = values[data.tag_name]
    texts = [""] * len(values)
    for tag, member in enumerate(data.members):
        indices = np.flatnonzero(tags == tag)
        inner = render(values[member.name][indices], member.data, style)
        for index, text in zip(indices.tolist(), inner, strict=True):
            texts[index] = f'{{"{member.name}":{text}}}'
    return texts


def numbers(values: np.ndarray, style: Style) -> list[str]:
    """Decimal texts of a one-dimensional array of numbers."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "b":
        return ["1" if value else "0" for value in values.tolist()]
    if kind != "f":
        return list(map(str, values.tolist()))
    if size == 8:
        texts = list(map(repr, values.tolist()))
    else:
        texts = [str(value) for value in values]
        # Readers may round to double first; the few texts that lose by it get more digits.
        back = np.array([float(text) for text in texts]).astype(values.dtype)
        for index in np.flatnonzero((back != values) & ~np.isnan(values)).tolist():
            texts[index] = f"{float(values[index]):.9g}"
    special = _SPECIAL[style]
    if special and not np.isfinite(values).all():
        texts = [special.get(text, text) for text in texts]
    return texts
