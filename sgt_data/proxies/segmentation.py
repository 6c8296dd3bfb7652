"""The segmentation proxy: picture -> its segments, each in a colour of its own, in four variants.

- `entity`: masks without class as in SA-1B, objects and their parts.
- `instance`: countable things; the rest is black.
- `panoptic`: each thing, and stuff by category.
- `semantic`: a colour for each category; its segments are merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from sgt_data.facts import drawn_segments, has_category
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.choose_segments import SegmentFilters, annotation_of
from sgt_data.proxies.drawn_regions import region_problems
from sgt_data.proxies.segment_colours import colour_segments
from sgt_data.records import DrawnTarget, Layer
from sgt_data.segmentation import palettes
from sgt_data.segmentation.regions import merge_categories, regions_of
from sgt_data.segmentation.target_png import DecodedSegmentation, decode_target, encode_target

Variant = Literal["entity", "instance", "panoptic", "semantic"]
Masks = Literal["entities", "instances", "panoptic", "stuff"]

_LAYERS: dict[Variant, tuple[Layer, ...]] = {
    "entity": ("entities", "instances", "panoptic"),
    "instance": ("instances", "panoptic"),
    "panoptic": ("panoptic",),
    "semantic": ("panoptic", "stuff", "instances"),
}

_MAP_WORDS: Mapping[Any, str] = {
    "entity": "segmentation map of all objects and their parts",
    "instance": "instance segmentation map of the things on black",
    "panoptic": "panoptic segmentation map",
    "semantic": "semantic segmentation map",
}


class SegmentationProxy(Proxy):
    """Proxy that draws the segments of a picture.

    Target:
        Each segment in a colour of its own, the rest black; a PNG.

    Examples:
        {type: segmentation, name: entity, variant: entity, sources: [sa1b]}
        {type: segmentation, name: instance, variant: instance}
        {type: segmentation, name: panoptic, variant: panoptic}
        {type: segmentation, name: semantic, variant: semantic}

    Attributes:
        variant: what a segment is. `entity`: masks without class, objects and their parts;
            `instance`: countable things, the rest is black; `panoptic`: each thing, and stuff by
            category; `semantic`: a colour for each category, whose segments are merged.
        annotator: name of the annotator that provides masks where the source has none (entity
            variant).
        masks: which annotations are drawn, where the source has several; by default the first that
            it has of entities, instances, panoptic (entity variant), instances, panoptic (instance)
            or panoptic, stuff, instances (semantic).
        palette: where colours come from; always `category` for `semantic`, by default `distinct`
            for the other variants.
        filters: which segments are drawn.
    """

    tier: ClassVar[Tier] = "high"
    annotated_layer: ClassVar[Layer | None] = "entities"

    type: Literal["segmentation"] = "segmentation"
    name: str = "segmentation"
    variant: Variant
    annotator: str | None = None
    masks: Masks | None = None
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
        if self.annotator is not None and self.variant != "entity":
            raise ValueError(
                f"annotators give masks without categories; not the {self.variant} "
                "variant's, the entity variant's"
            )
        return self

    @model_validator(mode="after")
    def _masks_fit(self) -> SegmentationProxy:
        allowed = _LAYERS[self.variant]
        if self.masks is not None and self.masks not in allowed:
            raise ValueError(
                f"masks is {self.masks}; the {self.variant} variant draws {' or '.join(allowed)}"
            )
        return self

    def unstated_fields(self) -> frozenset[str]:
        return super().unstated_fields() | frozenset({"masks"} if self.masks is None else ())

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        return None if layers & set(self._layers) else self.annotator

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        allowed = self._layers
        if layers & set(allowed) or self.annotator:
            return None
        return f"the {self.variant} variant needs annotations of {' or '.join(allowed)}"

    def bank(self) -> str:
        return f"segmentation_{self.variant}"

    def draw(self, subject: Subject) -> DrawnTarget:
        layer, annotation = annotation_of(subject, self._layers)
        regions = regions_of(annotation)
        things_alone = self.variant == "instance" and layer == "panoptic"
        chosen, dropped = self.filters.choose(regions, subject.vocabulary, things_alone)
        if self.variant == "semantic":
            regions = merge_categories(regions, chosen)
        picture = subject.picture
        labels, drawn = regions.paint(
            chosen, picture.height, picture.width, picture.stored.orientation
        )
        self.filters.require_visible(len(drawn.visible))
        categories = regions.category_ids[drawn.visible]
        if self.variant == "semantic":
            colours = palettes.by_class(*palettes.category_numbers(categories, subject.vocabulary))
        else:
            colours = colour_segments(self._palette, labels, categories, drawn.boxes, subject)
        segments = drawn.describe(regions, colours, subject.vocabulary)
        facts = {
            "variant": self.variant,
            "palette": self._palette,
            "unlabelled": [0, 0, 0],
            "segments": segments,
            "dropped": dropped,
        }
        names = {fact["category"] for fact in drawn_segments(segments) if has_category(fact)}
        return DrawnTarget(
            encode_target(labels, colours), "png", facts,
            segments=len(drawn.visible), categories=tuple(sorted(names)),
        )  # fmt: skip

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The label map, and the facts of each label.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        return decode_target(target, facts)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        return region_problems(cls.decode(target, facts))

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return _MAP_WORDS.get(facts.get("variant"), "segmentation map")

    @property
    def _layers(self) -> tuple[Layer, ...]:
        """The annotations that may be drawn, the best first."""
        return _LAYERS[self.variant] if self.masks is None else (self.masks,)

    @property
    def _palette(self) -> palettes.Palette:
        return self.palette or ("category" if self.variant == "semantic" else "distinct")
