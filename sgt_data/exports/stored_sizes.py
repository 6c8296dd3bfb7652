"""How many bytes each sample of a proxy has, by its index: what an export of bounded files plans
with, before it reads a picture."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT

_PICTURES = ("input", "target")

SAMPLE_BYTES_MAX = 1 << 31
"""An index that states more for a sample is taken for this; the reader then finds it damaged."""


def sizes_of_proxy(corpus: Corpus, proxy: str) -> NDArray[np.int64]:
    """Bytes of each sample of a proxy, in order (see `stored_sizes`); [n] int64.

    Raises:
        CorpusError: an index is damaged.
    """
    shards = [stored_sizes(corpus, proxy, shard) for shard in corpus.shards(proxy)]
    return np.concatenate([np.empty(0, np.int64), *shards])


def stored_sizes(corpus: Corpus, proxy: str, shard: str) -> NDArray[np.int64]:
    """Bytes of each sample of a shard: both pictures, instruction and facts; [n] int64.

    Pictures of shared inputs and of the base of a reversed proxy count as the sample's own.

    Raises:
        CorpusError: an index is damaged.
    """
    index = corpus.index(proxy, shard, _columns(MEMBERS))
    sizes = np.zeros(len(index), np.int64)
    for member in MEMBERS:
        sizes += _filled(index[f"{member}_size"])
    base = corpus.bases.get(proxy)
    if base is not None and base not in corpus.bases:
        borrowed = corpus.stored_index(base, shard, _columns(_PICTURES))
        for member in _PICTURES:
            sizes += _by_key(index, borrowed, member)
        shares = borrowed["input_size"].null_count > 0
    else:
        shares = index["input_size"].null_count > 0
    if shares and INPUT in corpus.folders:
        shared = corpus.stored_index(INPUT, shard, _columns(("input",)))
        sizes += _by_key(index, shared, "input")
    return np.clip(sizes, 0, SAMPLE_BYTES_MAX).astype(np.int64)


def _columns(members: Collection[str]) -> tuple[str, ...]:
    return ("key", *(f"{member}_size" for member in members))


def _by_key(index: pa.Table, other: pa.Table, member: str) -> NDArray[np.int64]:
    """Sizes of a member in another index, for the keys of this one; 0 where it has none."""
    rows = pc.index_in(index["key"], value_set=other["key"])
    return _filled(other[f"{member}_size"].take(rows))


def _filled(column: pa.ChunkedArray) -> NDArray[np.int64]:
    sizes: NDArray[np.int64] = column.fill_null(0).to_numpy().astype(np.int64)
    return np.clip(sizes, 0, SAMPLE_BYTES_MAX)
