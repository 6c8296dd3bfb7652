"""The label map of what a legend names; all else of a picture has no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sgt_data.pictures.decode_source import Picture
from sgt_data.proxies.legend_parts import Part
from sgt_data.segmentation.label_map import LabelMap
from sgt_data.segmentation.regions import PaintedSegments, Positions, Regions, merge_segments


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
    part_of = {int(part.positions[0]): part for part in parts}
    merged = merge_segments(regions, [*(part.positions for part in parts), *unlisted])
    covering = unlisted if regions.masks is not None else []  # id maps have no overlaps
    painted = [np.zeros(0, np.int64), *(part.positions for part in parts), *covering]
    labels, drawn = merged.paint(
        np.concatenate(painted), picture.height, picture.width, picture.stored.orientation
    )
    shown = np.array([leader in part_of for leader in drawn.visible.tolist()], np.bool_)
    if not shown.all():
        numbers = np.concatenate(([0], np.cumsum(shown) * shown)).astype(labels.dtype)
        labels = numbers[labels]
    hidden = [leader for leader in drawn.hidden.tolist() if leader in part_of]
    others = [int(where[0]) for where in unlisted]
    drawn = replace(
        drawn,
        visible=drawn.visible[shown],
        areas=drawn.areas[shown],
        boxes=drawn.boxes[shown],
        hidden=np.array([*hidden, *others], np.int64),
    )
    return LegendMap(
        labels, tuple(part_of[leader] for leader in drawn.visible.tolist()), merged, drawn
    )
