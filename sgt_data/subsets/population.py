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
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT

DESCRIPTION = (
    "key", "source", "member", "licence", "source_width", "source_height", "width", "height",
    "segments", "categories",
)  # fmt: skip
"""What the index says of a picture: the columns that a `where` expression may name."""

_COUNTED = ("segments", "facts_offset", "facts_size", "target_size")


@dataclass(frozen=True, slots=True)
class HeldSamples:
    """What one folder holds of a population: arrays of `[keys]`.

    Attributes:
        samples: bool, whether it has a sample of this key; the others are 0 where it has not.
        segments: int64, segments of the sample.
        nbytes: int64, bytes of all its members in the tar, headers included.
        target_bytes: int64, bytes of its target.
    """

    samples: NDArray[np.bool_]
    segments: NDArray[np.int64]
    nbytes: NDArray[np.int64]
    target_bytes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Population:
    """Every key of which a proxy has a sample, shard by shard, in key order within a shard.

    Attributes:
        keys: `[keys]`.
        shards: names of the shards that hold keys, in corpus order.
        shard: `[keys] int64`, number of each key's shard.
        sources: names of all sources.
        source: `[keys] int64`, number of each key's source.
        reference: `[keys] bool`, whether the first proxy of the manifest that takes the key's
            source has a sample of it.
        held: what each folder holds, by folder.
        description: a row per key (`DESCRIPTION`), as the first proxy has it that was asked for, or
            else that holds the key. None where it was not asked for.
    """

    keys: pa.StringArray
    shards: tuple[str, ...]
    shard: NDArray[np.int64]
    sources: tuple[str, ...]
    source: NDArray[np.int64]
    reference: NDArray[np.bool_]
    held: dict[str, HeldSamples]
    description: pa.Table | None


@dataclass(frozen=True, slots=True)
class _ShardKeys:
    """The keys of one shard; fields as those of `Population`."""

    keys: pa.StringArray
    source: str
    reference: NDArray[np.bool_]
    held: dict[str, HeldSamples]
    description: pa.Table | None


def reference_proxy(corpus: Corpus, source: str) -> str | None:
    """The first proxy of the manifest that takes a source, by name.

    Proxies added later come after it, so what it holds can stand for the source.
    """
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
        corpus: whose keys; of a subset, only its keys are seen.
        folders: whose indexes; keys that only the shared inputs have do not count.
        shards: names of the shards to read; all by default.
        describe: whether to read descriptions too.
        described_by: the proxy whose description of a key is taken first.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    only = None if shards is None else frozenset(shards)
    holders: dict[str, list[str]] = {}  # in corpus order
    for folder in sorted(folders, key=(*corpus.proxies, INPUT).index):
        for shard in corpus.shards(folder):
            if only is None or shard in only:
                holders.setdefault(shard, []).append(folder)

    def read(shard: str) -> _ShardKeys:
        return _read_shard(corpus, shard, holders[shard], describe, described_by)

    with ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1))) as threads:
        by_shard = dict(zip(holders, threads.map(read, holders), strict=True))
    by_shard = {shard: part for shard, part in by_shard.items() if len(part.keys)}
    parts = list(by_shard.values())
    sources = tuple(source["name"] for source in corpus.header.manifest["sources"])
    lengths = [len(part.keys) for part in parts]
    return Population(
        pa.chunked_array([part.keys for part in parts], pa.string()).combine_chunks(),
        tuple(by_shard),
        np.repeat(np.arange(len(parts)), lengths),
        sources,
        np.repeat(np.array([sources.index(part.source) for part in parts], np.int64), lengths),
        np.concatenate([np.empty(0, np.bool_), *(part.reference for part in parts)]),
        {folder: _joined([part.held.get(folder) for part in parts], lengths) for folder in folders},
        pa.concat_tables([part.description for part in parts]) if describe and parts else None,
    )


def _read_shard(
    corpus: Corpus, shard: str, holders: Sequence[str], describe: bool, described_by: str | None
) -> _ShardKeys:
    columns = DESCRIPTION if describe else ("key", "source")
    columns = tuple(dict.fromkeys((*columns, *_COUNTED)))
    tables = {}
    for folder in holders:
        table = corpus.stored_index(folder, shard, columns)
        ends = ends_of(table)
        table = table.append_column("nbytes", pa.array(np.diff(ends, prepend=0)))
        tables[folder] = corpus.restricted(table, shard)
    proxies = [folder for folder in holders if folder != INPUT]
    keys = _union([tables[proxy]["key"] for proxy in proxies])
    rows = {folder: _rows_of(keys, tables[folder]) for folder in holders}
    source = next((table["source"][0].as_py() for table in tables.values() if len(table)), "")
    reference = reference_proxy(corpus, source)
    held = {folder: _held_samples(tables[folder], rows[folder]) for folder in holders}
    in_reference = held[reference].samples if reference in held else np.zeros(len(keys), np.bool_)
    description = None
    if describe:
        order = sorted(proxies, key=lambda proxy: proxy != described_by)
        description = _description(
            [tables[proxy] for proxy in order], [rows[proxy] for proxy in order]
        )
    return _ShardKeys(keys, source, in_reference, held, description)


def _union(columns: Sequence[pa.ChunkedArray]) -> pa.StringArray:
    """The keys of some indexes, in order, each once."""
    first = columns[0] if columns else pa.chunked_array([], pa.string())
    if all(column.equals(first) for column in columns):
        return first.combine_chunks()
    keys = pc.unique(pa.chunked_array([chunk for column in columns for chunk in column.chunks]))
    return keys.take(pc.sort_indices(keys))


def _rows_of(keys: pa.StringArray, table: pa.Table) -> NDArray[np.int64]:
    """The row of each key in a table, -1 where it has none."""
    positions = pc.index_in(keys, value_set=table["key"].combine_chunks())
    rows: NDArray[np.int64] = (
        positions.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return rows


def _held_samples(table: pa.Table, rows: NDArray[np.int64]) -> HeldSamples:
    samples = rows >= 0

    def by_key(column: str) -> NDArray[np.int64]:
        stored = table[column].fill_null(0).to_numpy().astype(np.int64)
        values = np.zeros(len(rows), np.int64)
        values[samples] = stored[rows[samples]]
        return values

    return HeldSamples(samples, by_key("segments"), by_key("nbytes"), by_key("target_size"))


def _description(tables: Sequence[pa.Table], rows: Sequence[NDArray[np.int64]]) -> pa.Table:
    """A row per key: that of the first table which has the key."""
    places, begin = np.full(len(rows[0]), -1, np.int64), 0
    for table, own_rows in zip(tables, rows, strict=True):
        places = np.where((places < 0) & (own_rows >= 0), own_rows + begin, places)
        begin += len(table)
    return pa.concat_tables([table.select(DESCRIPTION) for table in tables]).take(places)


def _joined(parts: Sequence[HeldSamples | None], lengths: Sequence[int]) -> HeldSamples:
    """What a folder holds of all shards; nothing of a shard that it has not."""
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
    return HeldSamples(*columns)
