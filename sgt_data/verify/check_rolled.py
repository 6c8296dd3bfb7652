"""Check rolled receipts, which are derived: no line may say another thing than receipt and index.

Nothing is read where a corpus has none. A build never takes a line that is not proven, so what is
wrong here costs time and no sample; but somebody changed a file that nobody had to change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sgt_data.corpus.committed_shards import Committed, committed_shards, list_receipts
from sgt_data.corpus.index import parse_index
from sgt_data.corpus.key_hashes import hash_keys
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import index_path
from sgt_data.corpus.rolled_receipts import ROLLED
from sgt_data.errors import SgtDataError
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.verify.findings import Finding

_REMEDY = f"it is derived: remove {ROLLED}, which the next build writes anew"


def check_rolled(corpus: Corpus, files: Mapping[str, int], *, deep: bool) -> Iterator[Finding]:
    """What is wrong with the rolled receipts of a complete corpus.

    Args:
        corpus: the corpus.
        files: sizes of all its files, by path.
        deep: compare the hashes of keys with the indexes, too, which are read again.
    """
    if not corpus.header.complete or not any(path.startswith(f"{ROLLED}/") for path in files):
        return
    try:
        committed = committed_shards(corpus.url, corpus.folders, list_receipts(corpus.url))
    except SgtDataError:
        return  # a receipt cannot be read, which the check of its shard says
    for note in committed.notes:
        yield Finding(ROLLED, note)
    for path, shard in committed.outdated:
        yield Finding(path, f"its line of {shard} is not the receipt of that shard; {_REMEDY}")
    if deep:
        yield from _check_hashes(corpus, committed)


def _check_hashes(corpus: Corpus, committed: Committed) -> Iterator[Finding]:
    places = [
        (folder, shard)
        for folder, by_shard in committed.receipts.items()
        for shard in by_shard
        if committed.hashes.get(folder, shard) is not None
    ]

    def agrees(place: tuple[str, str]) -> bool:
        path = index_path(*place)
        try:
            index = parse_index(read_bytes(below(corpus.url, path)), path, ["key"])
        except SgtDataError:
            return True  # which the check of the shard says
        hashes = committed.hashes.get(*place)
        return hashes is None or np.array_equal(hash_keys(index["key"].to_pylist()), hashes)

    agreeing = read_ahead(agrees, places, threads_for(corpus.url))
    for (folder, shard), agreed in zip(places, agreeing, strict=True):
        if not agreed:
            problem = f"the hashes of the keys of {folder}/{shard} are not those of its index"
            yield Finding(ROLLED, f"{problem}; {_REMEDY}")
