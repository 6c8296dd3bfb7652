"""Shading: the light of every pixel centre.

Ambient and direct light are kept apart, so that the edges of shadows can be softened later.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import Record, njit
from sgt_data.scenes.backdrop import (
    GROUND,
    HILL,
    SKY,
    WALL,
    WATER,
)
from sgt_data.scenes.blueprints import TORUS
from sgt_data.scenes.cast import ray_through, surface_of
from sgt_data.scenes.geometry import Vec
from sgt_data.scenes.ground import ground_colour, sky_colour, water_colour
from sgt_data.scenes.light import PATTERN, openness, sees_sun
from sgt_data.scenes.textures import (
    clamp,
    material_colour,
    mix,
    triple,
    wall_colour,
)

Images = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

BLACK = (0.0, 0.0, 0.0)
LIFT = 2e-3
"""Metres above the surface at which rays to the sun begin."""
SUN_DISC = 0.055
"""Angular radius of the sun in radians, larger than life for soft edges of shadows."""


class Hit(NamedTuple):
    """Where the ray of a pixel meets a surface.

    Attributes:
        ray: direction of the ray, one metre deep along the viewing axis.
        unit: the direction of the ray, of length 1.
        depth: metres along the viewing axis.
        point: the place in the world, metres.
        sun_offset: point of the unit disc by which this pixel's direction to the sun is moved.
    """

    ray: Vec
    unit: Vec
    depth: float
    point: Vec
    sun_offset: tuple[float, float]


class Finish(NamedTuple):
    """What the light of a matt or glossy surface depends on.

    Attributes:
        colour: linear RGB.
        gloss: 0 (matt) to 1.
        shininess: exponent of the highlight.
        normal: unit vector out of the surface.
        convex_solid: number of a solid that cannot shade itself at this place, or -1.
        thing: number of the thing that the surface belongs to, or -1.
    """

    colour: Vec
    gloss: float
    shininess: float
    normal: Vec
    convex_solid: int
    thing: int


@njit
def shade_pixels(
    world: Record,
    noise: Record,
    offsets: NDArray[np.float64],
    code: NDArray[np.int32],
    depth: NDArray[np.float32],
    images: Images,
) -> None:
    """Fill `images`: ambient [H, W, 3] and direct [H, W, 3] linear light, sunlit [H, W] 0 or 1."""
    ambient, direct, sunlit = images
    height, width = code.shape
    for y in range(height):
        for x in range(width):
            surface = code[y, x]
            ray = ray_through(world, x + 0.5, y + 0.5)
            length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
            unit = (ray[0] / length, ray[1] / length, ray[2] / length)
            t = float(depth[y, x])
            sunlit[y, x] = 1.0
            if surface == SKY:
                base = sky_colour(world, noise, unit[0], unit[1], unit[2], world.pixel / length)
                beam = BLACK
            else:
                k = (y % PATTERN) * PATTERN + x % PATTERN
                point = (t * ray[0], world.height + t * ray[1], t * ray[2])
                hit = Hit(ray, unit, t, point, (offsets[k, 0], offsets[k, 1]))
                base, beam, lit = _surface_light(world, noise, surface, hit)
                sunlit[y, x] = lit
                fog = world.haze * t * length
                if fog > 0.02:
                    veil = 1.0 - np.exp(-fog)
                    base = mix(base, triple(world.horizon), veil)
                    beam = mix(beam, BLACK, veil)
            for c in range(3):
                ambient[y, x, c] = base[c]
                direct[y, x, c] = beam[c]


@njit
def _surface_light(world: Record, noise: Record, surface: int, hit: Hit) -> tuple[Vec, Vec, float]:
    """Ambient and direct light of a surface other than the sky, and whether the sun reaches it."""
    point = hit.point
    pixel = hit.depth * world.pixel
    slanted = pixel / np.sqrt(max(-hit.unit[1], 0.02))
    if surface == GROUND:
        colour = ground_colour(world, noise, point[0], point[2], slanted)
        return _lit(world, hit, Finish(colour, 0.0, 1.0, (0.0, 1.0, 0.0), -1, -1))
    if surface == WATER:
        colour = water_colour(world, noise, point[0], point[2], slanted, hit.unit)
        return colour, BLACK, 1.0
    if surface >= 8:
        return _thing_light(world, noise, (surface >> 3) - 1, hit)
    if surface >= HILL:
        return _hill_light(world, surface, point[1]), BLACK, 1.0
    nx, nz = world.walls[surface - WALL, 0], world.walls[surface - WALL, 1]
    colour = wall_colour(world, noise, nx * point[2] - nz * point[0], point[1], pixel)
    return _lit(world, hit, Finish(colour, 0.0, 1.0, (nx, 0.0, nz), -1, -1))


@njit
def _hill_light(world: Record, surface: int, y: float) -> Vec:
    colour = triple(world.hill_near) if surface == HILL else triple(world.hill_far)
    tone = 0.75 + 0.25 * clamp(y / 20.0)
    return (
        tone * colour[0] * (world.ambient[0] + 0.35 * world.sun[0]),
        tone * colour[1] * (world.ambient[1] + 0.35 * world.sun[1]),
        tone * colour[2] * (world.ambient[2] + 0.35 * world.sun[2]),
    )


@njit
def _thing_light(world: Record, noise: Record, number: int, hit: Hit) -> tuple[Vec, Vec, float]:
    """Ambient and direct light of solid number `number`, and whether the sun reaches it."""
    solid = world.solids[number]
    nx, ny, nz, _ = surface_of(solid, number, world, hit.ray, hit.depth)
    thing = world.things[solid.thing]
    rx, rz = hit.point[0] - thing.stand[0], hit.point[2] - thing.stand[1]
    cos, sin = thing.turn[0], thing.turn[1]
    in_thing = (cos * rx - sin * rz, hit.point[1], sin * rx + cos * rz)
    material = world.materials[solid.material]
    colour = material_colour(material, noise, in_thing, hit.depth * world.pixel)
    gloss, shininess = material.row[8], material.row[9]
    convex_solid = -1 if solid.kind == TORUS else number
    return _lit(
        world, hit, Finish(colour, gloss, shininess, (nx, ny, nz), convex_solid, solid.thing)
    )


@njit
def _lit(world: Record, hit: Hit, finish: Finish) -> tuple[Vec, Vec, float]:
    """Ambient and direct light of a matt or glossy surface, and whether the sun reaches it."""
    colour, normal = finish.colour, finish.normal
    facing = normal[0] * world.to_sun[0] + normal[1] * world.to_sun[1]
    facing += normal[2] * world.to_sun[2]
    base = _ambient_light(world, hit, finish, facing)
    if facing <= 0.0:
        return base, BLACK, 1.0
    shine = 0.0
    if finish.gloss > 0.1:
        shine = 0.9 * finish.gloss * _highlight(world, normal, hit.unit) ** finish.shininess
    beam = (
        (colour[0] * facing + shine) * world.sun[0],
        (colour[1] * facing + shine) * world.sun[1],
        (colour[2] * facing + shine) * world.sun[2],
    )
    x = hit.point[0] + LIFT * normal[0]
    y = hit.point[1] + LIFT * normal[1]
    z = hit.point[2] + LIFT * normal[2]
    to_sun = _towards_disc(world, hit.sun_offset)
    seen = sees_sun(world, x, y, z, to_sun, finish.convex_solid)
    return base, beam, 1.0 if seen else 0.0


@njit
def _ambient_light(world: Record, hit: Hit, finish: Finish, facing: float) -> Vec:
    """Light of the sky from above, of the sunlit ground from below, and a sheen at the rim."""
    colour, gloss, normal = finish.colour, finish.gloss, finish.normal
    point, unit = hit.point, hit.unit
    upward = 0.5 + 0.5 * normal[1]
    free = openness(world, point[0], point[1], point[2], normal, finish.thing)
    if normal[1] < 0.9:
        free *= 0.62 + 0.38 * clamp(point[1] / 0.35)
    sky = free * (upward + 0.06 + 0.06 * facing)
    bounce = free * 0.55 * (1.0 - upward)
    sheen = 0.0
    if gloss > 0.1:
        along = unit[0] * normal[0] + unit[1] * normal[1] + unit[2] * normal[2]
        rim = 1.0 - clamp(-along)
        sheen = free * gloss * (0.03 + 0.5 * rim * rim * rim * rim)
    gleam = mix(BLACK, triple(world.horizon), sheen)
    above = mix(BLACK, triple(world.ambient), sky)
    ground, sun = world.ground_dark, world.sun
    return (
        colour[0] * (above[0] + bounce * ground[0] * sun[0]) + gleam[0],
        colour[1] * (above[1] + bounce * ground[1] * sun[1]) + gleam[1],
        colour[2] * (above[2] + bounce * ground[2] * sun[2]) + gleam[2],
    )


@njit
def _highlight(world: Record, normal: Vec, unit: Vec) -> float:
    """Cosine between the normal and the half vector of sun and eye (J. Blinn, 1977)."""
    hx, hy, hz = world.to_sun[0] - unit[0], world.to_sun[1] - unit[1], world.to_sun[2] - unit[2]
    cosine = hx * normal[0] + hy * normal[1] + hz * normal[2]
    return float(max(cosine / np.sqrt(hx * hx + hy * hy + hz * hz), 0.0))


@njit
def _towards_disc(world: Record, offset: tuple[float, float]) -> Vec:
    """Direction to a point of the sun's disc, at `offset` in the unit disc."""
    x, y, z = world.to_sun[0], world.to_sun[1], world.to_sun[2]
    side, rise = SUN_DISC * offset[0], SUN_DISC * offset[1]
    return x + side * z - rise * x * y, y + rise * (1.0 - y * y), z - side * x - rise * z * y
