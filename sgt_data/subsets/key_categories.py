"""The categories of many keys as small numbers: a few bytes each, where texts would fill the
memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class KeyCategories:
    """Which categories each of some keys has.

    Attributes:
        names: of the categories, by number.
        numbers: of the categories of all keys, one key after the other.
        counts: `[keys]`, how many of them each key has.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.int32]
    counts: NDArray[np.int32]

    def of(self, kept: NDArray[np.bool_]) -> KeyCategories:
        """Those of some of the keys."""
        if kept.all():
            return self
        numbers = self.numbers[np.repeat(kept, self.counts)]
        return KeyCategories(self.names, numbers, self.counts[kept])

    def keys_with_each(self) -> dict[str, int]:
        """How many keys have each category, of those that any has."""
        counts = np.bincount(self.numbers, minlength=len(self.names)).tolist()
        return {name: count for name, count in zip(self.names, counts, strict=True) if count}

    def lowest(self, rank: NDArray[np.int32], none: int) -> NDArray[np.int32]:
        """`[keys]`, the lowest rank among the categories of each key; `none` where it has none.

        Args:
            rank: `[names]`, a rank of each category.
            none: what stands for a key without one.
        """
        lowest = np.full(len(self.counts), none, np.int32)
        has = self.counts > 0
        if has.any():
            ends = np.cumsum(self.counts, dtype=np.int64)[has]
            begins = ends - self.counts[has]
            lowest[has] = np.minimum.reduceat(rank[self.numbers], begins)
        return lowest


class CategoryCollector:
    """Takes the categories of keys block by block."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._numbers: list[NDArray[np.int32]] = []
        self._counts: list[NDArray[np.int32]] = []

    def add(self, categories: pa.ListArray) -> None:
        """Take a list of categories for each of some keys."""
        coded = categories.flatten().dictionary_encode()
        known = [self._numbered(name) for name in coded.dictionary.to_pylist()]
        table = np.array(known or [0], np.int32)
        lengths = pc.list_value_length(categories).fill_null(0)
        self._numbers.append(table[coded.indices.to_numpy(zero_copy_only=False)])
        self._counts.append(lengths.to_numpy(zero_copy_only=False).astype(np.int32))

    def collected(self) -> KeyCategories:
        """All that was taken."""
        empty = np.empty(0, np.int32)
        return KeyCategories(
            tuple(self._number),
            np.concatenate([empty, *self._numbers]),
            np.concatenate([empty, *self._counts]),
        )

    def _numbered(self, name: str) -> int:
        return self._number.setdefault(name, len(self._number))
