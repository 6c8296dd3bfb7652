"""The segmentation proxy: every segment in its own colour, in four variants.

- `entity`: class-agnostic masks as in SA-1B, objects and their parts.
- `instance`: countable things; the rest stays black.
- `panoptic`: things one by one, stuff per category.
- `semantic`: one colour per category, individuals merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sgt_data.errors import AnnotationError, FilteredOut
from sgt_data.proxies.base import ProxyConfig, Subject, Tier
from sgt_data.records import Annotation, DrawnTarget, Layer
from sgt_data.seeds import generator
from sgt_data.segmentation import palettes
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.label_map import (
    TOUCHING_LABELS_MAX,
    LabelMap,
    touching_labels,
    visible_regions,
)
from sgt_data.segmentation.regions import Regions, merge_categories, regions_of
from sgt_data.segmentation.target_png import DecodedSegmentation, decode_target, encode_target

Variant = Literal["entity", "instance", "panoptic", "semantic"]
CrowdPolicy = Literal["keep", "drop", "reject"]

_LAYERS: dict[Variant, tuple[Layer, ...]] = {
    "entity": ("entities", "instances", "panoptic"),
    "instance": ("instances", "panoptic"),
    "panoptic": ("panoptic",),
    "semantic": ("panoptic", "stuff", "instances"),
}


class SegmentFilters(BaseModel):
    """Which segments are drawn, and which pictures count.

    Attributes:
        min_area: least share of the picture (0 to 1) that a mask covers, before occlusion.
        min_predicted_iou: least `predicted_iou`, where the source has one (SA-1B).
        min_stability: least `stability_score`, where the source has one.
        crowds: `keep` draws a crowd region as one segment, `drop` leaves it black, `reject` leaves
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


class SegmentationProxy(ProxyConfig):
    """See the module.

    Attributes:
        variant: what a segment is.
        palette: where colours come from; `category` by default and by rule for `semantic`,
            `distinct` for the others.
        filters: which segments are drawn.
    """

    tier: ClassVar[Tier] = "high"

    type: Literal["segmentation"] = "segmentation"
    name: str = "segmentation"
    variant: Variant
    palette: palettes.Palette | None = None
    filters: SegmentFilters = SegmentFilters()

    @model_validator(mode="after")
    def _palette_fits(self) -> SegmentationProxy:
        if self.variant == "semantic" and self.palette not in (None, "category"):
            raise ValueError(
                f"palette is {self.palette}; the semantic variant takes category alone, "
                "for a class must have one colour in all pictures"
            )
        if self.variant == "entity" and self.palette == "category":
            raise ValueError("palette is category; the entity variant knows no categories")
        return self

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        allowed = _LAYERS[self.variant]
        if layers & set(allowed):
            return None
        return f"the {self.variant} variant needs annotations of {' or '.join(allowed)}"

    def bank(self) -> str:
        return f"segmentation_{self.variant}"

    def draw(self, subject: Subject) -> DrawnTarget:
        layer = next(one for one in _LAYERS[self.variant] if one in subject.layers)
        annotation = subject.annotation(layer)
        if annotation is None:
            raise FilteredOut(f"the source has no {layer} annotation of this picture")
        self._check(annotation, subject)
        regions = regions_of(annotation)
        chosen, dropped = self._choose(regions, layer, subject)
        if self.variant == "semantic":
            regions = merge_categories(regions, chosen)
        picture = subject.picture
        labels, drawn = regions.paint(
            chosen, picture.height, picture.width, picture.stored.orientation
        )
        if len(drawn.visible) < self.filters.min_segments:
            raise FilteredOut(
                f"{len(drawn.visible)} visible segments, min_segments is "
                f"{self.filters.min_segments}"
            )
        colours = self._colours(labels, regions.category_ids[drawn.visible], subject, drawn.boxes)
        segments = drawn.describe(regions, colours, subject.vocabulary)
        facts = {
            "variant": self.variant,
            "palette": self._palette,
            "unlabelled": [0, 0, 0],
            "segments": segments,
            "hidden": drawn.describe_hidden(regions, subject.vocabulary),
            "dropped": dropped,
        }
        names = {fact["category"] for fact in segments if "category" in fact}
        return DrawnTarget(
            encode_target(labels, colours), "png", facts,
            segments=len(drawn.visible), categories=tuple(sorted(names)),
        )  # fmt: skip

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        return decode_target(target, facts)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        decoded = cls.decode(target, facts)
        areas, boxes = visible_regions(decoded.labels, len(decoded.segments))
        return [
            f"label {label} has {area} pixels in box {box}; its facts say "
            f"{segment.get('visible_area')} in {segment.get('visible_box')}"
            for label, (segment, area, box) in enumerate(
                zip(decoded.segments, areas.tolist(), boxes.tolist(), strict=True), 1
            )
            if (segment.get("visible_area"), segment.get("visible_box")) != (area, box)
        ]

    @property
    def _palette(self) -> palettes.Palette:
        return self.palette or ("category" if self.variant == "semantic" else "distinct")

    def _check(self, annotation: Annotation, subject: Subject) -> None:
        stored = subject.picture.stored
        if (annotation.width, annotation.height) != (stored.width, stored.height):
            raise AnnotationError(
                f"the annotation is for {annotation.width}x{annotation.height} pixels, "
                f"the picture has {stored.width}x{stored.height}"
            )
        for segment in annotation.segments:
            known = segment.category_id is None or segment.category_id in subject.vocabulary
            if not known:
                raise AnnotationError(
                    f"segment {segment.id} has category {segment.category_id}, "
                    "which the source's categories do not list"
                )

    def _choose(
        self, regions: Regions, layer: Layer, subject: Subject
    ) -> tuple[NDArray[np.int64], dict[str, int]]:
        """Positions of the segments to draw, and how many each filter dropped."""
        filters = self.filters
        crowds = np.array([segment.iscrowd for segment in regions.segments], np.bool_)
        if filters.crowds == "reject" and crowds.any():
            raise FilteredOut(f"{int(crowds.sum())} crowd regions, and crowds is reject")
        ious = _scores([segment.predicted_iou for segment in regions.segments])
        stabilities = _scores([segment.stability_score for segment in regions.segments])
        pixels = regions.height * regions.width
        tests = {
            "crowds": crowds & (filters.crowds == "drop"),
            "min_area": regions.areas < filters.min_area * pixels,
            "min_predicted_iou": ious < (filters.min_predicted_iou or -np.inf),
            "min_stability": stabilities < (filters.min_stability or -np.inf),
        }
        if self.variant == "instance" and layer == "panoptic":
            things = [subject.vocabulary[one].isthing for one in regions.category_ids.tolist()]
            tests = {"stuff": ~np.array(things, np.bool_), **tests}
        keep = np.ones(len(regions.segments), np.bool_)
        dropped = {}
        for name, fails in tests.items():
            if count := int((keep & fails).sum()):
                dropped[name] = count
            keep &= ~fails
        chosen = np.flatnonzero(keep)
        if filters.max_segments is not None and len(chosen) > filters.max_segments:
            dropped["max_segments"] = len(chosen) - filters.max_segments
            largest = np.lexsort((regions.ids[chosen], -regions.areas[chosen]))
            chosen = np.sort(chosen[largest[: filters.max_segments]])
        return chosen, dropped

    def _colours(
        self,
        labels: LabelMap,
        categories: NDArray[np.int64],
        subject: Subject,
        boxes: NDArray[np.int64],
    ) -> Colours:
        count = len(categories)
        if self._palette == "distinct":
            return palettes.distinct(count, generator(subject.seed, "palette", subject.key))
        largest_id = max(subject.vocabulary, default=1)
        if self.variant == "semantic":
            return palettes.by_class(categories, largest_id)
        if count > TOUCHING_LABELS_MAX:
            raise AnnotationError(
                f"{count} visible segments; the palette {self._palette} tells at most "
                f"{TOUCHING_LABELS_MAX} apart, distinct tells all"
            )
        touching = touching_labels(labels, count)
        if self._palette == "category":
            return palettes.by_category(categories, largest_id, touching)
        if self._palette == "position":
            return palettes.by_position(boxes, labels.shape[0], labels.shape[1], touching)
        return palettes.tab20(touching, generator(subject.seed, "palette", subject.key))


def _scores(values: list[float | None]) -> NDArray[np.float64]:
    """Missing scores pass every threshold."""
    return np.array([np.inf if value is None else value for value in values], np.float64)
