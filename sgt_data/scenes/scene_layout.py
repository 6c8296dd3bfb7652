"""Layout of a scene: what stands where, a pure function of seed and index.

A layout knows no picture size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.dice import Dice
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.materials import choose_materials
from sgt_data.scenes.setting import Setting, choose_setting
from sgt_data.scenes.staging import (
    STAGINGS,
    Scenes,
    Span,
    Staging,
)
from sgt_data.seeds import generator

MAX_THINGS: Final = 8


class Camera(NamedTuple):
    """A pinhole camera at (0, height, 0) in world coordinates (x right, y up, z away; metres).

    Attributes:
        height: of the pinhole above the ground, metres.
        right, up, forward: unit axes of the camera in world coordinates.
        focal: focal length in units of the picture's shorter side.
    """

    height: float
    right: Vec
    up: Vec
    forward: Vec
    focal: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing and its place.

    Attributes:
        kind: name of the kind of thing (see `categories.THINGS`).
        x, z: where it stands on the ground, metres.
        size: extents along its own axes, metres.
        yaw: turn about the vertical axis, radians.
    """

    kind: str
    x: float
    z: float
    size: Vec
    yaw: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A scene before it is drawn.

    Attributes:
        camera: the camera.
        setting: ground, walls, water, hills, sky and light.
        things: the things with their places.
        materials: [3 per thing, 16] float64; see `materials.COLUMNS`.
    """

    camera: Camera
    setting: Setting
    things: tuple[Placed, ...]
    materials: NDArray[np.float64]


def plan_layout(seed: int, index: int, scenes: Scenes = "varied") -> Layout:
    """Layout of scene number `index` of the stream `seed`, for scenes of the kind `scenes`."""
    staging = STAGINGS[scenes]
    rng = generator(seed, "synthetic scene", str(index))
    materials = choose_materials(rng, MAX_THINGS, staging.patterned)
    dice = Dice(rng)
    half_angle = math.radians(dice.within(*staging.half_angle))
    reach = dice.within(*staging.reach)
    distance = reach / math.tan(half_angle)
    camera = _aim(dice, staging.tilt, half_angle, distance)
    setting = choose_setting(dice, distance)
    things = _place(dice, staging, reach, distance, setting)
    return Layout(camera, setting, things, materials[: 3 * len(things)])


def _aim(dice: Dice, tilts: Span, half_angle: float, distance: float) -> Camera:
    tilt = math.radians(dice.within(*tilts))
    roll = math.radians(dice.within(-2.5, 2.5))
    height = 0.35 + distance * math.tan(tilt)
    sin_t, cos_t, sin_r, cos_r = math.sin(tilt), math.cos(tilt), math.sin(roll), math.cos(roll)
    level_up = (0.0, cos_t, sin_t)
    return Camera(
        height=height,
        right=(cos_r, sin_r * level_up[1], sin_r * level_up[2]),
        up=(-sin_r, cos_r * level_up[1], cos_r * level_up[2]),
        forward=(0.0, -sin_t, cos_t),
        focal=0.5 / math.tan(half_angle),
    )


def _place(
    dice: Dice, staging: Staging, reach: float, distance: float, setting: Setting
) -> tuple[Placed, ...]:
    fewest, most = staging.things
    count = fewest + dice.below(most - fewest + 1)
    things: list[Placed] = []
    while len(things) < count:
        kind = dice.choice(staging.kinds)
        if things and dice.chance() < staging.same_kind:
            kind = things[-1].kind
        aside = staging.aside[0 if len(things) < 2 else 1]
        for _ in range(staging.tries):
            thing = _candidate(dice, kind, staging, aside, reach, distance)
            if _stands_free(thing, things, setting) and _apart(thing, things, staging.apart):
                things.append(thing)
                break
        else:
            count = max(staging.crowding, count - 1)
    return tuple(things)


def _candidate(
    dice: Dice, kind: str, staging: Staging, aside: float, reach: float, distance: float
) -> Placed:
    z = distance * (staging.nearest + staging.deep * dice.chance() ** staging.forward)
    side = dice.within(*staging.side)
    return Placed(
        kind=kind,
        x=dice.within(-aside, aside) * reach * z / distance,
        z=z,
        size=(
            side * dice.within(0.9, 1.1),
            side * dice.within(0.9, 1.2),
            side * dice.within(0.9, 1.1),
        ),
        yaw=math.pi + math.radians(dice.within(-65.0, 65.0)),
    )


def _stands_free(thing: Placed, others: list[Placed], setting: Setting) -> bool:
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


def _apart(thing: Placed, others: list[Placed], least: float) -> bool:
    """Whether a thing's middle is clear of the others' as seen from the camera."""
    return all(
        abs(thing.x / thing.z - other.x / other.z)
        >= least * (thing.size[0] / thing.z + other.size[0] / other.z)
        for other in others
    )
