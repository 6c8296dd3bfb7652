"""What the facts of a segmentation sample say about its picture: segments, places and sizes.

Places are shares of the output picture's width and height, sizes shares of its pixels. Only what is
visible in the target counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments, undrawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.referring.segment_facts import NamedCategory, SegmentFacts
from sgt_data.value_text import cut_text

_SIDE_MAX = 1 << 16
_HARMLESS = {"stuff"}
"""Filters that leave out nothing that may be asked about: with them, things alone were drawn."""


@dataclass(frozen=True, slots=True)
class VisibleSegment:
    """A segment that the target shows.

    Attributes:
        label: number of the segment in the target.
        category: its category.
        iscrowd: whether the segment stands for several things.
        area: share of the picture's pixels, 0 to 1.
        box: left, top, right and bottom of the visible pixels, as shares of the picture's sides.
        pixel_box: left, top, width and height of the visible pixels, in pixels of the target.
    """

    label: int
    category: NamedCategory
    iscrowd: bool
    area: float
    box: tuple[float, float, float, float]
    pixel_box: tuple[int, int, int, int]

    def centre(self, axis: int) -> float:
        """Centre of the box, 0 to 1; axis 0 is x, from the left, and axis 1 is y, from the top."""
        return (self.box[axis] + self.box[axis + 2]) / 2


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture as the facts of a segmentation sample describe it.

    Attributes:
        key: key of the sample.
        source: name of the sample's source.
        size: width and height of the target, pixels.
        segments: visible segments by category.
        hidden: categories of segments that the target does not show.
        is_filtered: whether filters left out segments that may be asked about.
        unlabelled: share of the picture that belongs to no segment, 0 to 1.
    """

    key: str
    source: str
    size: tuple[int, int]
    segments: Mapping[NamedCategory, tuple[VisibleSegment, ...]]
    hidden: frozenset[NamedCategory]
    is_filtered: bool
    unlabelled: float

    @property
    def present(self) -> frozenset[NamedCategory]:
        """All categories that are known to be in the picture, visible or hidden."""
        return self.hidden | self.segments.keys()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> PictureFacts:
        """A picture from the facts of a segmentation sample.

        Raises:
            CorpusError: the facts do not describe a segmentation target with categories.
        """
        try:
            return _parse(facts)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as why:
            raise CorpusError(
                "the facts do not describe segments with categories: "
                f"{cut_text(in_words(why), 200)}"
            ) from why


def _parse(facts: Mapping[str, Any]) -> PictureFacts:
    size = facts["size"]["width"], facts["size"]["height"]
    if any(type(side) is not int or not 0 < side <= _SIDE_MAX for side in size):
        raise ValueError(f"size is {size}")
    key, source, dropped = facts["key"], facts["source"]["name"], facts["dropped"]
    if not all(isinstance(text, str) for text in (key, source, facts["variant"])):
        raise ValueError("key, source or variant is no text")
    groups: dict[NamedCategory, list[VisibleSegment]] = {}
    for label, fields in enumerate(drawn_segments(facts["segments"]), 1):
        if fields["label"] != label:
            raise ValueError(f"label {fields['label']} stands where {label} belongs")
        segment = _visible_segment(SegmentFacts.of({**fields, "id": label}), size)
        groups.setdefault(segment.category, []).append(segment)
    labelled = sum(segment.area for group in groups.values() for segment in group)
    hidden = [SegmentFacts.of({**fields, "id": 0}) for fields in undrawn_segments(facts)]
    return PictureFacts(
        key,
        source,
        size,
        segments={category: tuple(groups[category]) for category in sorted(groups)},
        hidden=frozenset(segment.named_category for segment in hidden),
        is_filtered=any(dropped[rule] for rule in dropped.keys() - _HARMLESS),
        unlabelled=1 - labelled,
    )


def _visible_segment(segment: SegmentFacts, size: tuple[int, int]) -> VisibleSegment:
    width, height = size
    left, top, across, down = segment.box
    if not 0 < segment.area <= across * down or left + across > width or top + down > height:
        raise ValueError(
            f"label {segment.id} has {segment.area} visible pixels in box {list(segment.box)} of "
            f"{width}x{height}"
        )
    return VisibleSegment(
        segment.id,
        segment.named_category,
        segment.iscrowd,
        area=segment.area / (width * height),
        box=(left / width, top / height, (left + across) / width, (top + down) / height),
        pixel_box=segment.box,
    )


def nearness(
    segment: VisibleSegment,
    labels: NDArray[np.uint16],
    inverse_depth: NDArray[np.float32],
    low: float,
    high: float,
) -> float:
    """How near a segment is to the camera: the median inverse depth of its visible pixels.

    0 at `low`, the farthest that the map shows, and 1 at `high`, the nearest. NaN where fewer than
    half of these pixels have a measurement.

    Args:
        segment: of this picture.
        labels: label map [H, W].
        inverse_depth: depth map [H, W], NaN where nothing was measured.
        low: inverse depth of the map's darkest level.
        high: inverse depth of the map's brightest level.

    Raises:
        CorpusError: the label map shows nothing of the segment in its box.
    """
    left, top, across, down = segment.pixel_box
    window = np.s_[top : top + down, left : left + across]
    values = inverse_depth[window][labels[window] == segment.label]
    if not values.size:
        raise CorpusError(f"label {segment.label} is not in its box {list(segment.pixel_box)}")
    measured = values[~np.isnan(values)]
    if 2 * measured.size < values.size:
        return float("nan")
    return (float(np.median(measured)) - low) / (high - low)
