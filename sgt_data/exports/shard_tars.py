"""The tars of a corpus as an export takes them: whole, or with the samples of a subset alone.

Nothing is decoded or packed again: a tar is linked or copied as it is, and of a tar of which a
subset has some samples, their bytes are copied, with the end marker behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.index import MEMBERS, ends_of
from sgt_data.corpus.mending import REMOVE_AND_MAKE_AGAIN, lost
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import receipt_path, tar_path
from sgt_data.corpus.shard import tar_size
from sgt_data.corpus.tar_inspector import TarInspector, members_of
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.exports.exported_files import ExportedFiles, WholeFile
from sgt_data.files.reading import size_of
from sgt_data.files.urls import below, is_local
from sgt_data.subsets.byte_ranges import Run, pieces_of, runs_of
from sgt_data.subsets.shard_copy import moved_rows
from sgt_data.value_text import counted

_COLUMNS = (
    "key",
    "target_extension",
    *(f"{member}_{what}" for member in MEMBERS for what in ("offset", "size", "crc32")),
)


@dataclass(frozen=True, slots=True)
class ShardTar:
    """A tar with at least one sample of a corpus or subset, as an export holds it.

    Attributes:
        folder, shard: which one.
        rows: of its index: key, extension of the target, and the members' places in the export's
            tar.
        ends: `[samples] int64`, where each sample ends in the export's tar.
        runs: bytes of the corpus' tar that are taken; none where it is taken as it is.
    """

    folder: str
    shard: str
    rows: pa.Table
    ends: NDArray[np.int64]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """File name of the tar."""
        return f"{self.shard}.tar"

    @property
    def starts(self) -> NDArray[np.int64]:
        """`[samples] int64`: where each sample begins in the export's tar."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])


class ShardTars:
    """The tars of a folder of a corpus or subset that have samples, by name.

    Attributes:
        corpus, folder: which ones.
        samples: how many samples each has, by name of the shard, in the order of file names.
        numbers: the number of each in this order.
    """

    def __init__(self, corpus: Corpus, folder: str) -> None:
        """
        Args:
            corpus: a complete corpus, or a subset.
            folder: a proxy, or the shared inputs.

        Raises:
            RequestError: this copy of the corpus lacks the folder.
        """
        self.corpus, self.folder = corpus, folder
        counts = zip(corpus.shards(folder), corpus.samples_per_shard(folder), strict=True)
        in_order = sorted(counts, key=lambda each: f"{each[0]}.tar")
        self.samples = {shard: count for shard, count in in_order if count}
        self.numbers = {shard: number for number, shard in enumerate(self.samples)}

    def read(self, shard: str) -> ShardTar:
        """One of the tars, as its index says.

        Raises:
            CorpusError: the index is damaged, or has another number of samples than corpus.json
                says.
            SourceError: it cannot be read just now.
        """
        corpus, folder = self.corpus, self.folder
        stored = corpus.stored_index(folder, shard, _COLUMNS)
        rows = corpus.restricted(stored, shard)
        if len(rows) != self.samples[shard]:
            raise CorpusError(
                f"{corpus.url}: index of {folder}/{shard} has {counted(len(rows), 'row')}; "
                f"corpus.json promises {self.samples[shard]:,}"
            )
        ends = ends_of(stored)
        if len(rows) == len(stored):
            return ShardTar(folder, shard, rows, ends, ())
        wanted = pc.is_in(stored["key"], value_set=rows["key"].combine_chunks())
        kept = wanted.to_numpy(zero_copy_only=False)
        moved = moved_rows(stored, ends, kept)
        return ShardTar(folder, shard, moved, ends_of(moved), tuple(runs_of(ends, kept)))


def take_tar(files: ExportedFiles, corpus: Corpus, tar: ShardTar, path: str) -> None:
    """Make sure that an export holds a tar: keep it, link it to the corpus' own, or copy its bytes.

    Copied bytes are compared with the receipt, or with the index; a link reads none.

    Args:
        files: of the export.
        corpus: whose tar it is.
        tar: which one.
        path: of the tar in the export.

    Raises:
        CorpusError: the tar is missing, or is not what its receipt or index says.
        SourceError: it cannot be read just now.
        StorageError: it cannot be written.
    """
    place = below(corpus.url, tar_path(tar.folder, tar.shard))
    if tar.runs:
        nbytes = tar_size(int(tar.ends[-1]))
        files.take(path, WholeFile(nbytes, lambda: _pieces_of_some(place, tar)))
        return
    stated = _receipt(corpus, tar)["tar"]
    if stated is None or _size(place) not in (None, stated["bytes"]):
        raise _not_as_stated(place, "size")
    local = place.removeprefix("file://") if is_local(place) else None
    files.take(path, WholeFile(stated["bytes"], lambda: _pieces_of_all(place, stated), local))


def _receipt(corpus: Corpus, tar: ShardTar) -> Mapping[str, Any]:
    try:
        return corpus.receipt(tar.folder, tar.shard)
    except FileMissing as why:
        raise lost(below(corpus.url, receipt_path(tar.folder, tar.shard))) from why


def _size(place: str) -> int | None:
    try:
        return size_of(place)
    except FileMissing as why:
        raise lost(place) from why


def _pieces_of_all(place: str, stated: Mapping[str, Any]) -> Iterator[memoryview]:
    inspector = TarInspector([], place)
    for piece in pieces_of(place, [Run(0, stated["bytes"])]):
        inspector.look(piece)
        yield piece
    if inspector.digest() != stated:
        raise _not_as_stated(place, "SHA-256")


def _not_as_stated(place: str, what: str) -> CorpusError:
    return CorpusError(f"{place}: its {what} is not what its receipt says. {REMOVE_AND_MAKE_AGAIN}")


def _pieces_of_some(place: str, tar: ShardTar) -> Iterator[bytes | memoryview]:
    inspector = TarInspector(members_of(tar.rows.to_pylist()), place)
    for piece in pieces_of(place, tar.runs):
        inspector.look(piece)
        yield piece
    inspector.digest()
    yield bytes(tar_size(inspector.nbytes) - inspector.nbytes)
