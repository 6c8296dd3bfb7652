"""A segment as one sees it in the output: what phrases speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One segment. `area` counts its visible pixels, 0 for a hidden one; `box` is x, y, width,
    height of them, in upright output pixels."""

    id: int
    category: str
    isthing: bool
    iscrowd: bool
    area: int
    box: tuple[int, int, int, int]

    @property
    def kind(self) -> tuple[str, bool]:
        """Its category: the name, and whether it is countable."""
        return self.category, self.isthing

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> Seen:
        """From a segment's facts; hidden where they state no visible area.

        Raises:
            KeyError, TypeError, ValueError: they do not describe a segment with a category.
        """
        category, isthing = fact["category"], fact["isthing"]
        iscrowd = fact.get("iscrowd", False)
        x, y, width, height = box = fact.get("visible_box", (0, 0, 0, 0))
        numbers = (fact["id"], fact.get("visible_area", 0), *box)
        if not isinstance(category, str) or {type(isthing), type(iscrowd)} != {bool}:
            raise TypeError("category is no text, or isthing or iscrowd no truth value")
        if any(type(number) is not int for number in numbers) or min(numbers[1:]) < 0:
            raise ValueError("id, visible_area and visible_box are not whole numbers")
        return cls(fact["id"], category, isthing, iscrowd, numbers[1], (x, y, width, height))
