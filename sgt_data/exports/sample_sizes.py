"""How many bytes each sample of a proxy has, as the indexes state: known before one is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.index import MEMBERS
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.reversed_proxies import SWAPPED


def sample_sizes(corpus: Corpus, proxy: str) -> Iterator[NDArray[np.int64]]:
    """[n] int64 for each shard of a proxy: bytes of its samples' members, in order.

    The pictures of a reversed proxy, and shared inputs, count as if every sample held its own.

    Raises:
        CorpusError: an index is damaged.
        SourceError: an index cannot be read just now.
    """
    for shard in corpus.shards(proxy):
        sizes = _sizes(corpus, proxy, shard, MEMBERS)
        yield np.fromiter(sizes.values(), np.int64, len(sizes))


def _sizes(corpus: Corpus, folder: str, shard: str, members: Collection[str]) -> dict[str, int]:
    """Bytes of some members of each sample of a shard, by key, in order."""
    columns = [f"{member}_size" for member in members]
    index = corpus.index(folder, shard, ("key", *columns))
    keys: list[str] = index["key"].to_pylist()
    total = np.zeros(len(keys), np.int64)
    for column in columns:
        total += index[column].fill_null(0).to_numpy()
    sizes: dict[str, int] = dict(zip(keys, total.tolist(), strict=True))
    lacking = [m for m in members if m in SWAPPED and index[f"{m}_size"].null_count]
    for other, wanted in _joined(corpus, folder, lacking):
        joined = _sizes(corpus, other, shard, wanted)
        sizes = {key: size + joined.get(key, 0) for key, size in sizes.items()}
    return sizes


def _joined(
    corpus: Corpus, folder: str, lacking: Collection[str]
) -> Iterator[tuple[str, Collection[str]]]:
    """The folder that holds the pictures which a folder lacks, and the members that they are
    there."""
    base = corpus.bases.get(folder)
    if base is not None and lacking:
        yield base, [SWAPPED[member] for member in lacking]
    elif "input" in lacking and folder != INPUT and INPUT in corpus.folders:
        yield INPUT, ["input"]
