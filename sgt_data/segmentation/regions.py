"""Regions: the segments of a picture with their masks or their id map, measured and painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.facts import NO_BOX, NO_CATEGORY_ID, NO_SCORE, NOT_DRAWN
from sgt_data.records import (
    Annotation,
    Category,
    MaskAnnotation,
    Segment,
)
from sgt_data.segmentation.box_geometry import stored_boxes
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.id_map import index_ids
from sgt_data.segmentation.label_map import (
    LABELS_MAX,
    LabelMap,
    mask_boxes,
    measure_map,
    paint_measured,
    painting_order,
)
from sgt_data.segmentation.pixel_sampling import SampleGrid, sample_grid
from sgt_data.segmentation.run_lengths import MaskRuns, parse_masks

Positions = NDArray[np.int64]
"""Indices into a picture's segments."""


@dataclass(frozen=True, slots=True)
class PaintedSegments:
    """The segments of a painted label map.

    Attributes:
        visible: [n], the segments of which a pixel is visible; label i + 1 is `visible[i]`.
        areas: [n], their visible pixels in the output.
        boxes: [n, 4], boxes of their visible pixels (x, y, width, height).
        hidden: [m], the segments of which no pixel is visible.
    """

    visible: Positions
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]
    hidden: Positions

    def describe(
        self, regions: Regions, colours: Colours, vocabulary: Mapping[int, Category]
    ) -> list[dict[str, Any]]:
        """Facts of the visible segments with their labels and `colours` [n, 3], in label order;
        then those of the hidden ones."""
        visible = [
            {
                "label": label,
                "color": colour,
                **regions.describe(position, vocabulary),
                "visible_area": area,
                "visible_box": box,
            }
            for label, (position, colour, area, box) in enumerate(
                zip(
                    self.visible.tolist(),
                    colours.tolist(),
                    self.areas.tolist(),
                    self.boxes.tolist(),
                    strict=True,
                ),
                1,
            )
        ]
        nowhere = {"visible_area": 0, "visible_box": NO_BOX}
        return visible + self.describe_hidden(regions, vocabulary, nowhere)

    def describe_hidden(
        self, regions: Regions, vocabulary: Mapping[int, Category], nowhere: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Facts of the segments that other segments cover, or that lie between output pixels.

        Args:
            regions: the segments of the picture.
            vocabulary: the source's categories by id.
            nowhere: what the facts say of the place of a segment that is not visible.
        """
        return [
            {**NOT_DRAWN, **regions.describe(position, vocabulary), **nowhere}
            for position in self.hidden.tolist()
        ]


@dataclass(frozen=True, slots=True)
class Regions:
    """The K segments of a picture, checked and measured in stored source pixels.

    Exactly one of `masks` and `positions` is set. They lie on the stored picture, or on the picture
    turned upright by `orientation`.

    Attributes:
        height, width: size of the stored picture.
        segments: the segments.
        areas: [K], pixels of each segment.
        boxes: [K, 4], box of each segment (x, y, width, height).
        groups: [K], the segment as which each segment is painted: itself, or the first chosen
            segment of its category (semantic maps).
        members: all segments that are painted as one, by the first of them (semantic maps).
        masks: masks of the segments, which may overlap.
        positions: [H, W], index of the segment of each pixel plus one, 0 where there is none.
        orientation: EXIF orientation by which `masks` or `positions` are turned already: 1 where
            they lie on the stored picture.
    """

    height: int
    width: int
    segments: tuple[Segment, ...]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]
    groups: NDArray[np.int64]
    members: Mapping[int, tuple[int, ...]]
    masks: MaskRuns | None
    positions: NDArray[np.uint16] | None
    orientation: int = 1

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of the segments [K]."""
        return np.array([segment.id for segment in self.segments], np.int64)

    @property
    def category_ids(self) -> NDArray[np.int64]:
        """Category ids [K], -1 where the source has none."""
        ids = (segment.category_id for segment in self.segments)
        return np.array([-1 if number is None else number for number in ids], np.int64)

    def paint(
        self, chosen: Positions, height: int, width: int, orientation: int
    ) -> tuple[LabelMap, PaintedSegments]:
        """Paint the chosen segments into an upright label map.

        Visible segments get the labels 1, 2, 3 ... in painting order (the largest first).

        Args:
            chosen: indices of the segments to paint.
            height, width: size of the output.
            orientation: EXIF orientation of the stored picture, 1 to 8.
        """
        grid = self._grid(height, width, orientation)
        order = chosen[painting_order(self.areas[chosen], self.ids[chosen])]
        leaders = list(dict.fromkeys(self.groups[order].tolist()))
        painted = np.zeros(len(self.segments) + 1, np.uint16)
        painted[np.asarray(leaders, np.int64) + 1] = np.arange(1, len(leaders) + 1)
        of_segment = np.zeros(len(self.segments) + 1, np.uint16)
        of_segment[chosen + 1] = painted[self.groups[chosen] + 1]
        if self.masks is not None:
            measured = paint_measured(self.masks, order, of_segment[1:], grid)
        else:
            assert self.positions is not None
            measured = measure_map(of_segment[grid.pick(self.positions)], len(leaders))
        visible = measured.areas > 0
        painted_segments = np.asarray(leaders, np.int64)
        return measured.labels, PaintedSegments(
            painted_segments[visible],
            measured.areas[visible],
            measured.boxes[visible],
            painted_segments[~visible],
        )

    def _grid(self, height: int, width: int, orientation: int) -> SampleGrid:
        """The pixels of `masks` or `positions` that an output of a picture shows."""
        if self.orientation == 1:
            return sample_grid(self.height, self.width, height, width, orientation)
        if self.orientation >= 5:
            return sample_grid(self.width, self.height, height, width)
        return sample_grid(self.height, self.width, height, width)

    def describe(self, position: int, vocabulary: Mapping[int, Category]) -> dict[str, Any]:
        """Facts of a segment as the source states them; see `sgt_data.facts` for what it lacks.

        Of segments that are painted as one: their ids, the sum of their areas and the box around
        their boxes.
        """
        segment = self.segments[position]
        category = _category_facts(segment, vocabulary)
        members = self.members.get(position)
        if members is not None:
            return {
                "ids": [self.segments[member].id for member in members],
                **category,
                "area": int(self.areas[list(members)].sum()),
                "box": hull(self.boxes[list(members)]),
            }
        return {
            "id": segment.id,
            **category,
            "area": int(self.areas[position]),
            "box": self.boxes[position].tolist(),
            "iscrowd": segment.iscrowd,
            "predicted_iou": _score(segment.predicted_iou),
            "stability_score": _score(segment.stability_score),
        }


def _category_facts(segment: Segment, vocabulary: Mapping[int, Category]) -> dict[str, Any]:
    if segment.category_id is None:
        return {"category_id": NO_CATEGORY_ID, "category": "", "isthing": False}
    category = vocabulary[segment.category_id]
    return {"category_id": category.id, "category": category.name, "isthing": category.isthing}


def _score(value: float | None) -> float:
    return NO_SCORE if value is None else float(value)


def hull(boxes: NDArray[np.int64]) -> list[int]:
    """The smallest box around boxes [n, 4] (x, y, width, height)."""
    left, top = boxes[:, :2].min(0).tolist()
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(0).tolist()
    return [left, top, right - left, bottom - top]


def regions_of(annotation: Annotation) -> Regions:
    """Check and measure the segments of an annotation.

    Raises:
        AnnotationError: masks or id map contradict the annotation, or there are too many segments.
    """
    segments, turn = annotation.segments, annotation.orientation
    height, width = annotation.height, annotation.width
    stored = (width, height) if turn >= 5 else (height, width)
    if len(segments) > LABELS_MAX:
        raise AnnotationError(f"{len(segments)} segments; at most {LABELS_MAX} are supported")
    groups = np.arange(len(segments))
    if isinstance(annotation, MaskAnnotation):
        masks = parse_masks(annotation.masks, height, width)
        boxes = stored_boxes(mask_boxes(masks), stored, turn)
        return Regions(*stored, segments, masks.areas, boxes, groups, {}, masks, None, turn)
    ids = [segment.id for segment in segments]
    positions, areas, boxes = index_ids(annotation.id_map, ids, annotation.void)
    boxes = stored_boxes(boxes, stored, turn)
    return Regions(*stored, segments, areas, boxes, groups, {}, None, positions, turn)


def merge_categories(regions: Regions, chosen: Positions) -> Regions:
    """Regions in which the chosen segments of a category are painted and described as one."""
    categories = regions.category_ids[chosen]
    same = [chosen[categories == category] for category in np.unique(categories).tolist()]
    return merge_segments(regions, same)


def merge_segments(regions: Regions, parts: Iterable[Positions]) -> Regions:
    """Regions in which the segments of a part, at least one, are painted and described as one."""
    groups = regions.groups.copy()
    members: dict[int, tuple[int, ...]] = {}
    for part in parts:
        groups[part] = part[0]
        members[int(part[0])] = tuple(part.tolist())
    return replace(regions, groups=groups, members=members)
