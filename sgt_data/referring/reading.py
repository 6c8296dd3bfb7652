"""What a phrase means, found from its words and the segments alone: the check on `phrases`.

This knows nothing of how a phrase was made. Whatever a phrase could also mean counts as meant, so
an ambiguous one has more referents than were drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sgt_data.referring.nouns import might_mean
from sgt_data.referring.seen import Seen

Box = tuple[int, int, int, int]
Measure = Callable[[Seen], int]


def _right(box: Box) -> int:
    return box[0] + box[2]


def _bottom(box: Box) -> int:
    return box[1] + box[3]


def _across(box: Box) -> int:
    return box[0] + _right(box)


def _down(box: Box) -> int:
    return box[1] + _bottom(box)


_ALL = re.compile(r"(?:all (?:the |of the )?|every |everything that is (?:an? )?)(.+)")
_THE = re.compile(r"the (.+)")
_SMALLEST: tuple[tuple[str, tuple[Measure, ...]], ...] = (
    (r"leftmost (.+)|(.+) farthest to the left", (
        lambda one: one.box[0], lambda one: _across(one.box))),
    (r"rightmost (.+)|(.+) farthest to the right", (
        lambda one: -_right(one.box), lambda one: -_across(one.box))),
    (r"topmost (.+)|(.+) nearest the top of the picture", (
        lambda one: one.box[1], lambda one: _down(one.box))),
    (r"bottommost (.+)|(.+) nearest the bottom of the picture", (
        lambda one: -_bottom(one.box), lambda one: -_down(one.box))),
    (r"largest (.+)|(.+) that takes up the most space", (
        lambda one: -one.area, lambda one: -one.box[2] * one.box[3])),
    (r"smallest (.+)|(.+) that takes up the least space", (
        lambda one: one.area, lambda one: one.box[2] * one.box[3])),
)  # fmt: skip
"""What stands after "the", and the measures by which the meant one is least."""


def referents(phrase: str, segments: Sequence[Seen]) -> frozenset[int]:
    """Ids of all segments that a phrase might mean; empty if it can be read in no way.

    Args:
        phrase: for example "the leftmost dog".
        segments: every segment of the picture, the hidden ones too.
    """
    found: set[int] = set()
    if said := _ALL.fullmatch(phrase):
        found |= {one.id for one in _called(said[1], segments)}
    if said := _THE.fullmatch(phrase):
        found |= _definite(_called(said[1], segments))
        for pattern, measures in _SMALLEST:
            if chosen := re.fullmatch(pattern, said[1]):
                found |= _extreme(_called(chosen[1] or chosen[2], segments), measures)
    return frozenset(found)


def _called(noun: str, segments: Sequence[Seen]) -> list[Seen]:
    return [one for one in segments if might_mean(noun, one.category, one.isthing)]


def _definite(matching: Sequence[Seen]) -> set[int]:
    """ "The dog" is one dog and no crowd; "the sky" is all there is of it."""
    if len(matching) == 1 and matching[0].isthing and matching[0].iscrowd:
        return set()
    return {one.id for one in matching}


def _extreme(matching: Sequence[Seen], measures: Sequence[Measure]) -> set[int]:
    """The least by each measure; all of them where some cannot be compared."""
    if any(one.iscrowd or not one.isthing or one.area == 0 for one in matching):
        return {one.id for one in matching}
    return {
        one.id
        for measure in measures
        for one in matching
        if measure(one) == min(map(measure, matching))
    }
