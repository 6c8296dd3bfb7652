"""What could be asked about the pictures of a corpus, read from its indexes, facts and targets."""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from sgt_data.corpus.layout import tar_path
from sgt_data.corpus.reader import Corpus
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.reading import read_range
from sgt_data.files.urls import join
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.proxies.decoding import decode
from sgt_data.questions.answerable import AnswerableTasks
from sgt_data.questions.picture_facts import PictureFacts, VisibleSegment, nearness
from sgt_data.questions.questioner import Questioner
from sgt_data.questions.tasks import Candidate, Outcome, Rules, Task
from sgt_data.referring.segment_facts import NamedCategory

Row = Mapping[str, Any]

_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(slots=True)
class CorpusCandidates:
    """The questions that can be asked about a corpus.

    Attributes:
        candidates: of all pictures.
        left_out: how many questions cannot be asked, by task and reason.
        pictures: pictures that were read.
    """

    candidates: list[Candidate] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    pictures: int = 0


def read_candidates(
    corpus: Corpus,
    answerable: AnswerableTasks,
    seed: int,
    rules: Rules,
    on_progress: OnProgress = ignore,
) -> CorpusCandidates:
    """Read what can be asked about all pictures of a corpus.

    Raises:
        CorpusError: a sample is damaged; names it.
    """
    read = CorpusCandidates()
    questioner = Questioner(_shown_categories(corpus, answerable.proxy), seed, rules)
    total = sum(corpus.samples_per_shard(answerable.proxy))
    for shard in corpus.shards(answerable.proxy):
        depths = _DepthShard(corpus, answerable.depth, shard)
        for row in corpus.index(answerable.proxy, shard).to_pylist():
            stored = _Stored.read(corpus, answerable.proxy, shard, row)
            try:
                outcomes = list(_outcomes(stored, depths, questioner, answerable.tasks))
            except CorpusError as why:
                raise CorpusError(f"{stored.where}: {why}") from why
            for outcome in outcomes:
                if isinstance(outcome, Candidate):
                    read.candidates.append(outcome)
                else:
                    read.left_out[outcome.task, outcome.reason] += 1
            read.pictures += 1
            on_progress(Progress(read.pictures, total))
    return read


def _outcomes(
    stored: _Stored, depths: _DepthShard, questioner: Questioner, tasks: Collection[Task]
) -> Iterator[Outcome]:
    picture = PictureFacts.of(stored.facts)
    if picture.key != stored.key:
        raise CorpusError(f"its facts are those of {picture.key!r:.200}")
    if "count" in tasks:
        yield from questioner.counts(picture)
    if "presence" in tasks:
        yield from questioner.presences(picture)
    if "position" in tasks:
        yield from questioner.positions(picture)
    if "relation" in tasks:
        yield from questioner.relations(picture)
    if "nearer" in tasks and stored.key in depths.rows:
        yield from questioner.nearers(picture, _Nearness(stored, depths, picture))


@dataclass(frozen=True, slots=True)
class _Stored:
    """Target and facts of one sample, as stored. `where` says which it is."""

    key: str
    where: str
    target: bytes
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, corpus: Corpus, proxy: str, shard: str, row: Row) -> _Stored:
        """One range of the tar, without the input.

        Raises:
            CorpusError: it is not what the index says.
        """
        key, place = row["key"], join(corpus.url, tar_path(proxy, shard))
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise CorpusError(f"{place}: {key!r:.200} cannot be the key of a sample")
        where = f"{place}: sample {key}"
        members = {}
        start, end = row["target_offset"], row["facts_offset"] + row["facts_size"]
        try:
            data = read_range(place, start, end - start)
        except SourceError as why:
            raise CorpusError(str(why)) from why
        for member in ("target", "facts"):
            offset = row[f"{member}_offset"] - start
            members[member] = data[offset : offset + row[f"{member}_size"]]
            if zlib.crc32(members[member]) != row[f"{member}_crc32"]:
                raise CorpusError(f"{where}: its {member} has another CRC-32 than the index says")
        try:
            facts = orjson.loads(members["facts"])
        except orjson.JSONDecodeError as why:
            raise CorpusError(f"{where}: its facts are not JSON: {why}") from why
        return cls(key, where, members["target"], facts)


class _DepthShard:
    """The depth samples of one shard, by key; none where there is no depth proxy."""

    def __init__(self, corpus: Corpus, proxy: str | None, shard: str) -> None:
        self._corpus, self._proxy, self._shard = corpus, proxy, shard

    @cached_property
    def rows(self) -> dict[str, Row]:
        if self._proxy is None or self._shard not in self._corpus.shards(self._proxy):
            return {}
        table = self._corpus.index(self._proxy, self._shard)
        return {row["key"]: row for row in table.to_pylist()}

    def read(self, key: str) -> _Stored:
        assert self._proxy is not None
        return _Stored.read(self._corpus, self._proxy, self._shard, self.rows[key])


class _Nearness:
    """Decodes the two targets of a picture when they are first asked for."""

    def __init__(self, stored: _Stored, depths: _DepthShard, picture: PictureFacts) -> None:
        self._stored, self._depths, self._picture = stored, depths, picture

    @cached_property
    def _maps(self) -> tuple[Any, Any]:
        beside = self._depths.read(self._stored.key)
        try:
            depth = decode(beside.target, beside.facts)
            if beside.facts["type"] != "depth":
                raise CorpusError(f"it is of type {beside.facts['type']}, not depth")
        except CorpusError as why:
            raise CorpusError(f"{beside.where}: {why}") from why
        labels = decode(self._stored.target, self._stored.facts).labels
        if depth.inverse_depth.shape != labels.shape:
            raise CorpusError(
                f"{beside.where} is {depth.inverse_depth.shape}, the segments' {labels.shape}"
            )
        return labels, depth

    def __call__(self, segment: VisibleSegment) -> float:
        labels, depth = self._maps
        return nearness(segment, labels, depth.inverse_depth, depth.low, depth.high)


def _shown_categories(corpus: Corpus, proxy: str) -> dict[str, dict[NamedCategory, float]]:
    """By source, the categories that its pictures show, each with the share of them; from the
    indexes and the sources' lists of categories."""
    kinds: dict[tuple[str, str], set[NamedCategory]] = defaultdict(set)
    for source, categories in corpus.header.vocabulary.items():
        for category in categories:
            kinds[source, category.name].add(NamedCategory(category.name, category.isthing))
    pictures: Counter[str] = Counter()
    showing: dict[str, Counter[NamedCategory]] = defaultdict(Counter)
    for shard in corpus.shards(proxy):
        index = corpus.index(proxy, shard)
        for source, names in zip(
            index["source"].to_pylist(), index["categories"].to_pylist(), strict=True
        ):
            pictures[source] += 1
            showing[source].update(kind for name in names for kind in kinds[source, name])
    return {
        source: {kind: count / pictures[source] for kind, count in counts.items()}
        for source, counts in showing.items()
    }
