"""The licences of the pictures that the samples of a corpus were made of, as its indexes state."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sgt_data.corpus.opened_corpus import Corpus

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Licences:
    """What the indexes of a corpus say of licences and pictures.

    Attributes:
        pictures: number of pictures, by licence; a picture that several folders hold counts once.
        embedding: folders whose tars hold inputs.
    """

    pictures: Mapping[str, int]
    embedding: frozenset[str]


def read_licences(corpus: Corpus, folders: Collection[str] | None = None) -> Licences:
    """Read licences from the indexes of a complete corpus, or of the part that a subset sees.

    Args:
        corpus: the corpus, or a subset of one.
        folders: of it; None for all.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    folders_of: dict[str, list[str]] = {}
    for folder in corpus.folders if folders is None else folders:
        for shard in corpus.shards(folder):
            folders_of.setdefault(shard, []).append(folder)

    def read(shard: str) -> tuple[Counter[str], set[str]]:
        pictures: dict[str, str] = {}
        embedding: set[str] = set()
        for folder in folders_of[shard]:
            stored = corpus.stored_index(folder, shard, ("key", "licence", "input_size"))
            rows = corpus.restricted(stored, shard)
            licences = [licence or NOT_STATED for licence in rows["licence"].to_pylist()]
            pictures |= dict(zip(rows["key"].to_pylist(), licences, strict=True))
            if stored["input_size"].null_count < len(stored):
                embedding.add(folder)
        return Counter(pictures.values()), embedding

    pictures: Counter[str] = Counter()
    embedding: set[str] = set()
    with ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1))) as threads:
        for of_shard, shard_embedding in threads.map(read, folders_of):
            pictures += of_shard
            embedding |= shard_embedding
    return Licences(_by_frequency(pictures), frozenset(embedding))


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent name first; names of the same count by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
