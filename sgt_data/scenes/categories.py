"""Categories of the drawn scenes: ten kinds of things and seven kinds of stuff, in COCO's form."""

from __future__ import annotations

from typing import TypedDict


class Category(TypedDict):
    """A row of a COCO panoptic `categories` list; `color` is RGB, 0 to 255."""

    id: int
    name: str
    supercategory: str
    isthing: int
    color: list[int]


def _category(
    identity: int, name: str, supercategory: str, thing: bool, rgb: tuple[int, int, int]
) -> Category:
    return {
        "id": identity,
        "name": name,
        "supercategory": supercategory,
        "isthing": int(thing),
        "color": list(rgb),
    }


CATEGORIES: list[Category] = [
    _category(1, "ball", "toy", True, (220, 20, 60)),
    _category(2, "crate", "container", True, (119, 60, 32)),
    _category(3, "ring", "toy", True, (255, 179, 0)),
    _category(4, "cone", "outdoor", True, (250, 110, 30)),
    _category(5, "house", "building", True, (106, 0, 228)),
    _category(6, "cottage", "building", True, (165, 42, 142)),
    _category(7, "tree", "plant", True, (0, 125, 92)),
    _category(8, "mushroom", "plant", True, (209, 0, 151)),
    _category(9, "snowman", "toy", True, (0, 182, 199)),
    _category(10, "mug", "container", True, (0, 80, 200)),
    _category(92, "sky", "sky", False, (110, 170, 230)),
    _category(93, "hill", "ground", False, (96, 130, 120)),
    _category(94, "grass", "ground", False, (120, 180, 60)),
    _category(95, "sand", "ground", False, (224, 205, 150)),
    _category(96, "stone", "ground", False, (140, 140, 150)),
    _category(97, "water", "water", False, (50, 110, 170)),
    _category(98, "wall", "building", False, (190, 150, 130)),
]
"""All categories, things first. `house` and `cottage` differ by a chimney alone."""

OTHER_CATEGORY_ID = 183
"""Id of COCO-stuff's category `other`: all things merged."""

CATEGORY_ID: dict[str, int] = {category["name"]: category["id"] for category in CATEGORIES}
CATEGORY_NAME: dict[int, str] = {category["id"]: category["name"] for category in CATEGORIES}
THINGS: tuple[str, ...] = tuple(c["name"] for c in CATEGORIES if c["isthing"])
