"""The components of a mixture: runs of shards, from corpora and from instruction data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.files.urls import expand
from sgt_data.stream.conversation_tars import ConversationTar
from sgt_data.stream.conversations import SHARD_LINES, Conversation, ConversationFile
from sgt_data.stream.reading import CorpusReader
from sgt_data.stream.samples import Sample
from sgt_data.stream.shard_cache import RemoteShard, ShardCache
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
    def tars(self) -> list[RemoteShard]:
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

    reader: CorpusReader
    proxy: str
    name: str
    count: int

    @property
    def tars(self) -> list[RemoteShard]:
        return self.reader.tars(self.proxy, self.name)

    def read(self, component: str, row: int) -> Sample:
        return self.reader.read(component, self.proxy, self.name, row)


@dataclass(frozen=True, slots=True)
class ConversationShard:
    """A run of lines of a JSONL file."""

    file: ConversationFile
    first: int
    count: int

    @property
    def tars(self) -> list[RemoteShard]:
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
    images: str | None,
    checksums: bool,
    together: bool,
    cache: ShardCache | None,
    fraction: float | None,
) -> dict[str, Component]:
    """The components of a stream by name.

    Args:
        sources: by fsspec URL: of a corpus the proxies to take (each a component), of a `.jsonl`
            file or of `.tar` files (brace and glob patterns) the name of their component.
        images: folder of the JSONL files' pictures; by default their own.
        checksums: compare members with their CRC-32.
        together: one component of everything.
        cache: of tars that lie elsewhere.
        fraction: of the corpora; None for all.

    Raises:
        RequestError: a source is not there, not complete, or has no such proxy.
    """
    found: dict[str, Component] = {}

    def add(name: str, shards: Sequence[Shard]) -> None:
        name = TOGETHER if together else name
        found.setdefault(name, Component(name)).shards.extend(shards)

    for url, what in sources.items():
        if isinstance(what, str):
            add(what, _conversations(url, images))
            continue
        corpus = open_corpus(url)
        if fraction is not None:
            corpus = fraction_of(corpus, fraction, what)
        for proxy, shards in _proxies(corpus, what, checksums, cache).items():
            add(proxy, shards)
    if not found:
        raise RequestError("a stream needs at least one proxy of one corpus, or a JSONL file")
    return found


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


def _proxies(
    corpus: Corpus, proxies: Sequence[str], checksums: bool, cache: ShardCache | None
) -> dict[str, list[Shard]]:
    reader = CorpusReader(corpus, checksums=checksums, cache=cache)
    found: dict[str, list[Shard]] = {}
    for proxy in corpus.finished(proxies):
        counts = corpus.samples_per_shard(proxy)
        found[proxy] = [
            CorpusShard(reader, proxy, shard, count)
            for shard, count in zip(corpus.shards(proxy), counts, strict=True)
        ]
    return found
