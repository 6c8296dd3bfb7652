"""The segments that a phrase means, from its words and the segments alone: the check on `phrases`.

This file does not know how a phrase was made. Whatever a phrase could mean counts as meant, so an
ambiguous phrase has more referents than segments that were drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sgt_data.referring.nouns import might_mean
from sgt_data.referring.segment_facts import SegmentFacts

Box = tuple[int, int, int, int]
Measure = Callable[[SegmentFacts], int]


def _right(box: Box) -> int:
    return box[0] + box[2]


def _bottom(box: Box) -> int:
    return box[1] + box[3]


def _twice_centre_x(box: Box) -> int:
    return box[0] + _right(box)


def _twice_centre_y(box: Box) -> int:
    return box[1] + _bottom(box)


_ALL = re.compile(r"(?:all (?:the |of the )?|every |everything that is (?:an? )?)(.+)")
_THE = re.compile(r"the (.+)")
_SUPERLATIVES: tuple[tuple[str, tuple[Measure, ...]], ...] = (
    (r"leftmost (.+)|(.+) farthest to the left", (
        lambda segment: segment.box[0], lambda segment: _twice_centre_x(segment.box))),
    (r"rightmost (.+)|(.+) farthest to the right", (
        lambda segment: -_right(segment.box), lambda segment: -_twice_centre_x(segment.box))),
    (r"topmost (.+)|(.+) nearest the top of the picture", (
        lambda segment: segment.box[1], lambda segment: _twice_centre_y(segment.box))),
    (r"bottommost (.+)|(.+) nearest the bottom of the picture", (
        lambda segment: -_bottom(segment.box), lambda segment: -_twice_centre_y(segment.box))),
    (r"largest (.+)|(.+) that takes up the most space", (
        lambda segment: -segment.area, lambda segment: -segment.box[2] * segment.box[3])),
    (r"smallest (.+)|(.+) that takes up the least space", (
        lambda segment: segment.area, lambda segment: segment.box[2] * segment.box[3])),
)  # fmt: skip
"""Words after "the", and the measures that are smallest for the segment that is meant."""


def referents(phrase: str, segments: Sequence[SegmentFacts]) -> frozenset[int]:
    """Ids of all segments that a phrase might mean; empty if the phrase cannot be understood.

    Args:
        phrase: for example "the leftmost dog".
        segments: every segment of the picture, the hidden ones too.
    """
    ids: set[int] = set()
    if match := _ALL.fullmatch(phrase):
        ids |= {segment.id for segment in _called(match[1], segments)}
    if match := _THE.fullmatch(phrase):
        ids |= _definite(_called(match[1], segments))
        for pattern, measures in _SUPERLATIVES:
            if superlative := re.fullmatch(pattern, match[1]):
                ids |= _extreme(_called(superlative[1] or superlative[2], segments), measures)
    return frozenset(ids)


def _called(noun: str, segments: Sequence[SegmentFacts]) -> list[SegmentFacts]:
    return [segment for segment in segments if might_mean(noun, segment.category, segment.isthing)]


def _definite(segments: Sequence[SegmentFacts]) -> set[int]:
    """Ids that "the" means: "the dog" is a single dog and no crowd, "the sky" is all the sky."""
    if len(segments) == 1 and segments[0].isthing and segments[0].iscrowd:
        return set()
    return {segment.id for segment in segments}


def _extreme(segments: Sequence[SegmentFacts], measures: Sequence[Measure]) -> set[int]:
    """Ids of the smallest segments by each measure; of all where some cannot be compared."""
    if any(segment.iscrowd or not segment.isthing or segment.area == 0 for segment in segments):
        return {segment.id for segment in segments}
    return {
        segment.id
        for measure in measures
        for segment in segments
        if measure(segment) == min(map(measure, segments))
    }
