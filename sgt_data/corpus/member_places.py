"""Where the members of a shard's samples lie in its tar, as its index says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.index import MEMBERS

_ABSENT = {"offset": -1, "size": -1, "crc32": 0}
_NUMBER = {member: number for number, member in enumerate(MEMBERS)}

PLACE_COLUMNS = ("key", *(f"{member}_{what}" for member in MEMBERS for what in _ABSENT))
"""The columns of an index that say where members lie: half of them, so opening a shard reads no
others."""

MemberPlace = list[int]
"""Offset in the tar, size, and CRC-32 of a member."""


class MemberPlaces:
    """A shard's index as arrays: keys, and the place of every member in the tar.

    A row's places lie together, so that a sample needs one look-up; they stay in an array, as lists
    of a million samples would fill the memory.

    Attributes:
        tar: URL of the tar.
        keys: of the samples, in order.
        number: the row of each key.
    """

    def __init__(self, tar: str, index: pa.Table) -> None:
        """
        Args:
            tar: URL of the tar.
            index: `PLACE_COLUMNS`, at least.
        """
        self.tar = tar
        self.keys: list[str] = index["key"].to_pylist()
        self.number = {key: row for row, key in enumerate(self.keys)}
        columns = [
            _filled(index[f"{member}_{what}"], value)
            for member in MEMBERS
            for what, value in _ABSENT.items()
        ]
        table = np.stack(columns, axis=1).astype(np.int64)
        self._places = table.reshape(-1, len(MEMBERS), len(_ABSENT))

    def of(self, row: int, names: Collection[str]) -> dict[str, MemberPlace]:
        """The places of some members of a sample, in the order of `names`; without those that it
        lacks."""
        places: list[MemberPlace] = self._places[row].tolist()
        stated = {name: places[_NUMBER[name]] for name in names}
        return {name: place for name, place in stated.items() if place[1] >= 0}


def _filled(column: pa.ChunkedArray, value: int) -> NDArray[Any]:
    """A column with a number in place of its nulls, which few indexes have."""
    filled: NDArray[Any] = (column.fill_null(value) if column.null_count else column).to_numpy()
    return filled
