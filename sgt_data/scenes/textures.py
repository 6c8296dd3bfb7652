"""Procedural colours of things and walls (linear RGB).

Every pattern fades to its mean where it becomes finer than a pixel. `footprint` is the length in
metres of the surface that a pixel covers.
"""

from __future__ import annotations

import numpy as np

from sgt_data.compiled import Record, njit
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.materials import (
    BANDS,
    CHECKER,
    MARBLE,
    PLAIN,
    SPECKLE,
    SPOTS,
)
from sgt_data.scenes.setting import BRICK, PLASTER
from sgt_data.scenes.texture_noise import sample_noise


@njit
def triple(field: Record) -> Vec:
    """The three numbers of a field of a record."""
    return field[0], field[1], field[2]


@njit
def mix(a: Vec, b: Vec, share: float) -> Vec:
    """Linear mixture of two colours: `a` where `share` is 0, `b` where it is 1."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


@njit
def clamp(value: float) -> float:
    """`value` clipped to 0 to 1."""
    return min(max(value, 0.0), 1.0)


@njit
def smooth(value: float) -> float:
    """`value` clipped to 0 to 1, with soft ends (3 v^2 - 2 v^3)."""
    v = min(max(value, 0.0), 1.0)
    return v * v * (3.0 - 2.0 * v)


@njit
def chance(i: int, j: int, k: int) -> float:
    """A pseudo-random number from 0 to 1 for a cell of an integer grid."""
    h = (i * 73856093) ^ (j * 19349663) ^ (k * 83492791)
    h = (h ^ (h >> 13)) * 1274126177
    h = h ^ (h >> 16)
    return float(h & 0xFFFF) / 65536.0


@njit
def _grain(noise: Record, x: float, y: float, z: float, footprint: float) -> float:
    a = sample_noise(noise, x + 0.37 * z, y + 0.21 * x, footprint)
    return a + sample_noise(noise, z - 0.61 * y + 41.0, x + 0.55 * y + 17.0, footprint)


@njit
def material_colour(
    material: Record,
    noise: Record,
    point: Vec,
    footprint: float,
) -> Vec:
    """Colour of a material (a MATERIAL record) at a point in the frame of its thing, in metres."""
    x, y, z = point[0] + material.row[10], point[1] + material.row[11], point[2] + material.row[12]
    first = (material.row[0], material.row[1], material.row[2])
    pattern = int(material.row[6])
    repeats = material.row[7]
    grain = sample_noise(noise, 34.0 * (x + 0.4 * z), 34.0 * (y + 0.4 * z), 34.0 * footprint)
    tone = 1.0 + 0.055 * grain
    if pattern == PLAIN:
        return first[0] * tone, first[1] * tone, first[2] * tone
    share = 0.0
    fineness = repeats * footprint
    if pattern == BANDS:
        wave = np.sin(
            6.2831853
            * repeats
            * (x * material.row[13] + y * material.row[14] + z * material.row[15])
        )
        share = clamp(0.5 + 0.5 * wave / (0.06 + 4.0 * fineness))
    elif pattern == CHECKER:
        k = 3.1415927 * repeats
        steep = 1.0 / (0.03 + 3.0 * fineness)
        columns = max(-1.0, min(1.0, steep * np.sin(k * x)))
        rows = max(-1.0, min(1.0, steep * np.sin(k * y)))
        layers = max(-1.0, min(1.0, steep * np.sin(k * z)))
        share = 0.5 + 0.5 * columns * rows * layers
    elif pattern == SPOTS:
        share = _spots(repeats * x, repeats * y, repeats * z, fineness)
    elif pattern == MARBLE:
        bend = _grain(noise, 14.0 * x, 14.0 * y, 14.0 * z, 14.0 * footprint)
        wave = 0.5 + 0.5 * np.sin(
            6.2831853
            * repeats
            * (x * material.row[13] + y * material.row[14] + z * material.row[15])
            + 1.7 * bend
        )
        share = wave * wave
    elif pattern == SPECKLE:
        specks = _grain(
            noise, 22.0 * x * repeats, 22.0 * y * repeats, 22.0 * z * repeats, 22.0 * fineness
        )
        share = smooth(0.5 + 1.1 * (specks - 0.35))
    colour = mix(first, (material.row[3], material.row[4], material.row[5]), share)
    return colour[0] * tone, colour[1] * tone, colour[2] * tone


@njit
def _spots(x: float, y: float, z: float, fineness: float) -> float:
    i, j, k = np.floor(x), np.floor(y), np.floor(z)
    cell_i, cell_j, cell_k = int(i), int(j), int(k)
    u = x - i - 0.5 - 0.24 * (chance(cell_i, cell_j, cell_k) - 0.5)
    v = y - j - 0.5 - 0.24 * (chance(cell_j, cell_k, cell_i) - 0.5)
    w = z - k - 0.5 - 0.24 * (chance(cell_k, cell_i, cell_j) - 0.5)
    edge = 0.05 + fineness
    return clamp((0.36 - np.sqrt(u * u + v * v + w * w)) / edge + 0.5)


@njit
def wall_colour(world: Record, noise: Record, along: float, y: float, footprint: float) -> Vec:
    """Colour of a wall `along` metres from its middle, `y` metres above the ground."""
    light, dark = triple(world.wall_light), triple(world.wall_dark)
    scale = world.wall_scale
    tone = 1.0 + 0.05 * sample_noise(noise, 9.0 * along, 9.0 * y, 9.0 * footprint)
    tone += 0.035 * sample_noise(noise, 61.0 * along, 61.0 * y, 61.0 * footprint)
    if world.wall_pattern == PLASTER:
        share = smooth((0.32 * scale - y) / max(0.02, footprint) + 0.5)
        colour = mix(light, dark, share)
    elif world.wall_pattern == BRICK:
        colour = _bricks(
            light, dark, along / (0.42 * scale), y / (0.16 * scale), footprint / (0.16 * scale)
        )
    else:
        wave = np.sin(6.2831853 * along / (0.55 * scale))
        share = clamp(0.5 + 0.5 * wave / (0.05 + 9.0 * footprint / scale))
        colour = mix(light, dark, share)
    return colour[0] * tone, colour[1] * tone, colour[2] * tone


@njit
def _bricks(light: Vec, dark: Vec, u: float, v: float, footprint: float) -> Vec:
    row = np.floor(v)
    u += 0.5 * (row - 2.0 * np.floor(0.5 * row))
    column = np.floor(u)
    edge = min(min(u - column, column + 1.0 - u) * 2.6, min(v - row, row + 1.0 - v))
    faint = clamp(1.0 - 1.2 * footprint)
    joint = (1.0 - smooth((edge - 0.05) / (0.06 + footprint))) * faint
    tone = 1.0 + 0.28 * (chance(int(column), int(row), 7) - 0.5) * faint
    brick = mix(dark, light, 0.15 * tone)
    return mix(
        (brick[0] * tone, brick[1] * tone, brick[2] * tone),
        light,
        0.8 * joint + 0.18 * (1.0 - faint),
    )
