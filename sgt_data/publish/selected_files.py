"""What a push takes of a corpus, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.publish.card import LeftOut
from sgt_data.publish.licences import counted, folders_with_pictures, read_licences
from sgt_data.subsets.headers import header_without

BATCH_BYTES = 2 << 30
BATCH_SHARDS = 64
"""What one commit takes at most, but for a shard that is larger: the Hub bounds commits per hour,
and a batch that is not of local files lies on the disk until it is sent."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A shard of one folder; its bytes are an estimate where it is cut out of a larger one."""

    folder: str
    shard: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be published.

    Attributes:
        corpus: from where; a subset becomes a corpus of its own.
        header: of what is published, as it is when all of it is there.
        licences: samples by folder and licence, in the order of the corpus.
        left_out: what stays behind.
    """

    corpus: Corpus
    header: CorpusHeader
    licences: Mapping[str, Mapping[str, int]]
    left_out: tuple[LeftOut, ...]

    def pieces(self) -> list[Piece]:
        """Shard by shard, those of all folders together."""
        header = self.header
        order: dict[str, list[Piece]] = {}
        for folder in self.licences:
            shards = header.shards[folder]
            nbytes, samples = header.totals[folder]["bytes"], header.totals[folder]["samples"]
            counts = self.corpus.samples_per_shard(folder)
            for shard, count in zip(shards, counts, strict=True):
                piece = Piece(folder, shard, nbytes * count // max(1, samples))
                order.setdefault(shard, []).append(piece)
        return [piece for pieces in order.values() for piece in pieces]


def consign(corpus: Corpus, pictures: bool) -> Consignment:
    """Decide what of a complete corpus, or of a subset, is published.

    Args:
        corpus: which.
        pictures: with the pictures, and all folders that hold any.

    Raises:
        RequestError: without its pictures nothing is left of it.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    licences = read_licences(corpus)
    header = corpus.header
    behind = () if pictures else folders_with_pictures(corpus.folders, header.manifest, licences)
    if set(corpus.proxies) <= set(behind):
        raise RequestError(
            f"every folder of {corpus.url} holds pictures: {sum(licences.pictures.values()):,} of "
            f"them, by licence {counted(licences.pictures)}. Without them nothing is left. Give "
            "--pictures (pictures=True) if all of these licences let you pass them on; or build "
            "with `inputs: shared`, which keeps pictures apart from what is drawn of them"
        )
    published = header_without(header, behind)
    return Consignment(
        corpus,
        published,
        {folder: counts for folder, counts in licences.samples.items() if folder not in behind},
        tuple(
            LeftOut(folder, header.totals[folder]["samples"], header.totals[folder]["bytes"])
            for folder in behind
        ),
    )


def batches(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Runs of pieces, as large as a commit may be."""
    batch: list[Piece] = []
    nbytes = 0
    for piece in pieces:
        if batch and (len(batch) == BATCH_SHARDS or nbytes + piece.nbytes > BATCH_BYTES):
            yield batch
            batch, nbytes = [], 0
        batch.append(piece)
        nbytes += piece.nbytes
    if batch:
        yield batch
