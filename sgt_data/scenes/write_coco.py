"""COCO's annotation files, filled picture by picture: instances, panoptic, stuff and captions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.categories import CATEGORIES, OTHER_CATEGORY_ID, Category
from sgt_data.scenes.coco_rows import CocoRows

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

_FIRST_STUFF = 10_000_001
"""Number of the first row of the stuff file, as in COCO above those of the instances."""


@dataclass(slots=True)
class CocoAnnotations:
    """The annotation files of a COCO folder.

    Attributes:
        images: rows of `images`.
        instances: rows of `annotations` of the instances file.
        panoptic: rows of `annotations` of the panoptic file.
        stuff: rows of `annotations` of the stuff file.
        captions: rows of `annotations` of the captions file.
    """

    images: list[dict[str, Any]] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    panoptic: list[dict[str, Any]] = field(default_factory=list)
    stuff: list[dict[str, Any]] = field(default_factory=list)
    captions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rows: CocoRows) -> None:
        """Add a picture; its rows get their numbers."""
        self.images.append(rows.image)
        self.panoptic.append(rows.panoptic)
        for table, added, first in (
            (self.instances, rows.instances, 1),
            (self.stuff, rows.stuff, _FIRST_STUFF),
            (self.captions, rows.captions, 1),
        ):
            for row in added:
                row["id"] = first + len(table)
                table.append(row)

    def documents(self) -> dict[str, dict[str, Any]]:
        """The JSON files: content by file name."""
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
            "captions_train2017.json": {**common, "annotations": self.captions},
        }


def _plain(category: Category) -> dict[str, Any]:
    return {key: category[key] for key in ("supercategory", "id", "name")}


def stuff_palette() -> NDArray[np.uint8]:
    """Palette of a stuff map: [256, 3] uint8 RGB, black where no category has the id."""
    palette = np.zeros((256, 3), np.uint8)
    for category in CATEGORIES:
        if not category["isthing"]:
            palette[category["id"]] = category["color"]
    palette[OTHER_CATEGORY_ID] = 255
    return palette
