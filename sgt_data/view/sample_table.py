"""The samples of one proxy as columns: what a gallery filters, orders and counts. Pure.

Columns come shard by shard, in any order, and are seen in corpus order. A million samples take
about 100 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int32]


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
        source, licence: `[n]`, codes.
        width, height: `[n]`, pixels; 0 where they are not known.
        segments: `[n]`.
        category_ends: `[n]`, where the categories of each sample end in `categories`.
        categories: codes of all samples' categories.
        shard: `[n]`, number of the shard.
    """

    keys: pa.ChunkedArray
    row: Codes
    source: Codes
    licence: Codes
    width: Codes
    height: Codes
    segments: Codes
    category_ends: NDArray[np.int64]
    categories: Codes
    shard: Codes

    def __len__(self) -> int:
        return len(self.row)

    def categories_of(self, place: int) -> Codes:
        """Codes of the categories of one sample."""
        begin = self.category_ends[place - 1] if place else 0
        return self.categories[begin : self.category_ends[place]]


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
    _parts: dict[int, ShardColumns] = field(default_factory=dict)
    _lost: set[int] = field(default_factory=set)
    _joined: ShardColumns | None = None
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
        return sum(self.counts[number] for number in {*self._parts, *self._lost})

    @property
    def complete(self) -> bool:
        """Whether nothing is left to read."""
        return len(self._parts) + len(self._lost) == len(self.shards)

    def number(self, shard: str) -> int | None:
        """Number of a shard; None where the proxy has no such shard."""
        return self._numbers.get(shard)

    def has(self, number: int) -> bool:
        """Whether a shard is read, or known as one that cannot be read."""
        return number in self._parts or number in self._lost

    def add(self, number: int, columns: ShardColumns) -> None:
        """Take the samples of a shard."""
        with self._lock:
            self._parts[number] = columns
            self._joined = None

    def lose(self, number: int, problem: str) -> None:
        """Take note that a shard cannot be read."""
        with self._lock:
            self._lost.add(number)
            self.problems.append(problem)
            self._joined = None

    def of_shard(self, number: int) -> ShardColumns | None:
        """The samples of a shard; None where it is not read."""
        return self._parts.get(number)

    def seen(self) -> Seen:
        """All samples that are read, at one moment: other threads read on."""
        with self._lock:
            if self._joined is None:
                self._joined = join_columns([self._parts[number] for number in sorted(self._parts)])
            return Seen(self._joined, self.done, self.complete)


def join_columns(parts: Sequence[ShardColumns]) -> ShardColumns:
    """The samples of several shards, one after the other."""

    def joined(name: str) -> Codes:
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate([np.empty(0, np.int32), *arrays])

    lengths = [len(part.categories) for part in parts]
    begins = np.cumsum([0, *lengths])[:-1]
    ends = [part.category_ends + begin for part, begin in zip(parts, begins, strict=True)]
    return ShardColumns(
        pa.chunked_array([chunk for part in parts for chunk in part.keys.chunks], pa.string()),
        joined("row"), joined("source"), joined("licence"), joined("width"), joined("height"),
        joined("segments"), np.concatenate([np.empty(0, np.int64), *ends]), joined("categories"),
        joined("shard"),
    )  # fmt: skip
