"""The label map of what a legend names; all else of a picture has no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sgt_data.legends.parts import Part
from sgt_data.pictures.decode_source import Picture
from sgt_data.segmentation.label_map import LabelMap
from sgt_data.segmentation.regions import (
    PaintedSegments,
    Positions,
    Regions,
    hull,
    merge_segments,
)


@dataclass(frozen=True, slots=True)
class LegendMap:
    """What a legend names, painted.

    Attributes:
        labels: [H, W]; label k is `parts[k - 1]`, 0 is what the legend does not name.
        parts: what is visible.
        regions: the segments, those of a part and of an unlisted class as one.
        drawn: the visible parts in label order; all else counts as hidden.
    """

    labels: LabelMap
    parts: tuple[Part, ...]
    regions: Regions
    drawn: PaintedSegments


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted label map.

    Attributes:
        labels: [H, W].
        drawn: what is visible, in label order, and what is not.
    """

    labels: LabelMap
    drawn: PaintedSegments


def paint_segments(regions: Regions, picture: Picture) -> Painted:
    """Paint each segment of a picture by itself."""
    everything = np.arange(len(regions.segments))
    size = picture.height, picture.width
    return Painted(*regions.paint(everything, *size, picture.stored.orientation))


def paint_parts(
    regions: Regions, parts: Sequence[Part], unlisted: Sequence[Positions], picture: Picture
) -> LegendMap:
    """Paint the parts of a legend.

    Unlisted segments are not shown, but cover what lies below them: a cup that is not listed leaves
    a hole in the table.

    Args:
        regions: the segments of the picture.
        parts: what the legend names.
        unlisted: the segments of each other class.
        picture: gives size and orientation.
    """
    merged = merge_segments(regions, [*(part.positions for part in parts), *unlisted])
    covering = unlisted if regions.masks is not None else []  # id maps have no overlaps
    positions = [np.zeros(0, np.int64), *(part.positions for part in parts), *covering]
    painted = Painted(
        *merged.paint(
            np.concatenate(positions), picture.height, picture.width, picture.stored.orientation
        )
    )
    return _of_parts(painted, parts, unlisted, merged)


def join_parts(
    painted: Painted, parts: Sequence[Part], unlisted: Sequence[Positions], regions: Regions
) -> LegendMap:
    """The parts of a legend from segments that are painted one by one.

    Args:
        painted: all segments of the picture.
        parts: what the legend names.
        unlisted: the segments of each other class.
        regions: the segments of the picture, of which none covers another one.
    """
    groups = [*(part.positions for part in parts), *unlisted]
    merged = merge_segments(regions, groups)
    leaders = merged.groups[painted.drawn.visible]
    order = list(dict.fromkeys(leaders.tolist()))
    number_of = {leader: number for number, leader in enumerate(order, 1)}
    numbers = np.array([0, *(number_of[leader] for leader in leaders.tolist())], np.uint16)
    members = [np.flatnonzero(leaders == leader) for leader in order]
    drawn = PaintedSegments(
        np.array(order, np.int64),
        np.array([painted.drawn.areas[each].sum() for each in members], np.int64),
        np.array([hull(painted.drawn.boxes[each]) for each in members], np.int64).reshape(-1, 4),
        np.array([int(each[0]) for each in groups if int(each[0]) not in number_of], np.int64),
    )
    return _of_parts(Painted(numbers[painted.labels], drawn), parts, unlisted, merged)


def _of_parts(
    painted: Painted, parts: Sequence[Part], unlisted: Sequence[Positions], merged: Regions
) -> LegendMap:
    """The map of the parts alone, without what is painted of unlisted classes."""
    labels, drawn = painted.labels, painted.drawn
    part_of = {int(part.positions[0]): part for part in parts}
    shown = np.array([leader in part_of for leader in drawn.visible.tolist()], np.bool_)
    if not shown.all():
        numbers = np.concatenate(([0], np.cumsum(shown) * shown)).astype(labels.dtype)
        labels = numbers[labels]
    hidden = [leader for leader in drawn.hidden.tolist() if leader in part_of]
    drawn = replace(
        drawn,
        visible=drawn.visible[shown],
        areas=drawn.areas[shown],
        boxes=drawn.boxes[shown],
        hidden=np.array([*hidden, *(int(where[0]) for where in unlisted)], np.int64),
    )
    visible = tuple(part_of[leader] for leader in drawn.visible.tolist())
    return LegendMap(labels, visible, merged, drawn)
