"""Ray casting: which surface every pixel centre shows, how far away it is, and how it is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import Record, njit
from sgt_data.scenes.backdrop import meet_backdrop
from sgt_data.scenes.geometry import (
    Vec,
    inside,
    into_unit,
    normal_and_face,
)
from sgt_data.scenes.normals import backdrop_normal, seen_normal


@njit
def ray_through(world: Record, x: float, y: float) -> Vec:
    """World direction of the ray through the raster point (x, y), one metre deep along the axis."""
    a = (x - world.middle[0]) * world.pixel
    b = (world.middle[1] - y) * world.pixel
    return (
        world.forward[0] + a * world.right[0] + b * world.up[0],
        world.forward[1] + a * world.right[1] + b * world.up[1],
        world.forward[2] + a * world.right[2] + b * world.up[2],
    )


@njit
def meet_solid(solid: Record, world: Record, ray: Vec) -> float:
    """Depth in metres at which a camera ray enters a solid, or infinity."""
    o = into_unit(
        solid,
        -solid.centre[0],
        world.height - solid.centre[1],
        -solid.centre[2],
    )
    d = into_unit(solid, ray[0], ray[1], ray[2])
    first, last = inside(solid.kind, solid.shape[0], solid.shape[1], o, d)
    if first < last and first > 0.0:
        return first
    return np.inf


@njit
def surface_of(
    solid: Record, i: int, world: Record, ray: Vec, depth: float
) -> tuple[float, float, float, int]:
    """Unit world normal and surface code where a camera ray meets solid number `i` at `depth`."""
    x, y, z = into_unit(
        solid,
        depth * ray[0] - solid.centre[0],
        world.height + depth * ray[1] - solid.centre[1],
        depth * ray[2] - solid.centre[2],
    )
    p, q = solid.shape[0], solid.shape[1]
    u, v, w, face = normal_and_face(solid.kind, p, q, x, y, z)
    inverse = solid.inverse
    nx = inverse[0, 0] * u + inverse[1, 0] * v + inverse[2, 0] * w
    ny = inverse[0, 1] * u + inverse[1, 1] * v + inverse[2, 1] * w
    nz = inverse[0, 2] * u + inverse[1, 2] * v + inverse[2, 2] * w
    scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
    return nx * scale, ny * scale, nz * scale, 8 * (i + 1) + face


@njit
def cast_rays(
    world: Record,
    boxes: NDArray[np.int64],
    code: NDArray[np.int32],
    depth: NDArray[np.float32],
    normals: NDArray[np.float32],
) -> None:
    """Fill `code` (surface codes) and `depth` (metres along the viewing axis), both [H, W], and
    `normals` [H, W, 3]: unit vectors right, up, towards the viewer; NaN in the sky."""
    height, width = code.shape
    code[:] = -1
    depth[:] = np.inf
    for i in range(boxes.shape[0]):
        for y in range(boxes[i, 1], boxes[i, 3]):
            for x in range(boxes[i, 0], boxes[i, 2]):
                t = meet_solid(world.solids[i], world, ray_through(world, x + 0.5, y + 0.5))
                if t < depth[y, x]:
                    depth[y, x] = t
                    code[y, x] = i
    for y in range(height):
        for x in range(width):
            ray = ray_through(world, x + 0.5, y + 0.5)
            i = code[y, x]
            if i >= 0:
                nx, ny, nz, surface = surface_of(world.solids[i], i, world, ray, depth[y, x])
            else:
                surface, t = meet_backdrop(world, ray[0], ray[1], ray[2])
                depth[y, x] = t
                nx, ny, nz = backdrop_normal(world, surface, ray)
            code[y, x] = surface
            normal = seen_normal(world, (nx, ny, nz))
            for c in range(3):
                normals[y, x, c] = normal[c]
