"""The components of a mixture: runs of shards, from corpora and from instruction data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import RemoteTar, SampleReader
from sgt_data.errors import RequestError
from sgt_data.files.urls import expand
from sgt_data.stream.conversation_tars import ConversationTar
from sgt_data.stream.conversations import SHARD_LINES, Conversation, ConversationFile
from sgt_data.stream.options import Reading
from sgt_data.stream.shard_cache import ShardCache
from sgt_data.subsets.opening import open_corpus
from sgt_data.subsets.ranked_keys import fraction_of

TOGETHER = "all"
"""The one component of a stream without a mixture."""

Item = Sample | Conversation


class Shard(Protocol):
    """Samples that lie together."""

    @property
    def count(self) -> int: ...

    @property
    def tars(self) -> list[RemoteTar]:
        """Of which tars elsewhere a local copy helps."""
        ...

    def read(self, component: str, row: int) -> Item:
        """Raises:
        CorpusError: the sample is damaged.
        SourceError: it cannot be read just now.
        """
        ...


@dataclass(frozen=True, slots=True)
class CorpusShard:
    """One shard of one proxy."""

    reader: SampleReader
    proxy: str
    name: str
    count: int

    @property
    def tars(self) -> list[RemoteTar]:
        return self.reader.tars(self.proxy, self.name)

    def read(self, component: str, row: int) -> Sample:
        return self.reader.read(self.proxy, self.name, row, component=component)


@dataclass(frozen=True, slots=True)
class ConversationShard:
    """A run of lines of a JSONL file."""

    file: ConversationFile
    first: int
    count: int

    @property
    def tars(self) -> list[RemoteTar]:
        return []

    def read(self, component: str, row: int) -> Conversation:
        return self.file.read(component, self.first + row)


@dataclass(slots=True)
class Component:
    """One component of a mixture."""

    name: str
    shards: list[Shard] = field(default_factory=list)


def open_components(
    sources: Mapping[str, Sequence[str] | str],
    reading: Reading,
    cache: ShardCache | None,
    together: bool,
) -> dict[str, Component]:
    """The components of a stream by name.

    Args:
        sources: by fsspec URL: of a corpus the proxies to take (each a component), of a `.jsonl`
            file or of `.tar` files (brace and glob patterns) the name of their component.
        reading: what is read of them, and how.
        cache: of remote tars.
        together: one component of everything.

    Raises:
        RequestError: a source does not exist, is not complete, or has no such proxy.
    """
    components: dict[str, Component] = {}

    def add(name: str, shards: Sequence[Shard]) -> None:
        name = TOGETHER if together else name
        components.setdefault(name, Component(name)).shards.extend(shards)

    for url, names in sources.items():
        if isinstance(names, str):
            add(names, _conversations(url, reading.images))
            continue
        corpus = open_corpus(url)
        if reading.fraction is not None:
            corpus = fraction_of(corpus, reading.fraction, names)
        reader = SampleReader(corpus, checksums=reading.checksums, copies=cache)
        for proxy in corpus.finished(names):
            add(proxy, _shards(corpus, proxy, reader))
    if not components:
        raise RequestError("a stream needs at least one proxy of one corpus, or a JSONL file")
    return components


def _conversations(url: str, images: str | None) -> list[Shard]:
    if url.endswith(".tar"):
        tars = expand(url)
        if not tars:
            raise RequestError(f"{url}: nothing matches")
        return [ConversationTar.open(tar) for tar in tars]
    if not url.endswith(".jsonl"):
        raise RequestError(
            f"{url}: a component's name goes with a .jsonl file or .tar files; of a corpus, list "
            "its proxies"
        )
    file = ConversationFile(url, images)
    return [
        ConversationShard(file, first, min(SHARD_LINES, len(file) - first))
        for first in range(0, len(file), SHARD_LINES)
    ]


def _shards(corpus: Corpus, proxy: str, reader: SampleReader) -> list[Shard]:
    counts = corpus.samples_per_shard(proxy)
    return [
        CorpusShard(reader, proxy, shard, count)
        for shard, count in zip(corpus.shards(proxy), counts, strict=True)
    ]
