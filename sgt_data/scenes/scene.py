"""Drawn scenes: a picture with exact segments, parts, depth and surface normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.backdrop import (
    HILL,
    SKY,
    WALL,
    WATER,
)
from sgt_data.scenes.blueprints import BLUEPRINTS
from sgt_data.scenes.cast import cast_rays
from sgt_data.scenes.categories import CATEGORIES, CATEGORY_ID
from sgt_data.scenes.colours import srgb_table
from sgt_data.scenes.develop import map_tones, print_picture
from sgt_data.scenes.instances import place_solids, screen_boxes
from sgt_data.scenes.light import sun_offsets
from sgt_data.scenes.normals import Intrinsics, intrinsics_of
from sgt_data.scenes.placed import Placed
from sgt_data.scenes.scene_layout import Layout, plan_layout
from sgt_data.scenes.shade import shade_pixels
from sgt_data.scenes.staging import Scenes
from sgt_data.scenes.texture_noise import noise_tiles
from sgt_data.scenes.world import world_of

__all__ = ["CATEGORIES", "Part", "Scene", "Stuff", "Thing", "draw_scene"]

_GROUND_NAMES = ("grass", "sand", "stone")
_SRGB = srgb_table()


@dataclass(frozen=True, slots=True)
class Part:
    """A visible part of a thing.

    Attributes:
        part: its id in `Scene.parts`.
        name: what it is, such as "roof".
        area: number of its visible pixels.
    """

    part: int
    name: str
    area: int


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing of which at least one pixel is visible.

    Attributes:
        segment: its id in `Scene.segments`.
        category_id: its category.
        area: number of its visible pixels.
        parts: its visible parts; empty for a thing of one piece.
        centre: its middle in the camera's frame (right, up, along the viewing axis), metres.
        colour: name of its one colour; None for a thing of several.
    """

    segment: int
    category_id: int
    area: int
    parts: tuple[Part, ...]
    centre: tuple[float, float, float]
    colour: str | None


@dataclass(frozen=True, slots=True)
class Stuff:
    """A region of stuff: all that a scene shows of one category.

    Attributes:
        segment: its id in `Scene.segments`.
        category_id: its category.
        area: number of its visible pixels.
    """

    segment: int
    category_id: int
    area: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn scene. Maps are exact at pixel centres; only the picture is anti-aliased.

    Attributes:
        picture: [H, W, 3] uint8 RGB.
        segments: [H, W] int32, ids from 1, no pixel is 0: things by distance, then stuff.
        parts: [H, W] int32, ids from 1 over the scene, 0 where a pixel belongs to no part.
        depth: [H, W] float32, metres along the viewing axis, infinite in the sky.
        normals: [H, W, 3] float32, unit vectors right, up, towards the viewer; NaN in the sky.
        intrinsics: of the camera, in pixels.
        things: the visible things, the nearest first.
        stuff: the visible stuff.
    """

    picture: NDArray[np.uint8]
    segments: NDArray[np.int32]
    parts: NDArray[np.int32]
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    intrinsics: Intrinsics
    things: tuple[Thing, ...]
    stuff: tuple[Stuff, ...]


def draw_scene(seed: int, index: int, width: int, height: int, scenes: Scenes = "varied") -> Scene:
    """Draw scene number `index` of the stream `seed` at `width` x `height` pixels.

    The layout depends on seed, index and `scenes` alone: a larger picture shows the same scene in
    more detail, a wider one shows more of it.
    """
    layout = plan_layout(seed, index, scenes)
    solids, bodies, corners = place_solids(layout)
    world = world_of(layout, solids, bodies, width, height)
    boxes = screen_boxes(layout.camera, corners, width, height)
    code = np.empty((height, width), np.int32)
    depth = np.empty((height, width), np.float32)
    normals = np.empty((height, width, 3), np.float32)
    cast_rays(world[0], boxes, code, depth, normals)
    picture = _paint(world, code, depth)
    segments, parts, things, stuff = _label(layout, bodies, solids, code)
    intrinsics = intrinsics_of(layout.camera.focal, width, height)
    return Scene(picture, segments, parts, depth, normals, intrinsics, things, stuff)


def _paint(
    world: NDArray[np.void],
    code: NDArray[np.int32],
    depth: NDArray[np.float32],
) -> NDArray[np.uint8]:
    shape = code.shape
    images = (
        np.empty((*shape, 3), np.float32),
        np.empty((*shape, 3), np.float32),
        np.empty(shape, np.float32),
    )
    shade_pixels(
        world[0],
        noise_tiles()[0],
        sun_offsets(),
        code,
        depth,
        images,
    )
    tones = np.empty((*shape, 3), np.float32)
    map_tones(code, images, tones)
    picture = np.empty((*shape, 3), np.uint8)
    print_picture(world[0], code, tones, _SRGB, picture)
    return picture


_Labels = tuple[NDArray[np.int32], NDArray[np.int32], tuple[Thing, ...], tuple[Stuff, ...]]


def _label(
    layout: Layout, bodies: NDArray[np.void], solids: NDArray[np.void], code: NDArray[np.int32]
) -> _Labels:
    """Number the visible things, parts and stuff; maps of the numbers."""
    counts = np.bincount(code.ravel(), minlength=8 * (len(solids) + 1))
    seen_backdrop = counts[:8].tolist()
    pixels = counts.reshape(-1, 8).sum(axis=1).tolist()
    segment_of, part_of = [0] * (len(solids) + 1), [0] * (len(solids) + 1)
    things: list[Thing] = []
    for body, placed, centre in _by_distance(layout, bodies):
        solid_range = range(body["first"] + 1, body["end"] + 1)
        area = sum(pixels[k] for k in solid_range)
        if area == 0:
            continue
        segment = len(things) + 1
        parts = _parts(placed.kind, solid_range, pixels, part_of)
        for k in solid_range:
            segment_of[k] = segment
        category_id = CATEGORY_ID[placed.kind]
        things.append(Thing(segment, category_id, area, parts, centre, placed.colour))
    stuff: list[Stuff] = []
    backdrop = [0] * 8
    for name, codes in _backdrop_codes(layout.setting.ground).items():
        area = sum(seen_backdrop[c] for c in codes)
        if area:
            segment = len(things) + len(stuff) + 1
            for c in codes:
                backdrop[c] = segment
            stuff.append(Stuff(segment, CATEGORY_ID[name], area))
    segment_table = np.repeat(np.array(segment_of, np.int32), 8)
    segment_table[:8] = backdrop
    part_table = np.repeat(np.array(part_of, np.int32), 8)
    return segment_table.take(code), part_table.take(code), tuple(things), tuple(stuff)


def _by_distance(
    layout: Layout, bodies: NDArray[np.void]
) -> list[tuple[np.void, Placed, tuple[float, float, float]]]:
    """Things from near to far, each with its centre in the camera's frame (metres)."""
    camera = layout.camera
    relative = bodies["centre"] - np.array([0.0, camera.height, 0.0])
    centres = (relative @ np.array([camera.right, camera.up, camera.forward]).T).tolist()
    rows = [
        (body, placed, (x, y, z))
        for body, placed, (x, y, z) in zip(bodies, layout.things, centres, strict=True)
    ]
    return sorted(rows, key=lambda row: row[2][2])


def _parts(
    kind: str, solid_range: range, pixels: list[int], part_of: list[int]
) -> tuple[Part, ...]:
    """The visible parts of one thing, numbered on from the largest number in `part_of`."""
    blueprint = BLUEPRINTS[kind]
    if len(blueprint.parts) == 1:
        return ()
    areas = [0] * len(blueprint.parts)
    owner = blueprint.part.tolist()
    for part, k in zip(owner, solid_range, strict=True):
        areas[part] += pixels[k]
    numbers = [0] * len(areas)
    number = max(part_of)
    for part, area in enumerate(areas):
        if area:
            number += 1
            numbers[part] = number
    for part, k in zip(owner, solid_range, strict=True):
        part_of[k] = numbers[part]
    return tuple(Part(numbers[i], blueprint.parts[i], area) for i, area in enumerate(areas) if area)


def _backdrop_codes(ground: int) -> dict[str, list[int]]:
    return {
        "sky": [SKY],
        "hill": [HILL, HILL + 1],
        _GROUND_NAMES[ground]: [1],
        "water": [WATER],
        "wall": [WALL, WALL + 1],
    }
