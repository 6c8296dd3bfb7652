"""A scene on a raster as one record: the input of compiled code."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.blueprints import BLUEPRINTS
from sgt_data.scenes.instances import SOLID, THING
from sgt_data.scenes.materials import COLUMNS
from sgt_data.scenes.scene_layout import MAX_THINGS, Layout

_TRIPLES: Final = (
    *("right", "up", "forward"),
    *("ground_light", "ground_dark", "water", "wall_light", "wall_dark", "hill_near", "hill_far"),
    *("zenith", "horizon", "cloud", "to_sun", "sun", "ambient"),
)
_NUMBERS: Final = ("ground_scale", "wall_scale", "cloud_cover", "haze")
_COUNTS: Final = ("ground", "wall_pattern")

MATERIAL: Final = np.dtype([("row", np.float64, (COLUMNS,))])
"""A material; see `materials.COLUMNS`."""
MAX_SOLIDS: Final = MAX_THINGS * max(len(blueprint.kind) for blueprint in BLUEPRINTS.values())

WORLD: Final = np.dtype(
    [
        *((name, np.float64, (3,)) for name in _TRIPLES),
        *((name, np.float64) for name in ("height", "pixel", *_NUMBERS)),
        *((name, np.int64) for name in ("wall_count", "hill_count", *_COUNTS)),
        *((name, np.float64, (2,)) for name in ("middle", "ground_turn", "cloud_offset")),
        ("shore", np.float64, (4,)),
        ("walls", np.float64, (2, 4)),
        ("hills", np.float64, (2, 7)),
        *((name, np.int64) for name in ("thing_count", "solid_count")),
        ("things", THING, (MAX_THINGS,)),
        ("solids", SOLID, (MAX_SOLIDS,)),
        ("materials", MATERIAL, (3 * MAX_THINGS,)),
    ]
)
"""The fields of `Camera` and `Setting`, the things, solids and materials. `pixel` is the side of a
pixel at a depth of one metre, in metres; `middle` is the principal point in pixels."""


def world_of(
    layout: Layout,
    solids: NDArray[np.void],
    things: NDArray[np.void],
    width: int,
    height: int,
) -> NDArray[np.void]:
    """The record of a layout on a raster: [1] WORLD.

    A longer side shows more of the scene; nothing is stretched.
    """
    world = np.zeros(1, WORLD)
    row = world[0]
    camera, setting = layout.camera, layout.setting
    fields = {**camera._asdict(), **setting._asdict()}
    for name in (*_TRIPLES, *_NUMBERS, *_COUNTS, "height", "ground_turn", "cloud_offset", "shore"):
        row[name] = fields[name]
    row["pixel"] = 1.0 / (camera.focal * min(width, height))
    row["middle"] = 0.5 * width, 0.5 * height
    row["wall_count"], row["hill_count"] = len(setting.walls), len(setting.hills)
    row["walls"][: len(setting.walls)] = setting.walls
    row["hills"][: len(setting.hills)] = setting.hills
    row["thing_count"], row["solid_count"] = len(things), len(solids)
    row["things"][: len(things)] = things
    row["solids"][: len(solids)] = solids
    row["materials"]["row"][: len(layout.materials)] = layout.materials
    return world
