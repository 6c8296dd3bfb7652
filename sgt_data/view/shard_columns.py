"""Samples of one proxy as columns: of one shard, or of several one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int32]

_CHUNKS_AT_ONCE = 256
"""Chunks of keys that become one: a chunk takes some hundred bytes beside its letters."""


@dataclass(frozen=True, slots=True)
class ShardColumns:
    """The samples of one shard, or of several one after the other.

    Attributes:
        keys: `[n]`.
        row: `[n]`, row of each sample in its shard's index.
        source, licence: `[n] int16`, codes.
        width, height: `[n]`, pixels; 0 where they are not known.
        segments: `[n]`.
        category_ends: `[n]`, where the categories of each sample end in `categories`.
        categories: codes of all samples' categories.
        shard: `[n]`, number of the shard.
    """

    keys: pa.ChunkedArray
    row: Codes
    source: NDArray[np.int16]
    licence: NDArray[np.int16]
    width: Codes
    height: Codes
    segments: Codes
    category_ends: NDArray[np.integer[Any]]
    categories: Codes
    shard: Codes

    def __len__(self) -> int:
        return len(self.row)

    def categories_of(self, place: int) -> Codes:
        """Codes of the categories of one sample."""
        begin = self.category_ends[place - 1] if place else 0
        return self.categories[begin : self.category_ends[place]]

    def between(self, begin: int, end: int) -> ShardColumns:
        """Some of the samples, which stay where they are in memory."""
        first = self.category_ends[begin - 1] if begin else 0
        last = self.category_ends[end - 1] if end else 0
        some = slice(begin, end)
        return ShardColumns(
            self.keys.slice(begin, end - begin), self.row[some], self.source[some],
            self.licence[some], self.width[some], self.height[some], self.segments[some],
            self.category_ends[some] - first, self.categories[first:last], self.shard[some],
        )  # fmt: skip


def join_columns(parts: list[ShardColumns]) -> ShardColumns:
    """The samples of several shards, one after the other.

    Args:
        parts: emptied, so that each column is in memory twice only while it is joined.
    """
    columns = {
        name: [getattr(part, name) for part in parts]
        for name in ShardColumns.__dataclass_fields__
        if name not in ("keys", "category_ends")
    }
    keys = _chunks([chunk for part in parts for chunk in part.keys.chunks])
    ends = _joined_ends([part.category_ends for part in parts])
    parts.clear()

    def joined(name: str, kind: type[np.generic] = np.int32) -> NDArray[Any]:
        return np.concatenate([np.empty(0, kind), *columns.pop(name)])

    return ShardColumns(
        keys, joined("row"), joined("source", np.int16), joined("licence", np.int16),
        joined("width"), joined("height"), joined("segments"), ends, joined("categories"),
        joined("shard"),
    )  # fmt: skip


def _chunks(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Keys in fewer chunks."""
    blocks = [
        chunks[begin : begin + _CHUNKS_AT_ONCE] for begin in range(0, len(chunks), _CHUNKS_AT_ONCE)
    ]
    return pa.chunked_array([pa.concat_arrays(block) for block in blocks], pa.string())


def _joined_ends(ends: Sequence[NDArray[np.integer[Any]]]) -> NDArray[np.integer[Any]]:
    """Where the categories of each sample end, over all shards."""
    lasts = [int(part[-1]) if len(part) else 0 for part in ends]
    begins = np.cumsum([0, *lasts])
    kind: type[np.integer[Any]] = np.int32
    if begins[-1] > np.iinfo(np.int32).max:
        kind = np.int64
    moved = [part.astype(kind) + kind(begin) for part, begin in zip(ends, begins[:-1], strict=True)]
    return np.concatenate([np.empty(0, kind), *moved])
