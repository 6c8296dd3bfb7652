"""A segment as its facts describe it: what phrases and questions speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sgt_data.facts import has_category


class NamedCategory(NamedTuple):
    """A category by its name, where the source's numbers do not matter.

    Attributes:
        name: in the source's words, for example "dog" or "wall-brick".
        isthing: True for things, which can be counted; False for stuff (sky, grass).
    """

    name: str
    isthing: bool


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment with its category, and where it is visible in the output picture.

    Attributes:
        id: number of the segment in its picture.
        category: name of the category.
        isthing: whether the category is of things, which can be counted, or of stuff.
        iscrowd: whether the segment stands for several things.
        area: visible pixels; 0 where the segment is hidden.
        box: left, top, width and height of the visible pixels, in upright output pixels.
    """

    id: int
    category: str
    isthing: bool
    iscrowd: bool
    area: int
    box: tuple[int, int, int, int]

    @property
    def named_category(self) -> NamedCategory:
        """The category: its name, and whether it is of things."""
        return NamedCategory(self.category, self.isthing)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> SegmentFacts:
        """A segment from its facts in a sample; hidden where its visible area is 0 or not stated.

        Raises:
            KeyError, TypeError, ValueError: the facts do not describe a segment with a category.
        """
        category, isthing = facts["category"], facts["isthing"]
        iscrowd = facts.get("iscrowd", False)
        x, y, width, height = box = facts.get("visible_box", (0, 0, 0, 0))
        numbers = (facts["id"], facts.get("visible_area", 0), *box)
        if not isinstance(category, str) or {type(isthing), type(iscrowd)} != {bool}:
            raise ValueError("category is no text, or isthing or iscrowd no truth value")
        if not has_category(facts):
            raise ValueError("a segment has no category")
        if any(type(number) is not int for number in numbers) or min(numbers[1:]) < 0:
            raise ValueError("id, visible_area and visible_box are not whole numbers")
        return cls(facts["id"], category, isthing, iscrowd, numbers[1], (x, y, width, height))
