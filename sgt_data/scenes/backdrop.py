"""The backdrop of a scene: ground, water, walls, hills and the sky, as a ray meets them."""

from __future__ import annotations

from typing import Final

import numpy as np

from sgt_data.compiled import Record, njit

SKY, GROUND, WATER, WALL, HILL = 0, 1, 2, 3, 5
"""Surface codes of the backdrop; the second wall is WALL + 1, the farther hills are HILL + 1.

Codes from 8 on are faces of solids: 8 * (solid + 1) + face.
"""
HILL_DISTANCE: Final = (180.0, 420.0)
"""Distance of each layer of hills, in metres."""


@njit
def meet_backdrop(world: Record, dx: float, dy: float, dz: float) -> tuple[int, float]:
    """Surface code and t where the ray camera + t * d meets the backdrop (infinite: the sky)."""
    code, t = SKY, np.inf
    if dy < 0.0:
        code, t = GROUND, -world.height / dy
    for i in range(world.wall_count):
        reach = world.walls[i, 2] / (world.walls[i, 0] * dx + world.walls[i, 1] * dz)
        low_enough = world.height + reach * dy < world.walls[i, 3]
        if 0.0 < reach < t and low_enough and _before_other_wall(world, i, reach * dx, reach * dz):
            code, t = WALL + i, reach
    if code >= WALL:
        return code, t
    if code == GROUND and t * dz > _shoreline(world, t * dx):
        code = WATER
    if world.hill_count > 0:
        return _before_hills(world, code, t, dx, dy, dz)
    return code, t


@njit
def _before_other_wall(world: Record, i: int, x: float, z: float) -> bool:
    if world.wall_count < 2:
        return True
    nx, nz, c = world.walls[1 - i, 0], world.walls[1 - i, 1], world.walls[1 - i, 2]
    return bool(nx * x + nz * z >= c)


@njit
def _shoreline(world: Record, x: float) -> float:
    swing, phase = world.shore[2], world.shore[3]
    if swing == 0.0:
        return np.inf
    wave = np.sin(1.3 * x + phase) + 0.4 * np.sin(3.7 * x + 2.0 * phase)
    return float(world.shore[0] + world.shore[1] * x + swing * wave)


@njit
def _before_hills(
    world: Record, code: int, t: float, dx: float, dy: float, dz: float
) -> tuple[int, float]:
    level = np.sqrt(dx * dx + dz * dz)
    if dy > 0.32 * level:
        return code, t
    if dy < 0.0:
        if t * level > HILL_DISTANCE[0]:
            return HILL, HILL_DISTANCE[0] / level
        return code, t
    azimuth = np.arctan2(dx, dz)
    for i in range(world.hill_count):
        rise = world.hills[i, 0]
        rise += world.hills[i, 1] * np.sin(2.3 * azimuth + world.hills[i, 2])
        rise += world.hills[i, 3] * np.sin(6.1 * azimuth + world.hills[i, 4])
        rise += world.hills[i, 5] * np.sin(17.0 * azimuth + world.hills[i, 6])
        if dy < rise * level:
            return HILL + i, HILL_DISTANCE[i] / level
    return code, t
