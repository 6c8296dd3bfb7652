"""A thing in its place, and whether it stands free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sgt_data.scenes.dice import Dice
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.setting import Setting


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing and its place.

    Attributes:
        kind: name of the kind of thing (see `categories.THINGS`).
        x, z: where it stands on the ground, metres.
        size: extents along its own axes, metres.
        yaw: turn about the vertical axis, radians.
        colour: name of its colour (see `colours.NAMED_COLOURS`); None for a thing of several.
    """

    kind: str
    x: float
    z: float
    size: Vec
    yaw: float
    colour: str | None = None

    def corners(self) -> list[Vec]:
        """The corners of the upright box that the thing fills, in world coordinates, metres."""
        width, height, length = self.size
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        return [
            (self.x + cos * a + sin * b, y, self.z - sin * a + cos * b)
            for a in (-0.5 * width, 0.5 * width)
            for b in (-0.5 * length, 0.5 * length)
            for y in (0.0, height)
        ]


def choose_size(dice: Dice, side: float) -> Vec:
    """Extents of a thing whose sides are about `side`, metres."""
    return (
        side * dice.within(0.9, 1.1),
        side * dice.within(0.9, 1.2),
        side * dice.within(0.9, 1.1),
    )


def choose_yaw(dice: Dice, most: float = 65.0) -> float:
    """A turn of a thing that faces the camera, to either side, radians; `most` is in degrees."""
    return math.pi + math.radians(dice.within(-most, most))


def stands_free(thing: Placed, others: Sequence[Placed], setting: Setting) -> bool:
    """Whether a thing touches no other one, no water and no wall."""
    radius = 0.58 * max(thing.size[0], thing.size[2])
    for other in others:
        gap = math.hypot(thing.x - other.x, thing.z - other.z)
        if gap < 0.9 * (radius + 0.58 * max(other.size[0], other.size[2])):
            return False
    start, slope, swing, _ = setting.shore
    if thing.z + radius > start + slope * thing.x - 1.5 * swing:
        return False
    for nx, nz, c, _ in setting.walls.tolist():
        if nx * thing.x + nz * thing.z - c < radius + 0.05:
            return False
    return True
