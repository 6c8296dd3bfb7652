"""Scenes -> COCO's forms: instances, panoptic and stuff."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.categories import CATEGORIES, OTHER_CATEGORY_ID, Category
from sgt_data.scenes.masks import (
    Region,
    polygon,
    region,
    uncompressed,
)
from sgt_data.scenes.scene import Scene, Thing

_INFO = {
    "description": "Scenes drawn by sgt-data",
    "version": "1.0",
    "year": 2026,
    "contributor": "sgt-data",
    "date_created": "2026/01/01",
}
_LICENSES = [
    {
        "id": 1,
        "name": "CC0 1.0 Universal",
        "url": "https://creativecommons.org/publicdomain/zero/1.0/",
    }
]
_GROUP = 3
"""Fewest visible things of one kind of which some may be annotated as a crowd."""


@dataclass(frozen=True, slots=True)
class _Outlined:
    category_id: int
    segments: tuple[int, ...]
    crowd: bool
    region: Region


@dataclass(slots=True)
class CocoAnnotations:
    """The annotation files of a COCO folder, filled picture by picture.

    Attributes:
        crowds: whether large groups of things may be annotated as one region.
        images: rows of `images`.
        instances: rows of `annotations` of the instances file.
        panoptic: rows of `annotations` of the panoptic file.
        stuff: rows of `annotations` of the stuff file.
    """

    crowds: bool = True
    images: list[dict[str, Any]] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    panoptic: list[dict[str, Any]] = field(default_factory=list)
    stuff: list[dict[str, Any]] = field(default_factory=list)

    def add(self, scene: Scene, image_id: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Add a scene; its panoptic picture [H, W, 3] uint8 and its stuff map [H, W] uint8."""
        height, width = scene.segments.shape
        self.images.append(
            {
                "license": 1,
                "file_name": f"{image_id:012d}.jpg",
                "coco_url": f"https://example.invalid/train2017/{image_id:012d}.jpg",
                "height": height,
                "width": width,
                "date_captured": "2026-01-01 00:00:00",
                "id": image_id,
            }
        )
        segments = np.asfortranarray(scene.segments)
        things = _outlined_things(scene, segments, crowds_allowed=self.crowds and image_id % 2 == 0)
        stuff = [
            _Outlined(s.category_id, (s.segment,), False, region(segments == s.segment))
            for s in scene.stuff
        ]
        self._add_instances(things, image_id)
        self._add_stuff(scene, segments, stuff, image_id)
        return self._add_panoptic(scene, [*things, *stuff], image_id), _pixel_map(scene)

    def documents(self) -> dict[str, dict[str, Any]]:
        """The three JSON files: content by file name."""
        things = [_plain(category) for category in CATEGORIES if category["isthing"]]
        stuff = [_plain(category) for category in CATEGORIES if not category["isthing"]]
        other = {"id": OTHER_CATEGORY_ID, "name": "other", "supercategory": "other"}
        common = {"info": _INFO, "licenses": _LICENSES, "images": self.images}
        return {
            "instances_train2017.json": {
                **common,
                "annotations": self.instances,
                "categories": things,
            },
            "panoptic_train2017.json": {
                **common,
                "annotations": self.panoptic,
                "categories": CATEGORIES,
            },
            "stuff_train2017.json": {
                **common,
                "annotations": self.stuff,
                "categories": [*stuff, other],
            },
        }

    def _add_instances(self, things: list[_Outlined], image_id: int) -> None:
        for thing in things:
            row = _row(thing, image_id, len(self.instances) + 1)
            ring = None if thing.crowd else polygon(thing.region)
            if thing.crowd:
                row["segmentation"] = uncompressed(thing.region.mask)
            elif ring is not None:
                row["segmentation"] = [ring]
            self.instances.append(row)

    def _add_stuff(
        self, scene: Scene, segments: NDArray[np.int32], stuff: list[_Outlined], image_id: int
    ) -> None:
        regions = list(stuff)
        if scene.things:
            merged = tuple(thing.segment for thing in scene.things)
            mask = segments <= len(scene.things)
            regions.append(_Outlined(OTHER_CATEGORY_ID, merged, False, region(mask)))
        for outlined in regions:
            self.stuff.append(_row(outlined, image_id, 10_000_001 + len(self.stuff)))

    def _add_panoptic(
        self, scene: Scene, outlined: list[_Outlined], image_id: int
    ) -> NDArray[np.uint8]:
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
        self.panoptic.append(
            {"segments_info": infos, "file_name": f"{image_id:012d}.png", "image_id": image_id}
        )
        return colours.take(scene.segments, axis=0)


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


def _plain(category: Category) -> dict[str, Any]:
    return {key: category[key] for key in ("supercategory", "id", "name")}


def _row(outlined: _Outlined, image_id: int, identity: int) -> dict[str, Any]:
    return {
        "segmentation": outlined.region.runs,
        "area": float(outlined.region.area),
        "iscrowd": int(outlined.crowd),
        "image_id": image_id,
        "bbox": [float(value) for value in outlined.region.box],
        "category_id": outlined.category_id,
        "id": identity,
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


def stuff_palette() -> NDArray[np.uint8]:
    """Palette of a stuff map: [256, 3] uint8 RGB, black where no category has the id."""
    palette = np.zeros((256, 3), np.uint8)
    for category in CATEGORIES:
        if not category["isthing"]:
            palette[category["id"]] = category["color"]
    palette[OTHER_CATEGORY_ID] = 255
    return palette
