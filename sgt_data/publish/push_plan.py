"""What a push publishes of a corpus, what it leaves out, and which shards a commit takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.corpus.header import HOLDS_SECRET, CorpusHeader, header_secrets
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.corpus.picture_licences import Licences
from sgt_data.errors import RequestError
from sgt_data.files.urls import join
from sgt_data.publish.licences import counts_text, folders_with_pictures
from sgt_data.subsets.subset_headers import header_without

BATCH_BYTES = 2 << 30
BATCH_SHARDS = 64
"""The most that one commit takes, unless a single shard is larger: the Hub bounds the commits per
hour, and a batch that has no local files lies on the disk until it is sent."""


@dataclass(frozen=True, slots=True)
class ShardToPush:
    """A shard of one folder.

    Attributes:
        folder: the folder of the corpus: a proxy, or the shared inputs.
        shard: name of the shard.
        nbytes: bytes of its tar; an estimate where the shard is cut out of a larger one.
    """

    folder: str
    shard: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A folder that is not published.

    Attributes:
        folder: the folder of the corpus: a proxy, or the shared inputs.
        samples: number of samples in it.
        nbytes: bytes of its tars.
    """

    folder: str
    samples: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push publishes of a corpus.

    Attributes:
        corpus: the corpus, or the subset of one, that is published; a subset becomes a corpus of
            its own.
        header: header of the published corpus when all of it is in the repository.
        folders: that are published, in the order of the corpus.
        licences: number of pictures by licence, over the whole corpus.
        left_out: folders that are not published.
    """

    corpus: Corpus
    header: CorpusHeader
    folders: tuple[str, ...]
    licences: Mapping[str, int]
    left_out: tuple[LeftOut, ...]

    def shards(self) -> list[ShardToPush]:
        """All shards of the published folders; those of one name follow each other."""
        header = self.header
        by_name: dict[str, list[ShardToPush]] = {}
        for folder in self.folders:
            nbytes, samples = header.totals[folder]["bytes"], header.totals[folder]["samples"]
            counts = self.corpus.samples_per_shard(folder)
            for name, count in zip(header.shards[folder], counts, strict=True):
                shard = ShardToPush(folder, name, nbytes * count // max(1, samples))
                by_name.setdefault(name, []).append(shard)
        return [shard for shards in by_name.values() for shard in shards]


def plan_push(corpus: Corpus, licences: Licences, pictures: bool) -> PushPlan:
    """Decide what of a complete corpus, or of a subset, is published.

    Args:
        corpus: a complete corpus, or a subset of one.
        licences: what its indexes say of licences and pictures.
        pictures: publish the folders that hold pictures too.

    Raises:
        RequestError: every folder holds pictures, and pictures are not published.
    """
    header = corpus.header
    left_out = () if pictures else folders_with_pictures(corpus.folders, header.manifest, licences)
    if set(corpus.proxies) <= set(left_out):
        raise RequestError(
            f"every folder of {corpus.url} holds pictures: {sum(licences.pictures.values()):,} of "
            f"them, by licence {counts_text(licences.pictures)}. Without pictures nothing is left "
            "to push. Give --pictures (pictures=True) if all these licences allow you to publish "
            "the pictures; or build with `inputs: shared`, which stores pictures apart from the "
            "targets"
        )
    return PushPlan(
        corpus,
        header_without(header, left_out),
        tuple(folder for folder in corpus.folders if folder not in left_out),
        licences.pictures,
        tuple(
            LeftOut(folder, header.totals[folder]["samples"], header.totals[folder]["bytes"])
            for folder in left_out
        ),
    )


def check_no_secrets(corpus: Corpus, url: str) -> None:
    """Refuse a corpus whose header holds the password or signature of a URL.

    Args:
        corpus: the corpus, or the subset of one.
        url: of what was opened.

    Raises:
        RequestError: names the field and the remedy, not the secret.
    """
    if fields := header_secrets(corpus.header):
        place = join(corpus.url, CORPUS_FILE) if corpus.selection is None else url
        raise RequestError(f"{place}: field {fields[0]} {HOLDS_SECRET}")


def batches(shards: Sequence[ShardToPush]) -> Iterator[list[ShardToPush]]:
    """Cut shards, in their order, into the batches that one commit takes each."""
    batch: list[ShardToPush] = []
    nbytes = 0
    for shard in shards:
        if batch and (len(batch) == BATCH_SHARDS or nbytes + shard.nbytes > BATCH_BYTES):
            yield batch
            batch, nbytes = [], 0
        batch.append(shard)
        nbytes += shard.nbytes
    if batch:
        yield batch
