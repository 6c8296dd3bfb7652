"""All segments of a picture painted into one map, each with what is visible of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.facts import NO_BOX
from sgt_data.proxies.base import Subject
from sgt_data.proxies.choose_segments import annotation_of
from sgt_data.records import Layer
from sgt_data.segmentation.label_map import LabelMap
from sgt_data.segmentation.regions import regions_of


@dataclass(frozen=True, slots=True)
class WholePicture:
    """A picture with every segment of its annotation.

    Attributes:
        labels: [H, W]; label k is `visible[k - 1]`, 0 is no segment.
        visible: facts of the segments of which the map shows something, with `visible_area` and
            `visible_box`.
        hidden: facts of those that others cover, or that lie between output pixels; label 0.
        boxes: [n, 4], boxes of the visible segments (x, y, width, height).
        left_out: what is wrong with each annotation that could not be painted.
    """

    labels: LabelMap
    visible: list[dict[str, Any]]
    hidden: list[dict[str, Any]]
    boxes: NDArray[np.int64]
    left_out: tuple[str, ...]


def paint_whole(subject: Subject, layers: Sequence[Layer]) -> WholePicture:
    """Paint all segments of the first of `layers` that the source has.

    Raises:
        FilteredOut: the source has no annotation of this picture.
        AnnotationError: the annotation cannot be right, or a segment has no category.
    """
    _, annotation = annotation_of(subject, layers)
    if any(segment.category_id is None for segment in annotation.segments):
        raise AnnotationError("a segment has no category; phrases need one of each")
    regions = regions_of(annotation)
    picture = subject.picture
    labels, drawn = regions.paint(
        np.arange(len(regions.segments)), picture.height, picture.width, picture.stored.orientation
    )
    visible = [
        {
            **regions.describe(position, subject.vocabulary),
            "visible_area": area,
            "visible_box": box,
        }
        for position, area, box in zip(
            drawn.visible.tolist(), drawn.areas.tolist(), drawn.boxes.tolist(), strict=True
        )
    ]
    nowhere = {"visible_area": 0, "visible_box": NO_BOX}
    hidden = drawn.describe_hidden(regions, subject.vocabulary, nowhere)
    left_out = getattr(annotation, "left_out", ())
    return WholePicture(labels, visible, hidden, drawn.boxes, left_out)
