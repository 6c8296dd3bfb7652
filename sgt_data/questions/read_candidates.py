"""What could be asked about the pictures of a corpus, read from its indexes, facts and targets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.progress import OnProgress, Progress
from sgt_data.proxies.decoding import decode
from sgt_data.questions.answerable import AnswerableTasks
from sgt_data.questions.picture_facts import PictureFacts, VisibleSegment, nearness
from sgt_data.questions.question_tasks import (
    Candidate,
    Outcome,
    Rules,
    Task,
)
from sgt_data.questions.questioner import Questioner
from sgt_data.referring.segment_facts import NamedCategory
from sgt_data.value_text import cut

Row = Mapping[str, Any]


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
    on_progress: OnProgress,
) -> CorpusCandidates:
    """Read what can be asked about all pictures of a corpus.

    Raises:
        CorpusError: a sample is damaged; names it.
    """
    read = CorpusCandidates()
    questioner = Questioner(_shown_categories(corpus, answerable.proxy), seed, rules)
    total = sum(corpus.samples_per_shard(answerable.proxy))
    on_progress(Progress(0, total, phase=_PHASE))
    for shard in corpus.shards(answerable.proxy):
        depths = _DepthShard(corpus, answerable.depth, shard)
        for row in range(corpus.reader.count(answerable.proxy, shard)):
            sample = _read(corpus, answerable.proxy, shard, row)
            try:
                outcomes = list(_outcomes(sample, depths, questioner, answerable.tasks))
            except CorpusError as why:
                raise CorpusError(f"{sample.place}: {why}") from why
            for outcome in outcomes:
                if isinstance(outcome, Candidate):
                    read.candidates.append(outcome)
                else:
                    read.left_out[outcome.task, outcome.reason] += 1
            read.pictures += 1
            on_progress(Progress(read.pictures, total, phase=_PHASE))
    return read


_PHASE = "reading pictures and their facts"


def _outcomes(
    sample: Sample, depths: _DepthShard, questioner: Questioner, tasks: Collection[Task]
) -> Iterator[Outcome]:
    picture = PictureFacts.of(sample.facts)
    if picture.key != sample.key:
        raise CorpusError(f"its facts are those of {cut(picture.key, 200)}")
    if "count" in tasks:
        yield from questioner.counts(picture)
    if "presence" in tasks:
        yield from questioner.presences(picture)
    if "position" in tasks:
        yield from questioner.positions(picture)
    if "relation" in tasks:
        yield from questioner.relations(picture)
    if "nearer" in tasks and sample.key in depths.rows:
        yield from questioner.nearers(picture, _Nearness(sample, depths))


def _read(corpus: Corpus, proxy: str, shard: str, row: int) -> Sample:
    """One sample without its input, which no question is made of.

    Raises:
        CorpusError: it is not what the index says.
    """
    return corpus.reader.read(proxy, shard, row, with_input=False)


class _DepthShard:
    """The depth samples of one shard; none where there is no depth proxy."""

    def __init__(self, corpus: Corpus, proxy: str | None, shard: str) -> None:
        self._corpus, self._proxy, self._shard = corpus, proxy, shard

    @cached_property
    def rows(self) -> dict[str, int]:
        """Rows of the shard's index by key."""
        if self._proxy is None or self._shard not in self._corpus.shards(self._proxy):
            return {}
        keys = self._corpus.index(self._proxy, self._shard)["key"].to_pylist()
        return {key: row for row, key in enumerate(keys)}

    def read(self, key: str) -> Sample:
        """The depth sample of a key."""
        assert self._proxy is not None
        return _read(self._corpus, self._proxy, self._shard, self.rows[key])


class _Nearness:
    """How near things of a picture are; its two targets are decoded when this is first asked."""

    def __init__(self, sample: Sample, depths: _DepthShard) -> None:
        self._sample, self._depths = sample, depths

    @cached_property
    def _maps(self) -> tuple[Any, Any]:
        """Label map and decoded depth, of the same size."""
        sample = self._depths.read(self._sample.key)
        try:
            depth = decode(sample.target, sample.facts)
            if sample.facts["type"] != "depth":
                raise CorpusError(f"it is of type {sample.facts['type']}, not depth")
        except CorpusError as why:
            raise CorpusError(f"{sample.place}: {why}") from why
        labels = decode(self._sample.target, self._sample.facts).labels
        if depth.inverse_depth.shape != labels.shape:
            raise CorpusError(
                f"{sample.place} is {depth.inverse_depth.shape}, the segments' {labels.shape}"
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
