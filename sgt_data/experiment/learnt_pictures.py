"""Which pictures a run of stage 0 learnt from, so that no experiment asks about them.

The pictures of a corpus are known by the SHA-256 of their files as the source holds them. A picture
that was stored anew, with other bytes, is not recognised.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words

FILE = "learnt-pictures.parquet"
_COLUMN = "source_sha256"


def write_learnt_pictures(folder: Path, corpus: Corpus) -> None:
    """Write the digests of all pictures of a corpus, sorted."""
    digests = sorted(set(picture_digests(corpus).values()))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({_COLUMN: digests}), out, compression="zstd")
    write_atomic(str(folder / FILE), out.getvalue().to_pybytes())


def read_learnt_pictures(folder: Path) -> set[str]:
    """The digests of the pictures that a run learnt from.

    Raises:
        CorpusError: the file is missing or damaged.
    """
    path = folder / FILE
    try:
        return set(pq.read_table(path, columns=[_COLUMN])[_COLUMN].to_pylist())
    except (OSError, KeyError, pa.ArrowException) as why:
        raise CorpusError(
            f"{path} does not name the pictures that the run learnt from, so nobody knows whether "
            f"an experiment asks about them: {in_words(why)}"
        ) from why


def picture_digests(corpus: Corpus, keys: Collection[str] | None = None) -> dict[str, str]:
    """By key, the SHA-256 of the picture's file; of all keys, or of some."""
    digests: dict[str, str] = {}
    for proxy in corpus.proxies:
        for shard in corpus.shards(proxy):
            index = corpus.index(proxy, shard)
            rows = zip(index["key"].to_pylist(), index[_COLUMN].to_pylist(), strict=True)
            digests |= {key: digest for key, digest in rows if keys is None or key in keys}
    return digests
