"""Score the drawings of some samples: read, decode, measure. It is what every worker does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError, PictureError
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.urls import is_local
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.taken_facts import scored_facts
from sgt_data.scoring.drawing_pixels import drawing_of_file
from sgt_data.scoring.drawn_files import DrawnFile
from sgt_data.scoring.measure import Drawing, Measure, ScoredSample

Missing = Literal["zero", "skip"]
"""What a sample without a readable drawing counts as: the worst drawing, or nothing."""

State = Literal["scored", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class SampleToScore:
    """A sample, and what was drawn for it.

    Attributes:
        number: its place among all samples that are scored.
        proxy, shard, row: where it lies in the corpus.
        key: of the sample.
        drawn: its drawing: a file, or pixels; None where it has none.
    """

    number: int
    proxy: str
    shard: str
    row: int
    key: str
    drawn: DrawnFile | Drawing | None


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """What came of one sample.

    Attributes:
        number, proxy, shard, place, key: of the sample; `place` is its row in the shard's index.
        state: whether there was a drawing, and whether it could be read.
        problem: why it could not be read; empty elsewhere.
        row: what its measure keeps of it; None where it counts as nothing.
        quality: 0 to 1, by its measure.
        figures: the measures of this picture alone, those that one picture has.
    """

    number: int
    proxy: str
    shard: str
    place: int
    key: str
    state: State
    problem: str = ""
    row: Any = None
    quality: float | None = None
    figures: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores samples; it can be sent to other processes.

    Attributes:
        corpus: the corpus, or a subset of it.
        measures: by proxy.
        missing: what a sample without a readable drawing counts as.
    """

    corpus: Corpus
    measures: Mapping[str, Measure[Any]]
    missing: Missing

    def score(self, batch: Sequence[SampleToScore]) -> list[ScoredRow]:
        """Score some samples, in their order.

        Raises:
            CorpusError: a sample of the corpus is damaged.
            SourceError: a file cannot be read, after several attempts.
        """
        places = [self.corpus.url, *(s.drawn.url for s in batch if isinstance(s.drawn, DrawnFile))]
        if all(map(is_local, places)):
            return [self._measured(sample, self._read(sample)) for sample in batch]
        with closing(read_ahead(self._read, batch, threads_for("s3://"))) as contents:
            return [
                self._measured(sample, read) for sample, read in zip(batch, contents, strict=True)
            ]

    def _read(self, sample: SampleToScore) -> bytes | Drawing | str | None:
        """The drawing: bytes of its file, or pixels; a text says why it cannot be read."""
        if not isinstance(sample.drawn, DrawnFile):
            return sample.drawn
        try:
            return sample.drawn.read()
        except PictureError as why:
            return str(why)

    def _measured(self, sample: SampleToScore, content: bytes | Drawing | str | None) -> ScoredRow:
        drawing: Drawing | None = None
        problem = ""
        if isinstance(content, bytes):
            try:
                drawing = drawing_of_file(content)
            except (PictureError, ValueError) as why:
                problem = in_words(why)
        elif isinstance(content, str):
            problem = content
        else:
            drawing = content
        state: State = "scored" if drawing is not None else "unreadable" if problem else "missing"
        scored = ScoredRow(
            sample.number, sample.proxy, sample.shard, sample.row, sample.key, state, problem
        )
        if drawing is None and self.missing == "skip":
            return scored
        measure, compared = self.measures[sample.proxy], self._compared_with(sample)
        try:
            if drawing is None:
                row = measure.absent(compared)
            else:
                row = measure.picture(drawing, compared)
        except CorpusError as why:
            raise CorpusError(
                f"{self.corpus.url}: {sample.proxy}/{sample.shard}, sample {sample.key}: {why}"
            ) from why
        return replace(
            scored, row=row, quality=measure.quality(row), figures=_figures(measure, row)
        )

    def _compared_with(self, sample: SampleToScore) -> ScoredSample:
        """What a sample's drawing is compared with."""
        stored = self.corpus.reader.read(sample.proxy, sample.shard, sample.row, with_input=False)
        return ScoredSample(stored.key, stored.target, scored_facts(stored.facts))


def _figures(measure: Measure[Any], row: Any) -> dict[str, float]:
    """The measures of one picture; none where one picture has no value."""
    try:
        return {name: estimate.value for name, estimate in measure.overall([row], 0).items()}
    except ValueError:
        return {}
