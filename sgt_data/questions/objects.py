"""What a segmentation sample's facts say of its picture: things and stuff, their places and sizes.

Places are shares of the output picture's width and height, sizes shares of its pixels; what counts
is what is visible in the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.referring.seen import Seen

Kind = tuple[str, bool]
"""A category: its name, and whether it is countable."""

_SIDE_MAX = 1 << 16
_HARMLESS = {"stuff"}
"""Filters that leave out nothing of what may be asked about: things alone were drawn."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One visible segment.

    Attributes:
        label: in the target.
        kind: its category.
        iscrowd: whether it stands for several at once.
        area: visible share of the picture.
        box: left, top, right and bottom of what is visible.
        pixels: the same box in pixels of the target: left, top, width, height.
    """

    label: int
    kind: Kind
    iscrowd: bool
    area: float
    box: tuple[float, float, float, float]
    pixels: tuple[int, int, int, int]

    def centre(self, axis: int) -> float:
        """Of the box; axis 0 is x, from the left, and 1 is y, from the top."""
        return (self.box[axis] + self.box[axis + 2]) / 2


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture, as a segmentation sample describes it.

    Attributes:
        key, source: of the sample.
        size: width and height of the target, in pixels.
        things: visible segments by category.
        hidden: categories of segments that nothing shows of.
        incomplete: whether filters left out segments, of whatever category.
        merged: whether a segment stands for all that there is of its category (semantic maps).
        unlabelled: share of the picture that belongs to no segment.
    """

    key: str
    source: str
    size: tuple[int, int]
    things: Mapping[Kind, tuple[Thing, ...]]
    hidden: frozenset[Kind]
    incomplete: bool
    merged: bool
    unlabelled: float

    @property
    def present(self) -> frozenset[Kind]:
        """Every category that is known to be there, visible or not."""
        return self.hidden | self.things.keys()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> SeenPicture:
        """From a sample's facts.

        Raises:
            CorpusError: they do not describe a segmentation target with categories.
        """
        try:
            return _parse(facts)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as why:
            raise CorpusError(
                f"the facts do not describe segments with categories: {why!r:.200}"
            ) from why


def _parse(facts: Mapping[str, Any]) -> SeenPicture:
    size = facts["size"]["width"], facts["size"]["height"]
    if any(type(side) is not int or not 0 < side <= _SIDE_MAX for side in size):
        raise ValueError(f"size is {size}")
    key, source, dropped = facts["key"], facts["source"]["name"], facts["dropped"]
    if not isinstance(key, str) or not isinstance(source, str):
        raise TypeError("key or source is no text")
    groups: dict[Kind, list[Thing]] = {}
    for number, fact in enumerate(facts["segments"], 1):
        if fact["label"] != number:
            raise ValueError(f"label {fact['label']} stands where {number} belongs")
        thing = _thing(Seen.of({**fact, "id": number}), size)
        groups.setdefault(thing.kind, []).append(thing)
    labelled = sum(thing.area for group in groups.values() for thing in group)
    return SeenPicture(
        key, source, size,
        things={kind: tuple(groups[kind]) for kind in sorted(groups)},
        hidden=frozenset(Seen.of({**fact, "id": 0}).kind for fact in facts["hidden"]),
        incomplete=bool(dropped.keys() - _HARMLESS),
        merged=facts["variant"] == "semantic",
        unlabelled=1 - labelled,
    )  # fmt: skip


def _thing(seen: Seen, size: tuple[int, int]) -> Thing:
    width, height = size
    left, top, across, down = seen.box
    if not 0 < seen.area <= across * down or left + across > width or top + down > height:
        raise ValueError(
            f"label {seen.id} has {seen.area} visible pixels in box {list(seen.box)} of "
            f"{width}x{height}"
        )
    box = (left / width, top / height, (left + across) / width, (top + down) / height)
    return Thing(seen.id, seen.kind, seen.iscrowd, seen.area / (width * height), box, seen.box)


def nearness(
    thing: Thing,
    labels: NDArray[np.uint16],
    inverse_depth: NDArray[np.float32],
    low: float,
    high: float,
) -> float:
    """Median inverse depth of a thing's visible pixels: 0 at `low`, the farthest that the map
    tells, 1 at `high`, the nearest.

    Args:
        thing: of this picture.
        labels, inverse_depth: [H, W], of the same size.
        low, high: values of the map's darkest and brightest level.

    Raises:
        CorpusError: the label map shows nothing of it in its box.
    """
    left, top, across, down = thing.pixels
    place = np.s_[top : top + down, left : left + across]
    values = inverse_depth[place][labels[place] == thing.label]
    if not values.size:
        raise CorpusError(f"label {thing.label} is not in its box {list(thing.pixels)}")
    return (float(np.median(values)) - low) / (high - low)
