"""The components of a mixture: lists of shards, of corpora and of instruction data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.own_banks import own_bank
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import RemoteTar, SampleReader
from sgt_data.errors import RequestError
from sgt_data.files.urls import expand, plain
from sgt_data.prompts.bank import Bank
from sgt_data.stream.conversation_tars import ConversationTar
from sgt_data.stream.conversations import SHARD_LINES, Conversation, ConversationFile
from sgt_data.stream.options import Reading
from sgt_data.stream.shard_cache import ShardCache
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.ranked_keys import fraction_of

SINGLE = "all"
"""Name of the only component of a stream without a mixture."""

Item = Sample | Conversation


class Shard(Protocol):
    """Samples that lie in one file, and are shuffled as one shard."""

    @property
    def count(self) -> int:
        """Number of samples."""
        ...

    @property
    def tars(self) -> list[RemoteTar]:
        """The remote tars of which local copies make reading faster."""
        ...

    def read(self, component: str, row: int) -> Item:
        """The sample in a row of the shard.

        Args:
            component: name of the mixture's component, noted in the sample.
            row: number of the sample, from 0.

        Raises:
            CorpusError: the sample is damaged.
            SourceError: the sample cannot be read just now.
        """
        ...


@dataclass(frozen=True, slots=True)
class CorpusShard:
    """A shard of one proxy of a corpus.

    Attributes:
        reader: reads samples of the corpus.
        proxy: name of the proxy.
        name: name of the shard.
        count: number of samples.
        bank: lines of instructions that the corpus keeps; None where it has a built-in bank.
    """

    reader: SampleReader
    proxy: str
    name: str
    count: int
    bank: Bank | None = None

    @property
    def tars(self) -> list[RemoteTar]:
        """The remote tars that hold the shard's samples; none of a local corpus."""
        return self.reader.tars(self.proxy, self.name)

    def read(self, component: str, row: int) -> Sample:
        """The sample in a row of the shard's index; see `Shard.read`."""
        return self.reader.read(self.proxy, self.name, row, component=component)


@dataclass(frozen=True, slots=True)
class ConversationShard:
    """A run of conversations of a JSON file.

    Attributes:
        file: the file.
        first: number of the first conversation, from 0.
        count: number of conversations.
    """

    file: ConversationFile
    first: int
    count: int

    @property
    def tars(self) -> list[RemoteTar]:
        """No tars: the conversations are in a JSON file."""
        return []

    def read(self, component: str, row: int) -> Conversation:
        """A conversation of the run; see `Shard.read`."""
        return self.file.read(component, self.first + row)


@dataclass(slots=True)
class Component:
    """One component of a mixture.

    Attributes:
        name: name of the component.
        shards: its shards, in the order of the sources.
    """

    name: str
    shards: list[Shard] = field(default_factory=list)


def open_components(
    sources: Mapping[str, Sequence[str] | str],
    reading: Reading,
    cache: ShardCache | None,
    merged: bool,
) -> dict[str, Component]:
    """The components of a stream, by name.

    Args:
        sources: by fsspec URL: for a corpus, names of the proxies to take, each a component; for a
            `.jsonl` or `.json` file or for `.tar` files (brace and glob patterns), the name of the
            component.
        reading: what is read of the sources, and how.
        cache: keeps local copies of remote tars; None for no copies.
        merged: put all shards into one component.

    Raises:
        RequestError: a source does not exist, is not complete, or has no such proxy.
        CorpusError: conversations are damaged, and `on_error` is `raise`.
    """
    components: dict[str, Component] = {}

    def add(name: str, shards: Sequence[Shard]) -> None:
        name = SINGLE if merged else name
        components.setdefault(name, Component(name)).shards.extend(shards)

    images = None if reading.images is None else plain(reading.images)
    for url, names in sources.items():
        if isinstance(names, str):
            checked = reading.check_first and reading.on_error == "raise"
            add(names, _conversation_shards(url, images, checked))
            continue
        corpus = open_corpus(url)
        if reading.fraction is not None:
            corpus = fraction_of(corpus, reading.fraction, names)
        reader = SampleReader(
            corpus,
            checksums=reading.checksums,
            copies=cache,
            # JSON that is none counts as a skipped sample, and without checksums it is what shows
            # damaged bytes: then it is parsed at once
            late_facts=reading.checksums and reading.on_error == "raise",
        )
        for proxy in corpus.finished(names):
            add(proxy, _corpus_shards(corpus, proxy, reader))
    if not components:
        raise RequestError("a stream needs at least one proxy of one corpus, or a JSONL file")
    return components


def _conversation_shards(url: str, images: str | None, checked: bool) -> list[Shard]:
    """The shards of conversations; `checked` says whether all of them are checked."""
    if url.endswith(".tar"):
        places = expand(url)
        if not places:
            raise RequestError(f"{url}: nothing matches")
        tars = [ConversationTar.open(place) for place in places]
        if checked:
            for tar in tars:
                tar.check()
        return list(tars)
    if not url.endswith((".jsonl", ".json")):
        raise RequestError(
            f"{url}: a component's name goes with a .jsonl file or .json file in LLaVA's form, or "
            "with .tar files of such data; of a corpus, list its proxies"
        )
    file = ConversationFile(url, images)
    if checked:
        file.check()
    return [
        ConversationShard(file, first, min(SHARD_LINES, len(file) - first))
        for first in range(0, len(file), SHARD_LINES)
    ]


def _corpus_shards(corpus: Corpus, proxy: str, reader: SampleReader) -> list[Shard]:
    counts = corpus.samples_per_shard(proxy)
    bank = own_bank(corpus.header, proxy)
    return [
        CorpusShard(reader, proxy, shard, count, bank)
        for shard, count in zip(corpus.shards(proxy), counts, strict=True)
    ]
