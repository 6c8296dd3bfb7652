"""All keys of a corpus as arrays, read from its indexes: what subsets are chosen from.

Keys stay in Arrow's memory, and numbers are as narrow as they can be: a key takes its own letters
and about 20 bytes, and each further folder 9. What a `where` expression looks at is read, looked at
and dropped, block by block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.files.read_ahead import in_blocks, threads_for
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.subsets.bounded_condition import BoundedCondition
from sgt_data.subsets.key_categories import CategoryCollector
from sgt_data.subsets.shard_keys import HeldSamples, ShardKeys, read_shard_keys
from sgt_data.subsets.strata import KeyFacts
from sgt_data.subsets.wanted import KEYS_ALONE, Wanted

_SHARDS_AT_ONCE = 128
"""Shards of a block: of the usual 256 samples, 32,768 keys, which an expression looks at within
milliseconds."""


@dataclass(frozen=True, slots=True)
class Population:
    """Every key of which a proxy has a sample, shard by shard, in key order within a shard.

    Attributes:
        keys: `[keys]`.
        shards: names of the shards that hold keys, in corpus order.
        starts: `[shards + 1] int64`, where the keys of each shard begin, and the last end.
        sources: names of all sources.
        source: `[shards] int32`, number of each shard's source.
        reference: `[keys] bool`, whether the first proxy of the manifest that takes the key's
            source has a sample of it.
        held: what each folder holds, by folder.
        hashes: `[keys] uint64`; of no key where they were not asked for.
        fitting: `[keys] bool`, whether the `where` expression is true of each; all, where there is
            none.
        facts: what strata look at, as far as it was asked for.
    """

    keys: pa.ChunkedArray
    shards: tuple[str, ...]
    starts: NDArray[np.int64]
    sources: tuple[str, ...]
    source: NDArray[np.int32]
    reference: NDArray[np.bool_]
    held: dict[str, HeldSamples]
    hashes: NDArray[np.uint64]
    fitting: NDArray[np.bool_]
    facts: KeyFacts

    def keys_of(self, shard: int) -> pa.ChunkedArray:
        """The keys of a shard, by its number."""
        begin, end = self.starts[shard : shard + 2].tolist()
        return self.keys.slice(begin, end - begin)

    def per_key(self, values: NDArray[Any]) -> NDArray[Any]:
        """A value of each shard, as one of each of its keys."""
        return np.repeat(values, np.diff(self.starts))

    def per_shard(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Values of keys, added up over each shard."""
        if not len(self.shards):
            return np.empty(0, np.int64)
        sums: NDArray[np.int64] = np.add.reduceat(values, self.starts[:-1], dtype=np.int64)
        return sums


def read_population(
    corpus: Corpus,
    folders: Sequence[str],
    wanted: Wanted = KEYS_ALONE,
    *,
    shards: Sequence[str] | None = None,
    on_progress: OnProgress = ignore,
) -> Population:
    """Read the indexes of some folders of a complete corpus.

    Args:
        corpus: whose keys; of a subset, only its keys are seen.
        folders: whose indexes; keys that only the shared inputs have do not count.
        wanted: what is read beside.
        shards: names of the shards to read; all by default.
        on_progress: called while indexes are read; the unit is the key.

    Raises:
        RequestError: `where` is no expression that can be looked at in bounded time and memory.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    only = None if shards is None else frozenset(shards)
    holders: dict[str, list[str]] = {}  # in corpus order
    counts: dict[str, int] = {}
    for folder in sorted(folders, key=(*corpus.proxies, INPUT).index):
        counts_of_folder = corpus.samples_per_shard(folder)
        for shard, count in zip(corpus.shards(folder), counts_of_folder, strict=True):
            if only is None or shard in only:
                holders.setdefault(shard, []).append(folder)
                counts[shard] = max(counts.get(shard, 0), count)
    reading, begun = wanted.reading, Progress(0, sum(counts.values()), phase="reading indexes")
    on_progress(begun)

    def read(shard: str) -> ShardKeys:
        return read_shard_keys(corpus, shard, holders[shard], reading)

    collector = _Collector(corpus, folders, wanted)
    blocks = in_blocks(read, holders, threads_for(corpus.url), _SHARDS_AT_ONCE)
    done = 0
    with closing(collector), closing(blocks):
        for block in blocks:
            collector.add(block)
            done += sum(counts[part.shard] for part in block)
            on_progress(Progress(done, begun.total, phase=begun.phase))
        return collector.collected()


class _Collector:
    """Takes the keys of shards, block by block."""

    def __init__(self, corpus: Corpus, folders: Sequence[str], wanted: Wanted) -> None:
        self._folders, self._wanted = folders, wanted
        self._sources = tuple(source["name"] for source in corpus.header.manifest["sources"])
        self._condition = None if wanted.where is None else BoundedCondition(wanted.where)
        self._shards: list[str] = []
        self._lengths: list[int] = []
        self._source: list[int] = []
        self._keys: list[pa.Array] = []
        self._arrays: dict[str, list[NDArray[Any]]] = {}
        self._categories = CategoryCollector()

    def close(self) -> None:
        """End the process that looks at the expression."""
        if self._condition is not None:
            self._condition.close()

    def add(self, block: Sequence[ShardKeys]) -> None:
        """Take the keys of some shards."""
        parts = [part for part in block if len(part.keys)]
        if not parts:
            return
        self._shards += [part.shard for part in parts]
        self._lengths += [len(part.keys) for part in parts]
        self._source += [self._sources.index(part.source) for part in parts]
        self._keys.append(pa.concat_arrays([part.keys for part in parts]))
        self._put("reference", [part.reference for part in parts])
        self._put("hashes", [part.hashes for part in parts])
        for folder in self._folders:
            for name, arrays in _held(parts, folder, self._wanted.target_bytes):
                self._put(f"{folder}/{name}", arrays)
        if self._wanted.reading.description:
            self._describe(pa.concat_tables([part.description for part in parts]).combine_chunks())

    def collected(self) -> Population:
        """All that was taken."""
        none = {"samples": np.bool_, "target_bytes": np.int64}
        keys = sum(self._lengths)
        return Population(
            pa.chunked_array(self._keys, pa.string()),
            tuple(self._shards),
            np.concatenate([[0], np.cumsum(self._lengths, dtype=np.int64)]).astype(np.int64),
            self._sources,
            np.array(self._source, np.int32),
            self._joined("reference", np.bool_),
            {
                folder: HeldSamples(*(
                    self._joined(f"{folder}/{field.name}", none.get(field.name, np.int32))
                    for field in fields(HeldSamples)
                ))
                for folder in self._folders
            },
            self._joined("hashes", np.uint64),
            self._joined("fitting", np.bool_) if self._condition else np.ones(keys, np.bool_),
            KeyFacts(
                self._joined("facts", np.int32) if self._wanted.strata == "segments" else None,
                self._categories.collected() if self._wanted.strata == "category" else None,
            ),
        )  # fmt: skip

    def _describe(self, description: pa.Table) -> None:
        """Look at the expression, and keep what strata look at."""
        if self._condition is not None:
            self._put("fitting", [self._condition.matching(description)])
        if self._wanted.strata == "segments":
            self._put("facts", [description["segments"].fill_null(0).to_numpy().astype(np.int32)])
        if self._wanted.strata == "category":
            self._categories.add(description["categories"].combine_chunks())

    def _put(self, name: str, arrays: Sequence[NDArray[Any]]) -> None:
        self._arrays.setdefault(name, []).append(np.concatenate(arrays))

    def _joined(self, name: str, kind: type[np.generic]) -> NDArray[Any]:
        """One array of all that was put under a name, which is no longer kept here."""
        return np.concatenate([np.empty(0, kind), *self._arrays.pop(name, [])])


def _held(
    parts: Sequence[ShardKeys], folder: str, target_bytes: bool
) -> Iterator[tuple[str, list[NDArray[Any]]]]:
    """By field of `HeldSamples`: what a folder holds of some shards; nothing of those that it has
    not."""
    for name in ("samples", "segments", "blocks", *(("target_bytes",) if target_bytes else ())):
        kind = {"samples": np.bool_, "target_bytes": np.int64}.get(name, np.int32)
        yield (
            name,
            [
                getattr(part.held[folder], name)
                if folder in part.held
                else np.zeros(len(part.keys), kind)
                for part in parts
            ],
        )
