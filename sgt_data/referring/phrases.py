"""Phrases that mean exactly some of a picture's segments, and nothing else in it.

A phrase is a candidate only where nothing visible, hidden or neighbouring could be meant instead,
and, for places and sizes, where a margin separates the chosen segment from the runner-up. Places
are those of the picture plane: "topmost" is nearest the upper edge, whatever lies behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from sgt_data.referring.nouns import Noun, might_mean, noun_of
from sgt_data.referring.seen import Seen

_Option = TypeVar("_Option")

PhraseKind = Literal["category", "single", "place", "size"]


@dataclass(frozen=True, slots=True)
class Margins:
    """What makes a phrase unmistakable.

    Attributes:
        centre: least distance between the centres of two boxes, as a share of the picture's side.
        edge: the same for the edges of the boxes on that side.
        size: least ratio of visible areas, and of the areas of visible boxes.
        area: least visible area of what a phrase means, as a share of the picture.
    """

    centre: float
    edge: float
    size: float
    area: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be said in any of `wordings`, and the segments that it means."""

    kind: PhraseKind
    category: str
    relation: str
    wordings: tuple[str, ...]
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A chosen candidate in one wording."""

    text: str
    candidate: Candidate


def candidates(
    visible: Sequence[Seen], hidden: Sequence[Seen], height: int, width: int, margins: Margins
) -> list[Candidate]:
    """All that can be said of a picture [height, width], in an order that depends on names and ids
    alone."""
    groups: dict[tuple[str, bool], list[Seen]] = {}
    for one in sorted(visible, key=lambda one: one.id):
        groups.setdefault(one.kind, []).append(one)
    present = {one.kind for one in (*visible, *hidden)}
    concealed = {one.kind for one in hidden}
    found = []
    for kind in sorted(groups):
        noun = noun_of(*kind)
        others = present - {kind}
        if noun is None or kind in concealed or _ambiguous(noun, others):
            continue
        found += [
            one
            for one in _of_category(noun, groups[kind], (height, width), margins)
            if one.wordings and _large_enough(one, groups[kind], margins.area * height * width)
        ]
    return found


def choose_phrase(found: Sequence[Candidate], rng: np.random.Generator) -> Phrase:
    """A kind of phrase first, then a category, then a candidate and its wording, evenly: places
    would outnumber all else if every candidate had the same chance."""
    kind = _one_of(sorted({one.kind for one in found}), rng)
    category = _one_of(sorted({one.category for one in found if one.kind == kind}), rng)
    chosen = _one_of([one for one in found if (one.kind, one.category) == (kind, category)], rng)
    return Phrase(_one_of(chosen.wordings, rng), chosen)


def _one_of(options: Sequence[_Option], rng: np.random.Generator) -> _Option:
    return options[int(rng.integers(len(options)))]


def _ambiguous(noun: Noun, others: set[tuple[str, bool]]) -> bool:
    return any(might_mean(form, *kind) for form in noun.forms for kind in others)


def _large_enough(candidate: Candidate, group: Sequence[Seen], least: float) -> bool:
    return sum(one.area for one in group if one.id in candidate.ids) >= least


def _of_category(
    noun: Noun, group: Sequence[Seen], size: tuple[int, int], margins: Margins
) -> Iterator[Candidate]:
    """Candidates of one category, of which the picture shows `group` and nothing more."""
    category = group[0].category
    everything = frozenset(one.id for one in group)
    crowded = any(one.iscrowd for one in group)
    if not group[0].isthing:
        yield Candidate("category", category, "all", _stuff_wordings(noun), everything)
    elif len(group) > 1 or crowded:
        yield Candidate("category", category, "all", _all_wordings(noun), everything)
    else:
        yield Candidate("single", category, "only", _definite_wordings(noun), everything)
    if not group[0].isthing or len(group) == 1 or crowded or noun.singular is None:
        return
    for relation, measures in _PLACES.items():
        side = size[1] if relation in ("leftmost", "rightmost") else size[0]
        gaps = (2 * margins.centre * side, 2 * margins.edge * side)
        for one in _ahead(group, measures, _before, gaps):
            yield _singled_out("place", category, relation, noun.singular, one)
    ratios = (margins.size, margins.size)
    for relation, beats in (("largest", _times), ("smallest", _times_less)):
        for one in _ahead(group, _SIZES, beats, ratios):
            yield _singled_out("size", category, relation, noun.singular, one)


def _before(mine: int, other: int, gap: float) -> bool:
    return other - mine >= gap


def _times(mine: int, other: int, ratio: float) -> bool:
    return mine >= ratio * other


def _times_less(mine: int, other: int, ratio: float) -> bool:
    return other >= ratio * mine


Measure = Callable[[Seen], int]

_PLACES: dict[str, tuple[Measure, Measure]] = {
    "leftmost": (lambda one: 2 * one.box[0] + one.box[2], lambda one: 2 * one.box[0]),
    "rightmost": (
        lambda one: -2 * one.box[0] - one.box[2],
        lambda one: -2 * (one.box[0] + one.box[2]),
    ),
    "topmost": (lambda one: 2 * one.box[1] + one.box[3], lambda one: 2 * one.box[1]),
    "bottommost": (
        lambda one: -2 * one.box[1] - one.box[3],
        lambda one: -2 * (one.box[1] + one.box[3]),
    ),
}
"""Twice the distance of centre and outer edge from the picture's edge; the least one is meant."""

_SIZES: tuple[Measure, Measure] = (
    lambda one: one.area,
    lambda one: one.box[2] * one.box[3],
)


def _ahead(
    group: Sequence[Seen],
    measures: Sequence[Measure],
    beats: Callable[[int, int, float], bool],
    margins: Sequence[float],
) -> Iterator[Seen]:
    """The one of a group, if there is one, that beats all others by every measure."""
    for one in group:
        if all(
            beats(measure(one), measure(other), margin)
            for other in group
            if other is not one
            for measure, margin in zip(measures, margins, strict=True)
        ):
            yield one


_SUPERLATIVES = {
    "leftmost": ("the leftmost {}", "the {} farthest to the left"),
    "rightmost": ("the rightmost {}", "the {} farthest to the right"),
    "topmost": ("the topmost {}", "the {} nearest the top of the picture"),
    "bottommost": ("the bottommost {}", "the {} nearest the bottom of the picture"),
    "largest": ("the largest {}", "the {} that takes up the most space"),
    "smallest": ("the smallest {}", "the {} that takes up the least space"),
}


def _singled_out(
    kind: PhraseKind, category: str, relation: str, singular: str, one: Seen
) -> Candidate:
    wordings = tuple(wording.format(singular) for wording in _SUPERLATIVES[relation])
    return Candidate(kind, category, relation, wordings, frozenset((one.id,)))


def _definite_wordings(noun: Noun) -> tuple[str, ...]:
    return () if noun.singular is None else (f"the {noun.singular}",)


def _all_wordings(noun: Noun) -> tuple[str, ...]:
    wordings = []
    if noun.plural is not None:
        wordings += [f"all {noun.plural}", f"all the {noun.plural}"]
    if noun.singular is not None:
        wordings.append(f"every {noun.singular}")
    return tuple(wordings)


def _stuff_wordings(noun: Noun) -> tuple[str, ...]:
    """Of counted stuff there may be one or many, so "all the tables" would presume too much."""
    if noun.mass is not None:
        return f"the {noun.mass}", f"everything that is {noun.mass}", f"all the {noun.mass}"
    if noun.extent is not None:
        return f"the {noun.extent}", f"all of the {noun.extent}"
    wordings = [] if noun.plural is None else [f"all {noun.plural}"]
    if noun.singular is not None:
        article = "an" if noun.singular[0] in "aeiou" else "a"
        wordings += [f"every {noun.singular}", f"everything that is {article} {noun.singular}"]
    return tuple(wordings)
