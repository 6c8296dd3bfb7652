"""Whether the things of a drawing are what a caption says (pure).

As in GenEval, what a caption does not name may be there too, and of several things of one kind the
most visible one stands for it: there the most certain, here the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import copysign, hypot

from sgt_data.experiment.measure.caption_lines import CaptionLine, NamedThing, Relation
from sgt_data.experiment.measure.seen_things import SeenThing

MARGIN = 0.1
"""Distance of two centres along an axis that counts as none, in units of the sum of the two extents
along it."""

_DIRECTIONS: Mapping[Relation, tuple[int, int]] = {
    "left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1),
}  # fmt: skip
"""By relation, its axis (0 is x, 1 is y, from the top) and its sense along it."""

CONE = 0.5
"""Cosine of the widest angle between the axis of a relation and the line through two centres."""


def shows(line: CaptionLine, seen: Sequence[SeenThing]) -> bool:
    """Whether a drawing shows what a caption says.

    `one object`, `two objects`: each category is there. `counting`: so many of it, no more and no
    fewer. `position`: both categories, and the largest of the first lies to the largest of the
    second as the caption says. `colour`: the largest of the category has the colour.

    Args:
        line: the caption, of one of these tasks.
        seen: the things of the drawing, the largest first.
    """
    if line.task == "counting":
        wanted = line.things[0]
        return sum(thing.category == wanted.category for thing in seen) == wanted.count
    largest = [_largest(named, seen) for named in line.things]
    if any(thing is None for thing in largest):
        return False
    first, last = largest[0], largest[-1]
    assert first is not None and last is not None
    if line.task == "position" and line.relation is not None:
        return holds(line.relation, first, last)
    if line.task == "colour":
        return first.colour == line.things[0].colour
    return True


def holds(relation: Relation, first: SeenThing, second: SeenThing) -> bool:
    """Whether a first thing lies to a second one as a relation says, by their centres.

    The margin and the angle are GenEval's.
    """
    gaps = [_gap(first, second, axis) for axis in (0, 1)]
    axis, sign = _DIRECTIONS[relation]
    return sign * gaps[axis] > CONE * hypot(*gaps)


def _gap(first: SeenThing, second: SeenThing, axis: int) -> float:
    """How far the first centre lies behind the second along an axis, beyond the margin."""
    gap = first.centre[axis] - second.centre[axis]
    beyond = abs(gap) - MARGIN * (first.extent[axis] + second.extent[axis])
    return copysign(max(beyond, 0.0), gap)


def _largest(named: NamedThing, seen: Sequence[SeenThing]) -> SeenThing | None:
    return next((thing for thing in seen if thing.category == named.category), None)
