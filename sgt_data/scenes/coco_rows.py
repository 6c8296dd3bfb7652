"""A scene as rows of COCO's annotation files, without numbers, and as COCO's two maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.captions import VisibleThing, captions_of
from sgt_data.scenes.categories import CATEGORIES, CATEGORY_NAME, OTHER_CATEGORY_ID
from sgt_data.scenes.dice import Dice
from sgt_data.scenes.masks import (
    Region,
    polygon,
    region,
    uncompressed,
)
from sgt_data.scenes.scene import Scene, Thing
from sgt_data.seeds import generator

_GROUP = 3
"""Fewest visible things of one kind of which some may be annotated as a crowd."""


@dataclass(frozen=True, slots=True)
class _Outlined:
    category_id: int
    segments: tuple[int, ...]
    crowd: bool
    region: Region


@dataclass(frozen=True, slots=True)
class CocoRows:
    """What COCO's files say of a picture; `id` is 0 in rows that are numbered over all pictures.

    Attributes:
        image: row of `images`.
        instances: rows of the instances file.
        panoptic: row of the panoptic file.
        stuff: rows of the stuff file.
        captions: rows of the captions file.
    """

    image: dict[str, Any]
    instances: list[dict[str, Any]]
    panoptic: dict[str, Any]
    stuff: list[dict[str, Any]]
    captions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CocoPicture:
    """A scene in COCO's form.

    Attributes:
        rows: of the annotation files.
        panoptic: panoptic picture [H, W, 3] uint8.
        stuff: stuff map [H, W] uint8.
    """

    rows: CocoRows
    panoptic: NDArray[np.uint8]
    stuff: NDArray[np.uint8]


def describe_scene(scene: Scene, image_id: int, seed: int, crowds: bool) -> CocoPicture:
    """A scene in COCO's form.

    Args:
        scene: to describe.
        image_id: of its picture.
        seed: of the captions.
        crowds: whether large groups of things may be annotated as one region, in pictures of even
            number.
    """
    segments = np.asfortranarray(scene.segments)
    things = _outlined_things(scene, segments, crowds_allowed=crowds and image_id % 2 == 0)
    stuff = [
        _Outlined(s.category_id, (s.segment,), False, region(segments == s.segment))
        for s in scene.stuff
    ]
    panoptic, picture = _panoptic(scene, [*things, *stuff], image_id)
    rows = CocoRows(
        image=_image(scene, image_id),
        instances=[_instance(thing, image_id) for thing in things],
        panoptic=panoptic,
        stuff=_stuff(scene, segments, stuff, image_id),
        captions=_captions(scene, things, image_id, seed),
    )
    return CocoPicture(rows, picture, _pixel_map(scene))


def _image(scene: Scene, image_id: int) -> dict[str, Any]:
    height, width = scene.segments.shape
    return {
        "license": 1,
        "file_name": f"{image_id:012d}.jpg",
        "coco_url": f"https://example.invalid/train2017/{image_id:012d}.jpg",
        "height": height,
        "width": width,
        "date_captured": "2026-01-01 00:00:00",
        "id": image_id,
    }


def _instance(thing: _Outlined, image_id: int) -> dict[str, Any]:
    row = _row(thing, image_id)
    ring = None if thing.crowd else polygon(thing.region)
    if thing.crowd:
        row["segmentation"] = uncompressed(thing.region.mask)
    elif ring is not None:
        row["segmentation"] = [ring]
    return row


def _stuff(
    scene: Scene, segments: NDArray[np.int32], stuff: list[_Outlined], image_id: int
) -> list[dict[str, Any]]:
    regions = list(stuff)
    if scene.things:
        merged = tuple(thing.segment for thing in scene.things)
        mask = segments <= len(scene.things)
        regions.append(_Outlined(OTHER_CATEGORY_ID, merged, False, region(mask)))
    return [_row(outlined, image_id) for outlined in regions]


def _panoptic(
    scene: Scene, outlined: list[_Outlined], image_id: int
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """Row of the panoptic file, and the panoptic picture."""
    colours = np.zeros((len(scene.things) + len(scene.stuff) + 1, 3), np.uint8)
    infos = []
    used: set[int] = set()
    for segment in outlined:
        identity = _free_id(segment.category_id, used)
        colours[list(segment.segments)] = identity & 255, identity >> 8 & 255, identity >> 16
        infos.append(
            {
                "id": identity,
                "category_id": segment.category_id,
                "iscrowd": int(segment.crowd),
                "bbox": list(segment.region.box),
                "area": segment.region.area,
            }
        )
    row = {"segments_info": infos, "file_name": f"{image_id:012d}.png", "image_id": image_id}
    return row, colours.take(scene.segments, axis=0)


def _captions(
    scene: Scene, things: list[_Outlined], image_id: int, seed: int
) -> list[dict[str, Any]]:
    height, width = scene.segments.shape
    in_crowd = {number for thing in things if thing.crowd for number in thing.segments}
    boxes = {thing.segments[0]: thing.region.box for thing in things if not thing.crowd}
    visible = []
    for thing in scene.things:
        x, y, across, down = boxes.get(thing.segment, (0, 0, 0, 0))
        visible.append(
            VisibleThing(
                CATEGORY_NAME[thing.category_id],
                thing.colour,
                thing.area / (width * height),
                (x / width, y / height, (x + across) / width, (y + down) / height),
                in_crowd=thing.segment in in_crowd,
            )
        )
    dice = Dice(generator(seed, "captions", str(image_id)))
    return [
        {"image_id": image_id, "id": 0, **caption.row()} for caption in captions_of(visible, dice)
    ]


_COLOUR = {category["id"]: category["color"] for category in CATEGORIES}


def _free_id(category_id: int, used: set[int]) -> int:
    """A panoptic id that no other segment has and whose colour is close to the category's."""
    red, green, blue = _COLOUR[category_id]
    step = 0
    while True:
        identity = (red + 7 * step) % 256 + 256 * ((green + 13 * step) % 256) + 65536 * blue
        if identity and identity not in used:
            used.add(identity)
            return identity
        step += 1


def _row(outlined: _Outlined, image_id: int) -> dict[str, Any]:
    return {
        "segmentation": outlined.region.runs,
        "area": float(outlined.region.area),
        "iscrowd": int(outlined.crowd),
        "image_id": image_id,
        "bbox": [float(value) for value in outlined.region.box],
        "category_id": outlined.category_id,
        "id": 0,
    }


def _outlined_things(
    scene: Scene, segments: NDArray[np.int32], crowds_allowed: bool
) -> list[_Outlined]:
    """An outline for each thing; of a large group all but the nearest become one crowd."""
    by_category: dict[int, list[Thing]] = {}
    for thing in scene.things:
        by_category.setdefault(thing.category_id, []).append(thing)
    outlined = []
    for category_id, group in by_category.items():
        crowd = group[1:] if crowds_allowed and len(group) >= _GROUP else []
        alone = group[: len(group) - len(crowd)]
        outlined += [
            _Outlined(category_id, (t.segment,), False, region(segments == t.segment))
            for t in alone
        ]
        if crowd:
            members = tuple(thing.segment for thing in crowd)
            mask = np.isin(segments, members)
            outlined.append(_Outlined(category_id, members, True, region(mask)))
    return outlined


def _pixel_map(scene: Scene) -> NDArray[np.uint8]:
    """COCO-stuff category ids [H, W] uint8; every thing is `other`."""
    table = np.full(len(scene.things) + len(scene.stuff) + 1, OTHER_CATEGORY_ID, np.uint8)
    for stuff in scene.stuff:
        table[stuff.segment] = stuff.category_id
    return table.take(scene.segments)
