"""Procedural colours of the ground, the water, the hills and the sky (linear RGB)."""

from __future__ import annotations

import numpy as np

from sgt_data.compiled import Record, njit
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.setting import GRASS, SAND
from sgt_data.scenes.texture_noise import sample_noise
from sgt_data.scenes.textures import (
    chance,
    clamp,
    mix,
    smooth,
    triple,
)


@njit
def ground_colour(world: Record, noise: Record, x: float, z: float, footprint: float) -> Vec:
    """Colour of the ground at (x, z) metres; a pixel covers `footprint` metres of it."""
    cos, sin = world.ground_turn[0], world.ground_turn[1]
    scale = world.ground_scale
    u, v = (cos * x - sin * z) / scale, (sin * x + cos * z) / scale
    size = footprint / scale
    broad = sample_noise(noise, 5.0 * u, 5.0 * v, 5.0 * size)
    fine = sample_noise(noise, 47.0 * u + 13.0, 47.0 * v + 29.0, 47.0 * size)
    if world.ground == GRASS:
        blades = sample_noise(noise, 150.0 * x, 55.0 * z, 90.0 * footprint)
        share = clamp(0.45 + 0.2 * broad + 0.13 * fine + 0.15 * blades)
        return mix(triple(world.ground_light), triple(world.ground_dark), share)
    if world.ground == SAND:
        ripple = np.sin(26.0 * v + 1.8 * broad + 0.5 * fine) * clamp(1.0 - 7.0 * size)
        share = clamp(0.32 + 0.12 * broad + 0.09 * fine + 0.13 * ripple)
        return mix(triple(world.ground_light), triple(world.ground_dark), share)
    return _paving(world, u / 0.75, v / 0.75, size / 0.75, broad, fine)


@njit
def _paving(world: Record, u: float, v: float, size: float, broad: float, fine: float) -> Vec:
    row = np.floor(v)
    u += 0.5 * (row - 2.0 * np.floor(0.5 * row))
    column = np.floor(u)
    edge = min(min(u - column, column + 1.0 - u), min(v - row, row + 1.0 - v))
    faint = clamp(1.0 - 1.4 * size)
    joint = (1.0 - smooth((edge - 0.012) / (0.03 + size))) * faint
    tone = (chance(int(column), int(row), 3) - 0.5) * faint
    share = clamp(0.35 + 0.55 * tone + 0.07 * broad + 0.08 * fine)
    slab = mix(triple(world.ground_light), triple(world.ground_dark), share)
    dark = triple(world.ground_dark)
    return mix(
        slab, (0.45 * dark[0], 0.45 * dark[1], 0.45 * dark[2]), 0.8 * joint + 0.06 * (1.0 - faint)
    )


@njit
def sky_colour(world: Record, noise: Record, dx: float, dy: float, dz: float, pixel: float) -> Vec:
    """Colour of the sky along the unit direction d; `pixel` is the angle of a pixel (radians)."""
    rise = max(dy, 0.0)
    colour = mix(
        triple(world.horizon),
        triple(world.zenith),
        1.0 - 1.0 / (1.0 + 5.0 * rise + 12.0 * rise * rise),
    )
    sun = world.to_sun
    glow = max(0.0, dx * sun[0] + dy * sun[1] + dz * sun[2])
    wide = glow * glow * glow * glow
    narrow = wide * wide * wide * wide
    halo = 0.10 * wide + 0.25 * narrow * narrow
    if rise > 0.008:
        reach = 9.0 / (rise + 0.10)
        u = dx * reach + world.cloud_offset[0]
        v = dz * reach * 1.25 + world.cloud_offset[1]
        size = pixel * reach * (1.0 + 0.35 / (rise + 0.05))
        puff = sample_noise(noise, u, v, size) + 0.45 * sample_noise(
            noise, 2.7 * v, 2.7 * u, 2.7 * size
        )
        body = smooth(0.75 * (puff - 0.35 + world.cloud_cover)) * smooth(6.0 * rise)
        shade = 0.80 + 0.16 * clamp(0.8 - 0.45 * puff)
        cloud = triple(world.cloud)
        colour = mix(colour, (shade * cloud[0], shade * cloud[1], shade * cloud[2]), 0.85 * body)
    return (
        colour[0] + halo * world.sun[0],
        colour[1] + halo * world.sun[1],
        colour[2] + halo * world.sun[2],
    )


@njit
def water_colour(
    world: Record,
    noise: Record,
    x: float,
    z: float,
    footprint: float,
    ray: Vec,
) -> Vec:
    """Colour of the water at (x, z) metres, seen along the unit direction `ray`."""
    calm = 1.0 / (1.0 + 3.0 * footprint)
    tilt_x = sample_noise(noise, 9.0 * x, 22.0 * z, 14.0 * footprint)
    tilt_z = sample_noise(noise, 9.0 * x + 51.0, 22.0 * z + 87.0, 14.0 * footprint)
    nx, nz = 0.035 * calm * tilt_x, 0.07 * calm * tilt_z
    down = -(ray[0] * nx + ray[1] + ray[2] * nz)
    bounce_x, bounce_y = ray[0] + 2.0 * down * nx, ray[1] + 2.0 * down
    bounce_z = ray[2] + 2.0 * down * nz
    length = np.sqrt(bounce_x * bounce_x + bounce_y * bounce_y + bounce_z * bounce_z)
    bounce_x, bounce_y, bounce_z = bounce_x / length, abs(bounce_y) / length, bounce_z / length
    sky = sky_colour(world, noise, bounce_x, bounce_y, bounce_z, 0.06)
    grazing = 1.0 - clamp(down)
    mirror = 0.06 + 0.94 * grazing * grazing * grazing * grazing
    colour = mix(triple(world.water), sky, min(mirror, 0.92))
    sun = world.to_sun
    shine = max(0.0, bounce_x * sun[0] + bounce_y * sun[1] + bounce_z * sun[2]) ** 60
    return (
        colour[0] + 0.5 * shine * world.sun[0],
        colour[1] + 0.5 * shine * world.sun[1],
        colour[2] + 0.5 * shine * world.sun[2],
    )
