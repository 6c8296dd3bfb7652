"""The keys of one shard, over all folders that hold it, as arrays: what a population is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.index import ends_of
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT, index_path
from sgt_data.corpus.shard import BLOCK
from sgt_data.errors import CorpusError
from sgt_data.files.urls import join
from sgt_data.subsets.ranking import keyed_hashes

DESCRIPTION = (
    "key", "source", "member", "licence", "source_width", "source_height", "width", "height",
    "segments", "categories",
)  # fmt: skip
"""What the index says of a picture: the columns that a `where` expression may name."""

_COUNTED = ("segments", "facts_offset", "facts_size")
_INT32_MAX = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class HeldSamples:
    """What one folder holds of some keys: arrays of `[keys]`.

    Attributes:
        samples: bool, whether it has a sample of this key; the others are 0 where it has not.
        segments: int32, segments of the sample.
        blocks: int32, blocks of all its members in the tar, headers included.
        target_bytes: int64, bytes of its target; of no key where they were not asked for.
    """

    samples: NDArray[np.bool_]
    segments: NDArray[np.int32]
    blocks: NDArray[np.int32]
    target_bytes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KeyReading:
    """What is read of keys beside themselves, and what folders hold of them.

    Attributes:
        seed: of their hashes; None for no hashes.
        description: columns of `DESCRIPTION`; none for no description.
        described_by: the proxy whose description of a key is taken first.
        target_bytes: whether sizes of targets are read.
    """

    seed: int | None = None
    description: tuple[str, ...] = ()
    described_by: str | None = None
    target_bytes: bool = False


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """The keys of one shard of which a proxy has a sample, in order.

    Attributes:
        shard: its name.
        keys: `[keys]`.
        source: name of their source.
        reference: `[keys] bool`, whether the first proxy of the manifest that takes the source has
            a sample of each.
        held: what each folder holds, by folder, of those that hold the shard.
        hashes: `[keys] uint64`; of no key where they were not asked for.
        description: a row per key, as the first proxy has it that was asked for, or else that holds
            the key; None where it was not asked for.
    """

    shard: str
    keys: pa.StringArray
    source: str
    reference: NDArray[np.bool_]
    held: dict[str, HeldSamples]
    hashes: NDArray[np.uint64]
    description: pa.Table | None


def reference_proxy(corpus: Corpus, source: str) -> str | None:
    """The first proxy of the manifest that takes a source, by name.

    Proxies added later come after it, so what it holds can stand for the source.
    """
    for proxy in corpus.header.manifest["proxies"]:
        if proxy.get("sources") is None or source in proxy["sources"]:
            return str(proxy["name"])
    return None


def read_shard_keys(
    corpus: Corpus, shard: str, holders: Sequence[str], reading: KeyReading
) -> ShardKeys:
    """Read the keys of a shard.

    Args:
        corpus: whose keys; of a subset, only its keys are seen.
        shard: name of the shard.
        holders: the folders that hold it, in the order of the corpus; the shared inputs last.
        reading: what is read beside.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    columns = tuple(dict.fromkeys(("key", "source", *reading.description, *_COUNTED)))
    if reading.target_bytes:
        columns = (*columns, "target_size")
    tables = {}
    for folder in holders:
        table = corpus.stored_index(folder, shard, columns)
        blocks = _blocks(table, join(corpus.url, index_path(folder, shard)))
        tables[folder] = corpus.restricted(table.append_column("blocks", pa.array(blocks)), shard)
    proxies = [folder for folder in holders if folder != INPUT]
    keys = _union([tables[proxy]["key"] for proxy in proxies])
    rows = {folder: _rows_of(keys, tables[folder]) for folder in holders}
    source = next((table["source"][0].as_py() for table in tables.values() if len(table)), "")
    reference = reference_proxy(corpus, source)
    held = {
        folder: _held_samples(tables[folder], rows[folder], reading.target_bytes)
        for folder in holders
    }
    description = None
    if reading.description:
        order = sorted(proxies, key=lambda proxy: proxy != reading.described_by)
        described = [tables[proxy].select(reading.description) for proxy in order]
        description = _first_of(described, [rows[proxy] for proxy in order])
    return ShardKeys(
        shard,
        keys,
        source,
        held[reference].samples if reference in held else np.zeros(len(keys), np.bool_),
        held,
        keyed_hashes([] if reading.seed is None else keys.to_pylist(), reading.seed or 0),
        description,
    )


def _blocks(table: pa.Table, where: str) -> NDArray[np.int32]:
    """Blocks of each sample in the tar.

    Raises:
        CorpusError: the index states places that no tar has.
    """
    blocks = np.diff(ends_of(table), prepend=0) // BLOCK
    if len(blocks) and not 0 <= blocks.min() <= blocks.max() <= _INT32_MAX:
        raise CorpusError(f"{where} states places of members that no tar can have")
    return blocks.astype(np.int32)


def _union(columns: Sequence[pa.ChunkedArray]) -> pa.StringArray:
    """The keys of some indexes, in order, each once."""
    first = columns[0] if columns else pa.chunked_array([], pa.string())
    if all(column.equals(first) for column in columns):
        return first.combine_chunks()
    keys = pc.unique(pa.chunked_array([chunk for column in columns for chunk in column.chunks]))
    return keys.take(pc.sort_indices(keys))


def _rows_of(keys: pa.StringArray, table: pa.Table) -> NDArray[np.int64]:
    """The row of each key in a table, -1 where it has none."""
    own = table["key"].combine_chunks()
    if own.equals(keys):
        return np.arange(len(keys))
    positions = pc.index_in(keys, value_set=own)
    rows: NDArray[np.int64] = (
        positions.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return rows


def _held_samples(table: pa.Table, rows: NDArray[np.int64], target_bytes: bool) -> HeldSamples:
    samples = rows >= 0

    def by_key(column: str) -> NDArray[Any]:
        stored: NDArray[Any] = table[column].fill_null(0).to_numpy()
        values = np.zeros(len(rows), stored.dtype)
        values[samples] = stored[rows[samples]]
        return values

    return HeldSamples(
        samples,
        by_key("segments"),
        by_key("blocks"),
        by_key("target_size") if target_bytes else np.empty(0, np.int64),
    )


def _first_of(tables: Sequence[pa.Table], rows: Sequence[NDArray[np.int64]]) -> pa.Table:
    """A row per key: that of the first table which has the key."""
    places, begin = np.full(len(rows[0]), -1, np.int64), 0
    for table, own_rows in zip(tables, rows, strict=True):
        places = np.where((places < 0) & (own_rows >= 0), own_rows + begin, places)
        begin += len(table)
    return pa.concat_tables(tables).take(places)
