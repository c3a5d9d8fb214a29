"""Device names held as one byte arena and offsets, not as a list of strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np


class Names(Sequence[str]):
    """An immutable sequence of unique names, a few bytes each.

    ``arena`` holds the UTF-8 names end to end; ``offsets`` (uint64[n + 1]) says
    where each begins.
    """

    def __init__(self, arena: bytes, offsets: np.ndarray) -> None:
        self.arena = arena
        self.offsets = offsets

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        encoded = [name.encode() for name in names]
        offsets = np.zeros(len(encoded) + 1, np.uint64)
        np.cumsum([len(name) for name in encoded], out=offsets[1:])
        return cls(b"".join(encoded), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.arena[int(self.offsets[index]) : int(self.offsets[index + 1])].decode()

    def __iter__(self) -> Iterator[str]:
        bounds = self.offsets.tolist()
        for begin, end in pairwise(bounds):
            yield self.arena[begin:end].decode()

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Name to index; built when first asked for."""
        return {name: index for index, name in enumerate(self)}
