"""Phrases that mean exactly some of a picture's segments, and nothing else in it.

A phrase is a candidate only where nothing visible, hidden or neighbouring could be meant instead.
For places and sizes, a margin must separate the chosen segment from the next best. Places are those
in the picture plane: "topmost" is nearest the upper edge, whatever lies behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from sgt_data.referring.noun_forms import Noun
from sgt_data.referring.nouns import is_ambiguous, noun_of
from sgt_data.referring.segment_facts import NamedCategory, SegmentFacts
from sgt_data.referring.wordings import (
    all_wordings,
    definite_wordings,
    stuff_wordings,
    superlative_wordings,
)

_Option = TypeVar("_Option")

PhraseKind = Literal["category", "single", "place", "size"]


@dataclass(frozen=True, slots=True)
class Margins:
    """The margins that make a phrase unmistakable.

    Attributes:
        centre: least distance between the centres of two boxes, as a share of the picture's side.
        edge: least distance between the outer edges of two boxes, as a share of the picture's side.
        size: least ratio of visible areas, and of the areas of visible boxes.
        area: least visible area of what a phrase means, as a share of the picture.
    """

    centre: float
    edge: float
    size: float
    area: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """Segments of one category, and the wordings that mean exactly them.

    Attributes:
        kind: `category`: all of a category; `single`: its only segment; `place`, `size`: the
            segment that its place or size singles out.
        category: name of the category.
        relation: `all`, `only`, or what singles the segment out, for example `leftmost`.
        wordings: phrases with the same meaning.
        ids: ids of the segments.
    """

    kind: PhraseKind
    category: str
    relation: str
    wordings: tuple[str, ...]
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A candidate in one of its wordings.

    Attributes:
        text: the wording.
        candidate: what it means.
    """

    text: str
    candidate: Candidate


def candidates(
    visible: Sequence[SegmentFacts],
    hidden: Sequence[SegmentFacts],
    height: int,
    width: int,
    margins: Margins,
) -> list[Candidate]:
    """All candidates of a picture, in an order that depends on names and ids alone.

    Args:
        visible: segments of which the picture shows something.
        hidden: segments of which it shows nothing.
        height: of the picture, pixels.
        width: of the picture, pixels.
        margins: what makes a phrase unmistakable.
    """
    groups: dict[NamedCategory, list[SegmentFacts]] = {}
    for segment in sorted(visible, key=lambda segment: segment.id):
        groups.setdefault(segment.named_category, []).append(segment)
    hidden_categories = {segment.named_category for segment in hidden}
    present = hidden_categories | groups.keys()
    result = []
    for category in sorted(groups):
        noun = noun_of(*category)
        others = present - {category}
        if noun is None or category in hidden_categories or is_ambiguous(noun, others):
            continue
        result += [
            candidate
            for candidate in _of_category(noun, groups[category], (height, width), margins)
            if candidate.wordings
            and _is_large_enough(candidate, groups[category], margins.area * height * width)
        ]
    return result


def choose_phrase(options: Sequence[Candidate], rng: np.random.Generator) -> Phrase:
    """Choose a candidate and one of its wordings at random.

    A kind is chosen first, then a category, then a candidate and a wording, each evenly: places
    would outnumber everything else if all candidates had the same chance.
    """
    kind = _one_of(sorted({option.kind for option in options}), rng)
    of_kind = [option for option in options if option.kind == kind]
    category = _one_of(sorted({option.category for option in of_kind}), rng)
    chosen = _one_of([option for option in of_kind if option.category == category], rng)
    return Phrase(_one_of(chosen.wordings, rng), chosen)


def _one_of(options: Sequence[_Option], rng: np.random.Generator) -> _Option:
    return options[int(rng.integers(len(options)))]


def _is_large_enough(candidate: Candidate, group: Sequence[SegmentFacts], least: float) -> bool:
    return sum(segment.area for segment in group if segment.id in candidate.ids) >= least


def _of_category(
    noun: Noun, group: Sequence[SegmentFacts], size: tuple[int, int], margins: Margins
) -> Iterator[Candidate]:
    """Candidates of one category, of which the picture shows `group` and nothing more."""
    category = group[0].category
    everything = frozenset(segment.id for segment in group)
    has_crowd = any(segment.iscrowd for segment in group)
    if not group[0].isthing:
        yield Candidate("category", category, "all", stuff_wordings(noun), everything)
    elif len(group) > 1 or has_crowd:
        yield Candidate("category", category, "all", all_wordings(noun), everything)
    else:
        yield Candidate("single", category, "only", definite_wordings(noun), everything)
    if not group[0].isthing or len(group) == 1 or has_crowd or noun.singular is None:
        return
    for relation, measures in _PLACES.items():
        side = size[1] if relation in ("leftmost", "rightmost") else size[0]
        gaps = (2 * margins.centre * side, 2 * margins.edge * side)
        for segment in _ahead_of_all(group, measures, _is_before, gaps):
            yield _singled_out("place", relation, noun.singular, segment)
    ratios = (margins.size, margins.size)
    for relation, beats in (("largest", _is_larger), ("smallest", _is_smaller)):
        for segment in _ahead_of_all(group, _SIZES, beats, ratios):
            yield _singled_out("size", relation, noun.singular, segment)


def _is_before(mine: int, other: int, gap: float) -> bool:
    return other - mine >= gap


def _is_larger(mine: int, other: int, ratio: float) -> bool:
    return mine >= ratio * other


def _is_smaller(mine: int, other: int, ratio: float) -> bool:
    return other >= ratio * mine


Measure = Callable[[SegmentFacts], int]

_PLACES: dict[str, tuple[Measure, Measure]] = {
    "leftmost": (
        lambda segment: 2 * segment.box[0] + segment.box[2],
        lambda segment: 2 * segment.box[0],
    ),
    "rightmost": (
        lambda segment: -2 * segment.box[0] - segment.box[2],
        lambda segment: -2 * (segment.box[0] + segment.box[2]),
    ),
    "topmost": (
        lambda segment: 2 * segment.box[1] + segment.box[3],
        lambda segment: 2 * segment.box[1],
    ),
    "bottommost": (
        lambda segment: -2 * segment.box[1] - segment.box[3],
        lambda segment: -2 * (segment.box[1] + segment.box[3]),
    ),
}
"""By relation, twice the coordinates of centre and outer edge, with a sign so that the least is
meant."""

_SIZES: tuple[Measure, Measure] = (
    lambda segment: segment.area,
    lambda segment: segment.box[2] * segment.box[3],
)


def _ahead_of_all(
    group: Sequence[SegmentFacts],
    measures: Sequence[Measure],
    beats: Callable[[int, int, float], bool],
    margins: Sequence[float],
) -> Iterator[SegmentFacts]:
    """The segment of a group that beats all others by every measure, if there is one."""
    for segment in group:
        if all(
            beats(measure(segment), measure(other), margin)
            for other in group
            if other is not segment
            for measure, margin in zip(measures, margins, strict=True)
        ):
            yield segment


def _singled_out(
    kind: PhraseKind, relation: str, singular: str, segment: SegmentFacts
) -> Candidate:
    wordings = superlative_wordings(relation, singular)
    return Candidate(kind, segment.category, relation, wordings, frozenset((segment.id,)))
