"""The samples of one proxy as columns: what a gallery filters, orders and counts. Pure.

Columns come shard by shard, in any order, and are seen in corpus order. A sample takes its key's
letters and about 45 bytes: a million samples take 60 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from sgt_data.view.shard_columns import Codes, ShardColumns, join_columns

_SHARDS_AT_ONCE = 256
"""Shards whose arrays are joined while others are read."""


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
    _fresh: dict[int, ShardColumns] = field(default_factory=dict)  # in no block yet
    _blocks: list[ShardColumns] = field(default_factory=list)
    _spans: dict[int, _Span] = field(default_factory=dict)  # of the shards in blocks
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
            if number in self._spans:
                return
            self._fresh[number] = columns
            if len(self._fresh) >= _SHARDS_AT_ONCE:
                block = self._joined(sorted(self._fresh), len(self._blocks))
                self._blocks.append(block)

    def lose(self, number: int, problem: str) -> None:
        """Take note that a shard cannot be read."""
        with self._lock:
            self._lost.add(number)
            self.problems.append(problem)

    def of_shard(self, number: int) -> ShardColumns | None:
        """The samples of a shard; None where it is not read."""
        with self._lock:
            return self._part(number) if self.has(number) and number not in self._lost else None

    def seen(self) -> Seen:
        """All samples that are read, at one moment: other threads read on."""
        with self._lock:
            if self._fresh or len(self._blocks) != 1 or not self._is_ordered():
                self._blocks = [self._joined(sorted({*self._spans, *self._fresh}), 0)]
            return Seen(self._blocks[0], self.done, self.complete)

    def _is_ordered(self) -> bool:
        """Whether the shards are in corpus order, where there is one block."""
        numbers = list(self._spans)
        return numbers == sorted(numbers)

    def _part(self, number: int) -> ShardColumns:
        if number in self._fresh:
            return self._fresh[number]
        span = self._spans[number]
        return self._blocks[span.block].between(span.begin, span.end)

    def _joined(self, numbers: Sequence[int], block: int) -> ShardColumns:
        """Some shards as one block of this number. The small arrays of single shards are dropped:
        all of them together would take three times as much memory."""
        parts = [self._part(number) for number in numbers]
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        if len(numbers) == len(self._spans) + len(self._fresh):  # all: nothing is kept twice
            self._blocks, self._spans = [], {}
        self._fresh = {}
        self._spans |= {
            number: _Span(block, begin, end)
            for number, (begin, end) in zip(numbers, pairwise(ends), strict=True)
        }
        return join_columns(parts)


@dataclass(frozen=True, slots=True)
class _Span:
    """Where the samples of a shard lie: number of the block, and places in it."""

    block: int
    begin: int
    end: int
