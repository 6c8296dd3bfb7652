"""The score of the drawings for one proxy: measures, counts, and a row per picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgt_data.scoring.class_layout import ClassScore
from sgt_data.scoring.intervals import Estimate
from sgt_data.scoring.match_samples import NAMED, Extra
from sgt_data.scoring.score_examples import ScoredExample
from sgt_data.scoring.score_samples import State
from sgt_data.value_text import counted, cut_text


@dataclass(frozen=True, slots=True)
class PictureScore:
    """What came of one sample.

    Attributes:
        key: of the sample.
        state: `scored`; or `missing` or `unreadable`, where it has no drawing that can be read.
        quality: 0 to 1, by which the best and the worst are chosen; None where it counts as
            nothing.
        figures: the measures of this picture alone, those that one picture has.
        problem: why a drawing cannot be read; empty elsewhere.
    """

    key: str
    state: State
    quality: float | None
    figures: Mapping[str, float]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProxyScore:
    """The score of the drawings for one proxy.

    Attributes:
        proxy: its name.
        kind: its type.
        measures: by name, over all pictures, with 95 % intervals over pictures.
        decoding: parameters by which drawings were decoded, by name.
        pictures: a row per sample, in the order of the corpus.
        extra: drawings that belong to none of its samples.
        fingerprint: of the build of its targets.
        examples: the best, median and worst drawings; none where they cannot be looked at again.
        classes: by name, the score of each class; none where colours do not stand for classes.
    """

    proxy: str
    kind: str
    measures: Mapping[str, Estimate]
    decoding: Mapping[str, Any]
    pictures: tuple[PictureScore, ...]
    extra: Extra
    fingerprint: str
    examples: tuple[ScoredExample, ...] = ()
    classes: Mapping[str, ClassScore] = field(default_factory=dict)

    @property
    def scored(self) -> int:
        """Samples whose drawing was measured."""
        return self._count("scored")

    @property
    def missing(self) -> int:
        """Samples without a drawing."""
        return self._count("missing")

    @property
    def unreadable(self) -> int:
        """Samples whose drawing cannot be read."""
        return self._count("unreadable")

    @property
    def samples(self) -> int:
        """Samples that were asked for: scored, missing and unreadable ones."""
        return len(self.pictures)

    def notes(self) -> Iterator[str]:
        """Which samples have no drawing, and which drawings cannot be read, in words."""
        missing = [picture for picture in self.pictures if picture.state == "missing"]
        if missing:
            have = "has" if len(missing) == 1 else "have"
            as_worst = ", which counts as the worst (--missing skip leaves it out)"
            yield (
                f"{self.proxy}: {counted(len(missing), 'sample')} {have} no drawing"
                f"{'' if missing[0].quality is None else as_worst}: "
                f"{_first([picture.key for picture in missing])}"
            )
        unreadable = [
            f"{picture.key} ({cut_text(picture.problem, 120)})"
            for picture in self.pictures
            if picture.state == "unreadable"
        ]
        if unreadable:
            yield (
                f"{self.proxy}: {counted(len(unreadable), 'drawing')} cannot be read: "
                f"{_first(unreadable)}"
            )
        if self.extra.count:
            yield (
                f"{self.proxy}: {counted(self.extra.count, 'drawing')} of no sample of it: "
                f"{_first(self.extra.names, self.extra.count)}"
            )

    def _count(self, state: State) -> int:
        return sum(picture.state == state for picture in self.pictures)

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name; the first is the sum of the three after it."""
        return {
            "samples": self.samples, "scored": self.scored, "missing": self.missing,
            "unreadable": self.unreadable, "extra": self.extra.count,
        }  # fmt: skip


def _first(names: Sequence[str], count: int | None = None) -> str:
    """The first names, and how many more there are."""
    more = (len(names) if count is None else count) - NAMED
    listed = ", ".join(cut_text(name, 160) for name in names[:NAMED])
    return f"{listed} and {more:,} more" if more > 0 else listed


def figure_text(value: float) -> str:
    """A figure with four digits after its point, or four that count where it is small or large."""
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 10 else f"{value:.4g}"


def interval_text(estimate: Estimate) -> str:
    """The interval of an estimate; empty where there is one picture only."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{figure_text(estimate.low)} to {figure_text(estimate.high)}"
