"""Things spread over the picture, as in simple scenes: whole, beside each other, some of one kind.

Places are drawn in the picture, not on the ground: things are above and below each other as often
as they are left and right of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sgt_data.scenes.camera import Camera
from sgt_data.scenes.colours import NAMED_COLOURS
from sgt_data.scenes.dice import Dice
from sgt_data.scenes.placed import Placed, choose_size, choose_yaw, stands_free
from sgt_data.scenes.setting import Setting
from sgt_data.scenes.staging import SpreadOut, Staging

_ROUNDS = 20
"""How often all things are placed anew before the scene gets one thing less."""

_MOST_YAW = 50.0
"""Degrees; a ring that is turned farther looks like a bar."""

_MOST_ASIDE = 0.9
"""How far from the picture's middle the middle of a thing is at most, in halves of its side."""

_Box = tuple[float, float, float, float]
"""Left, bottom, right and top of a thing in the picture, in halves of its shorter side."""


class _Planned(NamedTuple):
    kind: str
    colour: str


def spread_things(
    dice: Dice, staging: Staging, places: SpreadOut, setting: Setting, camera: Camera
) -> tuple[Placed, ...]:
    """Things that the whole picture shows, none before another.

    Args:
        dice: source of randomness.
        staging: kinds and sizes of the things.
        places: how many there are, how they are grouped, and where.
        setting: where water and walls are.
        camera: which sees them.
    """
    planned = _choose_things(dice, staging, places)
    while True:
        for _ in range(_ROUNDS):
            things = _place(dice, planned, staging, places, setting, camera)
            if things is not None:
                return things
        planned = planned[:-1]


def _choose_things(dice: Dice, staging: Staging, places: SpreadOut) -> list[_Planned]:
    """Kinds and colours: perhaps a group of one kind, perhaps a pair, then kinds that are new."""
    fewest, most = places.things
    count = fewest + dice.below(most - fewest + 1)
    kinds = dice.shuffle(staging.kinds)
    groups: list[int] = []
    if dice.chance() < places.repeated or count > len(kinds):
        smallest, largest = places.group
        groups.append(max(smallest, min(count, largest) - dice.below(2)))
        if count - groups[0] >= 2 and dice.chance() < places.second_group:
            groups.append(2)
    groups += [1] * (count - sum(groups))
    planned: list[_Planned] = []
    for kind, size in zip(kinds, groups, strict=False):
        colour = dice.choice(tuple(NAMED_COLOURS))
        alike = dice.chance() < places.one_colour
        for _ in range(size):
            planned.append(_Planned(kind, colour))
            if not alike:
                colour = dice.choice(tuple(NAMED_COLOURS))
    return dice.shuffle(planned)


def _place(
    dice: Dice,
    planned: Sequence[_Planned],
    staging: Staging,
    places: SpreadOut,
    setting: Setting,
    camera: Camera,
) -> tuple[Placed, ...] | None:
    """A place for each thing; None where one found none."""
    things: list[Placed] = []
    boxes: list[_Box] = []
    for kind, colour in planned:
        for _ in range(places.tries):
            u, v = dice.within(-_MOST_ASIDE, _MOST_ASIDE), dice.within(-_MOST_ASIDE, _MOST_ASIDE)
            if any(box[0] < u < box[2] and box[1] < v < box[3] for box in boxes):
                continue
            size = choose_size(dice, dice.within(*staging.side))
            x, z = camera.meet_level(u, v, 0.5 * size[1])
            thing = Placed(kind, x, z, size, choose_yaw(dice, _MOST_YAW), colour)
            box = _box(thing, camera)
            if (
                max(map(abs, box)) <= places.inside
                and _stands_apart(kind, box, things, boxes, places)
                and stands_free(thing, things, setting)
            ):
                things.append(thing)
                boxes.append(box)
                break
        else:
            return None
    return tuple(things)


def _box(thing: Placed, camera: Camera) -> _Box:
    across, upward = zip(*(camera.see(corner) for corner in thing.corners()), strict=True)
    return min(across), min(upward), max(across), max(upward)


def _stands_apart(
    kind: str, box: _Box, things: Sequence[Placed], boxes: Sequence[_Box], places: SpreadOut
) -> bool:
    return all(
        _gap(box, other) >= (places.gap_alike if thing.kind == kind else places.gap)
        for thing, other in zip(things, boxes, strict=True)
    )


def _gap(box: _Box, other: _Box) -> float:
    """The larger one of the distances of two boxes across and upwards; negative if they overlap."""
    return max(box[0] - other[2], other[0] - box[2], box[1] - other[3], other[1] - box[3])
