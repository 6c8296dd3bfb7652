"""Shadows and ambient light: whether a point sees the sun, and how much of the sky."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import Record, njit
from sgt_data.scenes.geometry import Vec, inside, into_unit

PATTERN = 4
"""Side of the square of pixels over which the directions to the sun's disc repeat."""


@cache
def sun_offsets() -> NDArray[np.float64]:
    """[16, 2] float64: points of the unit disc, spread so that close pixels differ."""
    order = np.array([0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5], np.float64)
    radius = np.sqrt((order + 0.5) / 16.0)
    angle = order * 2.399963
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


@njit
def sees_sun(world: Record, x: float, y: float, z: float, to_sun: Vec, skipped: int) -> bool:
    """Whether no solid but number `skipped` lies between a point and the sun."""
    for i in range(world.thing_count):
        thing = world.things[i]
        rx, ry, rz = thing.centre[0] - x, thing.centre[1] - y, thing.centre[2] - z
        ahead = rx * to_sun[0] + ry * to_sun[1] + rz * to_sun[2]
        radius = thing.radius
        if ahead < -radius or rx * rx + ry * ry + rz * rz - ahead * ahead > radius * radius:
            continue
        for k in range(thing.first, thing.end):
            if k != skipped and _blocks(world.solids[k], x, y, z, to_sun):
                return False
    return True


@njit
def _blocks(solid: Record, x: float, y: float, z: float, to_sun: Vec) -> bool:
    rx, ry, rz = x - solid.centre[0], y - solid.centre[1], z - solid.centre[2]
    behind = rx * to_sun[0] + ry * to_sun[1] + rz * to_sun[2]
    bound = solid.bound
    if behind > bound or rx * rx + ry * ry + rz * rz - behind * behind > bound * bound:
        return False
    o = into_unit(solid, rx, ry, rz)
    d = into_unit(solid, to_sun[0], to_sun[1], to_sun[2])
    first, last = inside(solid.kind, solid.shape[0], solid.shape[1], o, d)
    return first < last and last > 1e-4


@njit
def openness(world: Record, x: float, y: float, z: float, normal: Vec, skipped: int) -> float:
    """Share of the ambient light that reaches a point between the things, which count as balls.

    The thing number `skipped` does not count. The cover by a ball at distance d is
    (normal . direction) * (radius / d)^2.
    """
    light = 1.0
    for i in range(world.thing_count):
        if i == skipped:
            continue
        thing = world.things[i]
        radius = 0.72 * thing.radius
        rx, ry, rz = thing.centre[0] - x, 0.8 * thing.centre[1] - y, thing.centre[2] - z
        square = rx * rx + ry * ry + rz * rz
        if square > 16.0 * radius * radius:
            continue
        slope = rx * normal[0] + ry * normal[1] + rz * normal[2]
        if slope > 0.0:
            share = radius * radius / max(square, radius * radius)
            light *= 1.0 - 0.75 * share * slope / np.sqrt(square)
    return light
