"""The samples of one proxy as columns: what a gallery filters, orders and counts. Pure.

Columns come shard by shard, in any order, and are seen in corpus order. A sample takes its key's
letters and about 35 bytes: a million samples take 50 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int32]

_CHUNKS_AT_ONCE = 256


class NameCodes:
    """Texts as small numbers, in the order in which they first came."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}
        self._lock = threading.Lock()

    def encode(self, values: pa.Array) -> Codes:
        """The code of each value; that of the empty text for null."""
        coded = values.fill_null("").dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        with self._lock:
            of_value = [self._code(name) for name in coded.dictionary.to_pylist()]
        table = np.array(of_value or [0], np.int32)
        codes: Codes = table[coded.indices.to_numpy(zero_copy_only=False)]
        return codes

    def find(self, names: Sequence[str]) -> Codes:
        """Codes of the names that came; others are left out."""
        return np.array([self._codes[name] for name in names if name in self._codes], np.int32)

    def _code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What is read of a table at one moment.

    Attributes:
        columns: the samples, in corpus order.
        done: how many these are, with those of shards that cannot be read.
        complete: whether nothing is left to read.
    """

    columns: ShardColumns
    done: int
    complete: bool


@dataclass(slots=True)
class SampleTable:
    """All samples of a proxy, as far as they are read.

    Attributes:
        shards: names of its shards, in corpus order.
        counts: samples of each shard, as the corpus states them.
        sources, licences, categories: names by code.
        problems: what could not be read, in sentences.
    """

    shards: tuple[str, ...]
    counts: tuple[int, ...]
    sources: NameCodes = field(default_factory=NameCodes)
    licences: NameCodes = field(default_factory=NameCodes)
    categories: NameCodes = field(default_factory=NameCodes)
    problems: list[str] = field(default_factory=list)
    _fresh: dict[int, ShardColumns] = field(default_factory=dict)  # not joined yet
    _joined: ShardColumns | None = None
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # of shards in `_joined`
    _lost: set[int] = field(default_factory=set)
    _numbers: Mapping[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._numbers = {shard: number for number, shard in enumerate(self.shards)}

    @property
    def total(self) -> int:
        """Samples that there are, read or not."""
        return sum(self.counts)

    @property
    def done(self) -> int:
        """Samples that are read, or belong to shards that cannot be read."""
        return sum(self.counts[number] for number in {*self._fresh, *self._spans, *self._lost})

    @property
    def complete(self) -> bool:
        """Whether nothing is left to read."""
        return len(self._fresh) + len(self._spans) + len(self._lost) == len(self.shards)

    def number(self, shard: str) -> int | None:
        """Number of a shard; None where the proxy has no such shard."""
        return self._numbers.get(shard)

    def has(self, number: int) -> bool:
        """Whether a shard is read, or known as one that cannot be read."""
        return number in self._fresh or number in self._spans or number in self._lost

    def add(self, number: int, columns: ShardColumns) -> None:
        """Take the samples of a shard."""
        with self._lock:
            if number not in self._spans:
                self._fresh[number] = columns

    def lose(self, number: int, problem: str) -> None:
        """Take note that a shard cannot be read."""
        with self._lock:
            self._lost.add(number)
            self.problems.append(problem)

    def of_shard(self, number: int) -> ShardColumns | None:
        """The samples of a shard; None where it is not read."""
        with self._lock:
            if number in self._spans and self._joined is not None:
                return self._joined.between(*self._spans[number])
            return self._fresh.get(number)

    def seen(self) -> Seen:
        """All samples that are read, at one moment: other threads read on."""
        with self._lock:
            if self._joined is None or self._fresh:
                self._joined = self._join()
            return Seen(self._joined, self.done, self.complete)

    def _join(self) -> ShardColumns:
        """All samples as one, which takes the place of those of single shards."""
        numbers = sorted({*self._spans, *self._fresh})
        parts = [
            self._joined.between(*self._spans[number])
            if self._joined is not None and number in self._spans
            else self._fresh[number]
            for number in numbers
        ]
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        self._fresh, self._joined = {}, None
        self._spans = dict(zip(numbers, pairwise(ends), strict=True))
        return join_columns(parts)


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
    """Keys in chunks of many shards: a chunk takes some hundred bytes beside its letters."""
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
