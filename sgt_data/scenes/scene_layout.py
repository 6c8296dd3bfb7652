"""Layout of a scene: what stands where, a pure function of seed and index.

A layout knows no picture size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.camera import Camera, aim_camera
from sgt_data.scenes.dice import Dice
from sgt_data.scenes.materials import choose_materials, named_materials
from sgt_data.scenes.placed import Placed
from sgt_data.scenes.scattered import scatter_things
from sgt_data.scenes.setting import Setting, choose_setting
from sgt_data.scenes.spread_out import spread_things
from sgt_data.scenes.staging import STAGINGS, Scattered, Scenes
from sgt_data.seeds import generator

MAX_THINGS: Final = 8


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
    materials = choose_materials(rng, MAX_THINGS)
    dice = Dice(rng)
    half_angle = math.radians(dice.within(*staging.half_angle))
    reach = dice.within(*staging.reach)
    distance = reach / math.tan(half_angle)
    camera = aim_camera(dice, staging.tilt, half_angle, distance)
    setting = choose_setting(dice, staging.backdrop * distance, staging.named_colours)
    if isinstance(staging.places, Scattered):
        view = reach, distance
        things = scatter_things(dice, staging, staging.places, setting, view)
    else:
        things = spread_things(dice, staging, staging.places, setting, camera)
    materials = materials[: 3 * len(things)]
    if staging.named_colours:
        materials = named_materials(materials, [thing.colour for thing in things])
    return Layout(camera, setting, things, materials)
