"""Choice of the segments that a proxy draws."""

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

_RULES = ("stuff", "crowds", "min_area", "min_predicted_iou", "min_stability", "max_segments")
"""The rules by which segments are dropped; facts state the count of each."""


class SegmentFilters(BaseModel):
    """Rules by which segments are drawn, and by which pictures are left out.

    Attributes:
        min_area: least share of the picture (0 to 1) that a mask covers, hidden pixels included.
        min_predicted_iou: least `predicted_iou`, where the source has one (SA-1B).
        min_stability: least `stability_score`, where the source has one.
        crowds: `keep` draws a crowd region as one segment, `drop` leaves it out, `reject` leaves
            the whole picture out.
        max_segments: most segments that are drawn, the largest ones.
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
        """Choose the segments to draw.

        Args:
            regions: the segments of a picture.
            vocabulary: the source's categories by id.
            things_alone: whether stuff is left out.

        Returns:
            Indices of the chosen segments, and how many segments each rule dropped.

        Raises:
            FilteredOut: the picture has crowds, and `crowds` is `reject`.
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
            categories = [vocabulary[number] for number in regions.category_ids.tolist()]
            things = [category.isthing for category in categories]
            tests = {"stuff": ~np.array(things, np.bool_), **tests}
        keep = np.ones(len(regions.segments), np.bool_)
        dropped = dict.fromkeys(_RULES, 0)
        for name, fails in tests.items():
            dropped[name] = int((keep & fails).sum())
            keep &= ~fails
        chosen = np.flatnonzero(keep)
        if self.max_segments is not None and len(chosen) > self.max_segments:
            dropped["max_segments"] = len(chosen) - self.max_segments
            largest = np.lexsort((regions.ids[chosen], -regions.areas[chosen]))
            chosen = np.sort(chosen[largest[: self.max_segments]])
        return chosen, dropped

    def require_visible(self, count: int) -> None:
        """Check the number of visible segments of a picture.

        Raises:
            FilteredOut: there are fewer than `min_segments`.
        """
        if count < self.min_segments:
            raise FilteredOut(f"{count} visible segments, min_segments is {self.min_segments}")


def annotation_of(subject: Subject, layers: Sequence[Layer]) -> tuple[Layer, Annotation]:
    """The first of `layers` that the source has, and the picture's annotation of this layer.

    Raises:
        FilteredOut: the source has no annotation of this picture.
        AnnotationError: the annotation is of another size, or has a category that the source's
            vocabulary lacks.
    """
    layer = next(layer for layer in layers if layer in subject.layers)
    annotation = subject.annotation(layer)
    if annotation is None:
        raise FilteredOut(f"the source has no {layer} annotation of this picture")
    stored = subject.picture.stored
    size = (stored.width, stored.height) if annotation.orientation == 1 else stored.upright_size
    if (annotation.width, annotation.height) != size:
        raise AnnotationError(
            f"the annotation is for {annotation.width}x{annotation.height} pixels, "
            f"the picture has {size[0]}x{size[1]}"
        )
    for segment in annotation.segments:
        if segment.category_id is not None and segment.category_id not in subject.vocabulary:
            raise AnnotationError(
                f"segment {segment.id} has category {segment.category_id}, "
                "which the source's categories do not list"
            )
    return layer, annotation


def _scores(values: list[float | None]) -> NDArray[np.float64]:
    """Scores as an array; a missing score is infinite, so that it passes every threshold."""
    return np.array([np.inf if value is None else value for value in values], np.float64)
