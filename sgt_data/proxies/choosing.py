"""Which segments of a picture a proxy draws, and what is checked before it looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sgt_data.errors import AnnotationError, FilteredOut
from sgt_data.proxies.base import Subject
from sgt_data.records import Annotation, Category, Layer
from sgt_data.segmentation.regions import Positions, Regions

CrowdPolicy = Literal["keep", "drop", "reject"]


class SegmentFilters(BaseModel):
    """Which segments are drawn, and which pictures count.

    Attributes:
        min_area: least share of the picture (0 to 1) that a mask covers, before occlusion.
        min_predicted_iou: least `predicted_iou`, where the source has one (SA-1B).
        min_stability: least `stability_score`, where the source has one.
        crowds: `keep` draws a crowd region as one segment, `drop` leaves it out, `reject` leaves
            the whole picture out.
        max_segments: beyond it only the largest are drawn.
        min_segments: a picture with fewer visible segments is left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_area: float = Field(0.0, ge=0, le=1)
    min_predicted_iou: float | None = None
    min_stability: float | None = None
    crowds: CrowdPolicy = "keep"
    max_segments: int | None = Field(None, ge=1)
    min_segments: int = Field(1, ge=0)

    def choose(
        self, regions: Regions, vocabulary: Mapping[int, Category], things_alone: bool
    ) -> tuple[Positions, dict[str, int]]:
        """Positions of the segments to draw, and how many each filter dropped.

        Raises:
            FilteredOut: there are crowds, and they are rejected.
        """
        crowds = np.array([segment.iscrowd for segment in regions.segments], np.bool_)
        if self.crowds == "reject" and crowds.any():
            raise FilteredOut(f"{int(crowds.sum())} crowd regions, and crowds is reject")
        ious = _scores([segment.predicted_iou for segment in regions.segments])
        stabilities = _scores([segment.stability_score for segment in regions.segments])
        pixels = regions.height * regions.width
        tests = {
            "crowds": crowds & (self.crowds == "drop"),
            "min_area": regions.areas < self.min_area * pixels,
            "min_predicted_iou": ious < (self.min_predicted_iou or -np.inf),
            "min_stability": stabilities < (self.min_stability or -np.inf),
        }
        if things_alone:
            things = [vocabulary[one].isthing for one in regions.category_ids.tolist()]
            tests = {"stuff": ~np.array(things, np.bool_), **tests}
        keep = np.ones(len(regions.segments), np.bool_)
        dropped = {}
        for name, fails in tests.items():
            if count := int((keep & fails).sum()):
                dropped[name] = count
            keep &= ~fails
        chosen = np.flatnonzero(keep)
        if self.max_segments is not None and len(chosen) > self.max_segments:
            dropped["max_segments"] = len(chosen) - self.max_segments
            largest = np.lexsort((regions.ids[chosen], -regions.areas[chosen]))
            chosen = np.sort(chosen[largest[: self.max_segments]])
        return chosen, dropped

    def require_visible(self, count: int) -> None:
        """
        Raises:
            FilteredOut: `count` visible segments are too few.
        """
        if count < self.min_segments:
            raise FilteredOut(f"{count} visible segments, min_segments is {self.min_segments}")


def annotation_of(subject: Subject, layers: Sequence[Layer]) -> tuple[Layer, Annotation]:
    """The first of `layers` that the source has, and what it says of this picture.

    Raises:
        FilteredOut: it says nothing of this picture.
        AnnotationError: it is of another size, or of categories that the source does not list.
    """
    layer = next(one for one in layers if one in subject.layers)
    annotation = subject.annotation(layer)
    if annotation is None:
        raise FilteredOut(f"the source has no {layer} annotation of this picture")
    stored = subject.picture.stored
    if (annotation.width, annotation.height) != (stored.width, stored.height):
        raise AnnotationError(
            f"the annotation is for {annotation.width}x{annotation.height} pixels, "
            f"the picture has {stored.width}x{stored.height}"
        )
    for segment in annotation.segments:
        if segment.category_id is not None and segment.category_id not in subject.vocabulary:
            raise AnnotationError(
                f"segment {segment.id} has category {segment.category_id}, "
                "which the source's categories do not list"
            )
    return layer, annotation


def _scores(values: list[float | None]) -> NDArray[np.float64]:
    """Missing scores pass every threshold."""
    return np.array([np.inf if value is None else value for value in values], np.float64)
