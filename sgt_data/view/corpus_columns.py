"""Indexes of a corpus as columns of a gallery."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import SgtDataError
from sgt_data.value_text import counted
from sgt_data.view.sample_table import SampleTable
from sgt_data.view.shard_columns import ShardColumns

_COLUMNS = ("key", "source", "licence", "width", "height", "segments", "categories")
_BLOCK = 64  # indexes that are fetched at the same time, and between two looks at the clock


def read_all(corpus: Corpus, proxy: str, table: SampleTable) -> Iterator[int]:
    """Read the indexes that a table lacks; yields after each block of them."""
    missing = [number for number in range(len(table.shards)) if not table.has(number)]
    with ThreadPoolExecutor(16) as threads:
        for begin in range(0, len(missing), _BLOCK):
            block = missing[begin : begin + _BLOCK]
            list(threads.map(lambda number: read_shard(corpus, proxy, table, number), block))
            yield begin


def read_shard(corpus: Corpus, proxy: str, table: SampleTable, number: int) -> None:
    """Read the index of one shard into a table, if it is not there yet.

    An index that is damaged or cannot be read becomes a problem of the table.
    """
    if table.has(number):
        return
    shard = table.shards[number]
    try:
        stored = corpus.stored_index(proxy, shard, _COLUMNS)
    except SgtDataError as why:
        table.lose(number, f"{proxy}/{shard} is not shown: {why}")
        return
    columns = _columns_of(corpus.restricted(stored, shard), table, number)
    if len(columns) != table.counts[number]:
        table.problems.append(
            f"{proxy}/{shard}: its index has {counted(len(columns), 'sample')}; "
            f"{table.counts[number]:,} were promised"
        )
    table.add(number, columns)


def _columns_of(index: pa.Table, table: SampleTable, number: int) -> ShardColumns:
    count = len(index)

    def numbers(name: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return index[name].fill_null(0).to_numpy().astype(np.int32)  # type: ignore[no-any-return]

    lists = index["categories"].combine_chunks()
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return ShardColumns(
        pa.chunked_array(index["key"].chunks, pa.string()),
        np.arange(count, dtype=np.int32),
        table.sources.encode(index["source"].combine_chunks()).astype(np.int16),
        table.licences.encode(index["licence"].combine_chunks()).astype(np.int16),
        numbers("width"),
        numbers("height"),
        numbers("segments"),
        np.cumsum(lengths, dtype=np.int32),
        table.categories.encode(pc.list_flatten(lists)),
        np.full(count, number, np.int32),
    )
