"""All keys of a corpus as arrays, read from its indexes: what subsets are chosen from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.index import ends_of
from sgt_data.corpus.layout import INPUT
from sgt_data.corpus.reader import Corpus

DESCRIPTION = (
    "key", "source", "member", "licence", "source_width", "source_height", "width", "height",
    "segments", "categories",
)  # fmt: skip
"""What the index says of a picture: the columns that a `where` expression may name."""

_COUNTED = ("segments", "facts_offset", "facts_size", "target_size")


@dataclass(frozen=True, slots=True)
class Held:
    """What one folder holds, an element per key of the population.

    `samples` tells whether it has a sample of this key; the others are 0 where it has not. `nbytes`
    are those of all the sample's members in the tar, headers included; `target_bytes` of the target
    alone.
    """

    samples: NDArray[np.bool_]
    segments: NDArray[np.int64]
    nbytes: NDArray[np.int64]
    target_bytes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Population:
    """Every key that any of the folders' proxies has a sample of, shard by shard, in key order
    within a shard.

    Attributes:
        keys: one an element.
        shards: names, in corpus order; `shard` has each key's as a number.
        sources: names; `source` has each key's as a number.
        reference: whether the first proxy of the manifest that takes its source has this key.
        held: by folder.
        description: a row per key (`DESCRIPTION`): that of the proxy asked for, or else of the
            first that has it. None where it was not asked for.
    """

    keys: pa.StringArray
    shards: tuple[str, ...]
    shard: NDArray[np.int64]
    sources: tuple[str, ...]
    source: NDArray[np.int64]
    reference: NDArray[np.bool_]
    held: dict[str, Held]
    description: pa.Table | None


@dataclass(frozen=True, slots=True)
class _Shard:
    """The same of one shard."""

    keys: pa.StringArray
    source: str
    reference: NDArray[np.bool_]
    held: dict[str, Held]
    description: pa.Table | None


def reference_proxy(corpus: Corpus, source: str) -> str | None:
    """The first proxy of the manifest that takes a source. Proxies added later come after it, so
    what it holds can stand for the source."""
    for proxy in corpus.header.manifest["proxies"]:
        if proxy.get("sources") is None or source in proxy["sources"]:
            return str(proxy["name"])
    return None


def read_population(
    corpus: Corpus,
    folders: Sequence[str],
    *,
    shards: Sequence[str] | None = None,
    describe: bool = False,
    described_by: str | None = None,
) -> Population:
    """Read the indexes of some folders of a complete corpus.

    Args:
        corpus: which; of a subset, only its keys are seen.
        folders: whose; keys that only the shared inputs have do not count.
        shards: only these.
        describe: with descriptions,
        described_by: first of all those of this proxy.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    only = None if shards is None else frozenset(shards)
    holders: dict[str, list[str]] = {}  # in corpus order
    for folder in sorted(folders, key=(*corpus.proxies, INPUT).index):
        for shard in corpus.shards(folder):
            if only is None or shard in only:
                holders.setdefault(shard, []).append(folder)
    names = tuple(holders)

    def read(shard: str) -> _Shard:
        return _read_shard(corpus, shard, holders[shard], describe, described_by)

    with ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1))) as threads:
        parts = list(threads.map(read, names))
    parts = [part for part in parts if len(part.keys)]
    sources = tuple(source["name"] for source in corpus.header.manifest["sources"])
    lengths = [len(part.keys) for part in parts]
    return Population(
        pa.chunked_array([part.keys for part in parts], pa.string()).combine_chunks(),
        names,
        np.repeat(np.arange(len(parts)), lengths),
        sources,
        np.repeat(np.array([sources.index(part.source) for part in parts], np.int64), lengths),
        np.concatenate([np.empty(0, np.bool_), *(part.reference for part in parts)]),
        {
            folder: _joined_held([part.held.get(folder) for part in parts], lengths)
            for folder in folders
        },
        pa.concat_tables([part.description for part in parts]) if describe and parts else None,
    )


def _read_shard(
    corpus: Corpus, name: str, holders: Sequence[str], describe: bool, described_by: str | None
) -> _Shard:
    columns = DESCRIPTION if describe else ("key", "source")
    wanted = tuple(dict.fromkeys((*columns, *_COUNTED)))
    tables = {}
    for folder in holders:
        table = corpus.stored_index(folder, name, wanted)
        ends = ends_of(table)
        table = table.append_column("nbytes", pa.array(np.diff(ends, prepend=0)))
        tables[folder] = corpus.restricted(table, name)
    proxies = [folder for folder in holders if folder != INPUT]
    keys = _union([tables[proxy]["key"] for proxy in proxies])
    rows = {folder: _rows(tables[folder], keys) for folder in holders}
    source = next((table["source"][0].as_py() for table in tables.values() if len(table)), "")
    first = reference_proxy(corpus, source)
    held = {folder: _held(tables[folder], rows[folder]) for folder in holders}
    reference = held[first].samples if first in held else np.zeros(len(keys), np.bool_)
    description = None
    if describe:
        order = sorted(proxies, key=lambda proxy: proxy != described_by)
        description = _described([tables[one] for one in order], [rows[one] for one in order])
    return _Shard(keys, source, reference, held, description)


def _union(columns: Sequence[pa.ChunkedArray]) -> pa.StringArray:
    """The keys of some indexes, in order, each once."""
    first = columns[0] if columns else pa.chunked_array([], pa.string())
    if all(one.equals(first) for one in columns):
        return first.combine_chunks()
    together = pc.unique(pa.chunked_array([chunk for one in columns for chunk in one.chunks]))
    return together.take(pc.sort_indices(together))


def _rows(table: pa.Table, keys: pa.StringArray) -> NDArray[np.int64]:
    """The row of each key, -1 where it has none."""
    found = pc.index_in(keys, value_set=table["key"].combine_chunks())
    rows: NDArray[np.int64] = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows


def _held(table: pa.Table, rows: NDArray[np.int64]) -> Held:
    samples = rows >= 0

    def spread(column: str) -> NDArray[np.int64]:
        values = table[column].fill_null(0).to_numpy().astype(np.int64)
        spread = np.zeros(len(rows), np.int64)
        spread[samples] = values[rows[samples]]
        return spread

    return Held(samples, spread("segments"), spread("nbytes"), spread("target_size"))


def _described(tables: Sequence[pa.Table], rows: Sequence[NDArray[np.int64]]) -> pa.Table:
    """A row per key: that of the first table which has one."""
    place, begin = np.full(len(rows[0]), -1, np.int64), 0
    for table, own in zip(tables, rows, strict=True):
        place = np.where((place < 0) & (own >= 0), own + begin, place)
        begin += len(table)
    return pa.concat_tables([table.select(DESCRIPTION) for table in tables]).take(place)


def _joined_held(parts: Sequence[Held | None], lengths: Sequence[int]) -> Held:
    """Of all shards; one that a folder has not holds nothing there."""
    columns = []
    for name, kind in (
        ("samples", np.bool_), ("segments", np.int64), ("nbytes", np.int64),
        ("target_bytes", np.int64),
    ):  # fmt: skip
        arrays = [
            np.zeros(length, kind) if part is None else getattr(part, name)
            for part, length in zip(parts, lengths, strict=True)
        ]
        columns.append(np.concatenate([np.empty(0, kind), *arrays]))
    return Held(*columns)
