"""Captions of a scene that are certain to be true of its picture.

The tasks are those of GenEval (D. Ghosh et al., 2023): one object, two objects, counting, position
and colour; and two that name all things: `scene` with their colours, `things` without. A kind of
thing is named only where all its things are large enough to see and no other kind in the picture
could be meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

from sgt_data.scenes.caption_wording import (
    CaptionTask,
    Relation,
    counted_things,
    listed,
    sentence,
    with_article,
)
from sgt_data.scenes.dice import Dice

LEAST_AREA: Final = 0.005
"""Smallest thing of a kind that is named, as a share of the picture: what questions ask about."""
LEAST_GAP: Final = 0.15
"""Smallest distance of the centres of two things of which one is said to be left of, right of,
above or below the other, as a share of the picture's side; it is the larger of both distances."""
COUNT_MAX: Final = 4
"""The largest number that a caption of `counting` states."""

_COUNTS_STATED: Final = 2
"""So many captions of `counting` of a picture, of the largest groups."""
_CONFUSED: Final = (frozenset({"house", "cottage"}),)
"""Kinds of things that people take for each other: where both are, neither is named."""


@dataclass(frozen=True, slots=True)
class VisibleThing:
    """What a picture shows of a thing.

    Attributes:
        name: of its kind.
        colour: name of its one colour; None for a thing of several.
        area: share of the picture, 0 to 1.
        box: left, top, right and bottom of its visible pixels, as shares of the picture's sides.
        in_crowd: whether annotations give it no outline of its own.
    """

    name: str
    colour: str | None
    area: float
    box: tuple[float, float, float, float]
    in_crowd: bool = False


@dataclass(frozen=True, slots=True)
class NamedThings:
    """Things that a caption names.

    Attributes:
        category: name of their kind.
        count: how many the picture shows, no more and no fewer; None where at least one.
        color: name of their colour; None where the caption names none.
    """

    category: str
    count: int | None = None
    color: str | None = None

    def row(self) -> dict[str, Any]:
        """The things as JSON."""
        return {"category": self.category, "count": self.count, "color": self.color}


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption.

    Attributes:
        text: the caption.
        task: what it is about.
        things: what it names, in its order.
        relation: of the first thing to the second; None outside of `position`.
    """

    text: str
    task: CaptionTask
    things: tuple[NamedThings, ...]
    relation: Relation | None = None

    def row(self) -> dict[str, Any]:
        """The caption's fields beside COCO's `id` and `image_id`."""
        return {
            "caption": self.text,
            "task": self.task,
            "things": [things.row() for things in self.things],
            "relation": self.relation,
        }


def captions_of(things: Sequence[VisibleThing], dice: Dice) -> list[Caption]:
    """Captions of a picture that shows these things and no others; one of a task, two of counting.

    Args:
        things: all that the picture shows.
        dice: chooses what is named, and the words.
    """
    groups: dict[str, list[VisibleThing]] = {}
    for thing in things:
        groups.setdefault(thing.name, []).append(thing)
    certain = {name: group for name, group in groups.items() if _is_certain(group, groups)}
    counted = {
        name: group for name, group in certain.items() if not any(thing.in_crowd for thing in group)
    }
    all_named = bool(counted) and len(counted) == len(groups)
    captions = [_scene(counted, dice)] if all_named else []
    names = dice.shuffle(sorted(certain))
    if names:
        text = sentence(dice, "one object", with_article(names[0]))
        captions.append(Caption(text, "one object", (NamedThings(names[0]),)))
    if len(names) > 1:
        text = sentence(dice, "two objects", *map(with_article, names[-2:]))
        captions.append(Caption(text, "two objects", tuple(map(NamedThings, names[-2:]))))
    return [
        *captions,
        *_counting(counted, dice),
        *_position(counted, dice),
        *_colour(counted, dice),
        *([_things(counted, dice)] if all_named else []),
    ]


def _is_certain(group: Sequence[VisibleThing], groups: dict[str, list[VisibleThing]]) -> bool:
    name = group[0].name
    confused = any(name in names and names <= groups.keys() for names in _CONFUSED)
    return not confused and min(thing.area for thing in group) >= LEAST_AREA


def _scene(counted: dict[str, list[VisibleThing]], dice: Dice) -> Caption:
    numbers = Counter((thing.name, thing.colour) for group in counted.values() for thing in group)
    named = dice.shuffle(sorted(numbers, key=str))
    things = tuple(NamedThings(name, numbers[name, colour], colour) for name, colour in named)
    text = sentence(dice, "scene", listed([_with_number(group) for group in things]))
    return Caption(text, "scene", things)


def _things(counted: dict[str, list[VisibleThing]], dice: Dice) -> Caption:
    things = tuple(NamedThings(name, len(counted[name])) for name in dice.shuffle(sorted(counted)))
    text = sentence(dice, "things", listed([_with_number(group) for group in things]))
    return Caption(text, "things", things)


def _with_number(things: NamedThings) -> str:
    if things.count == 1:
        return with_article(
            f"{things.color} {things.category}" if things.color else things.category
        )
    assert things.count is not None
    return counted_things(things.count, things.category, things.color)


def _counting(counted: dict[str, list[VisibleThing]], dice: Dice) -> list[Caption]:
    """Of the largest groups: most kinds have one thing alone."""
    names = [name for name in sorted(counted) if len(counted[name]) <= COUNT_MAX]
    chosen = sorted(dice.shuffle(names), key=lambda name: -len(counted[name]))[:_COUNTS_STATED]
    captions = []
    for name in chosen:
        count = len(counted[name])
        text = sentence(dice, "counting", counted_things(count, name))
        captions.append(Caption(text, "counting", (NamedThings(name, count),)))
    return captions


def _position(counted: dict[str, list[VisibleThing]], dice: Dice) -> list[Caption]:
    """Of two things that are the only ones of their kinds."""
    single = [group[0] for _, group in sorted(counted.items()) if len(group) == 1]
    for first, second in dice.shuffle(list(permutations(single, 2))):
        relation = relation_of(first, second)
        if relation is not None:
            names = first.name, second.name
            text = sentence(dice, "position", *map(with_article, names), relation=relation)
            return [Caption(text, "position", tuple(map(NamedThings, names)), relation)]
    return []


def relation_of(first: VisibleThing, second: VisibleThing) -> Relation | None:
    """Where the first thing is, seen from the second one; None where that is not clear."""
    gaps = [
        (first.box[axis] + first.box[axis + 2] - second.box[axis] - second.box[axis + 2]) / 2
        for axis in (0, 1)
    ]
    axis = 0 if abs(gaps[0]) >= abs(gaps[1]) else 1
    before, after = (first, second) if gaps[axis] < 0 else (second, first)
    if abs(gaps[axis]) < LEAST_GAP or not _comes_first(before, after, axis):
        return None
    if axis == 0:
        return "left of" if gaps[0] < 0 else "right of"
    return "above" if gaps[1] < 0 else "below"


def _comes_first(before: VisibleThing, after: VisibleThing, axis: int) -> bool:
    """Whether a thing begins and ends before the other one does."""
    return before.box[axis] < after.box[axis] and before.box[axis + 2] < after.box[axis + 2]


def _colour(counted: dict[str, list[VisibleThing]], dice: Dice) -> list[Caption]:
    """Of a kind whose things all have one colour."""
    for name in dice.shuffle(sorted(counted)):
        colours = {thing.colour for thing in counted[name]}
        colour = colours.pop()
        if not colours and colour is not None:
            text = sentence(dice, "colour", with_article(f"{colour} {name}"))
            return [Caption(text, "colour", (NamedThings(name, None, colour),))]
    return []
