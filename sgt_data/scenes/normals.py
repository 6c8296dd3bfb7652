"""Surface normals of a drawn scene, exact at pixel centres, and the camera that sees them."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from sgt_data.compiled import Record, njit
from sgt_data.pictures.normal_colours import OURS
from sgt_data.scenes.backdrop import HILL, SKY, WALL
from sgt_data.scenes.geometry import Vec


class Intrinsics(TypedDict):
    """A pinhole camera in pixels; the centre of the top left pixel is (0, 0)."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int


def intrinsics_of(focal: float, width: int, height: int) -> Intrinsics:
    """The intrinsics of a picture.

    Args:
        focal: focal length in units of the picture's shorter side.
        width, height: of the picture, in pixels.
    """
    pixels = focal * min(width, height)
    # rays go through (x + 0.5, y + 0.5) of a raster whose middle is (width / 2, height / 2)
    return {
        "fx": pixels, "fy": pixels, "cx": 0.5 * width - 0.5, "cy": 0.5 * height - 0.5,
        "width": width, "height": height,
    }  # fmt: skip


def normals_rule(width: int, height: int) -> dict[str, object]:
    """Content of `normals.json`, which explains the normal PNGs in its folder."""
    red, green, blue = OURS
    return {
        "encoding": "8-bit RGB PNG of unit surface normals in the camera's frame",
        "rule": "value = round((component + 1) / 2 * 255)",
        "red": red,
        "green": green,
        "blue": blue,
        "sky": [0, 0, 0],
        "width": width,
        "height": height,
    }


@njit
def backdrop_normal(world: Record, surface: int, ray: Vec) -> Vec:
    """Unit normal in the world's frame of ground, water, a wall or a hill; NaN for the sky."""
    if surface == SKY:
        return np.nan, np.nan, np.nan
    if surface >= HILL:  # a cylinder around the camera
        level = np.sqrt(ray[0] * ray[0] + ray[2] * ray[2])
        return -ray[0] / level, 0.0, -ray[2] / level
    if surface >= WALL:
        return world.walls[surface - WALL, 0], 0.0, world.walls[surface - WALL, 1]
    return 0.0, 1.0, 0.0


@njit
def seen_normal(world: Record, normal: Vec) -> Vec:
    """A vector of the world in the camera's frame: right, up, towards the viewer."""
    nx, ny, nz = normal
    right, up, forward = world.right, world.up, world.forward
    return (
        nx * right[0] + ny * right[1] + nz * right[2],
        nx * up[0] + ny * up[1] + nz * up[2],
        -(nx * forward[0] + ny * forward[1] + nz * forward[2]),
    )
