"""The legend proxy: picture -> a map in the colours that the instruction states.

Colours are drawn for each sample, so a model must read them; see `legends.text` for the
structures of a legend and `legends.reader` for how it is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sgt_data.errors import AnnotationError, FilteredOut
from sgt_data.legends.colours import Background, colours_at_most
from sgt_data.legends.facts import StatedLegend
from sgt_data.legends.lines import unreadable_line
from sgt_data.legends.names import absent_categories, readable_name, scope_of
from sgt_data.legends.painted import LegendMap, join_parts, paint_parts, paint_segments
from sgt_data.legends.parts import (
    Choice,
    choose_classes,
    may_have_individuals,
    parts_of,
    phrases_of,
    with_individuals,
)
from sgt_data.legends.target import ColourForms, Look, Named, draw_target
from sgt_data.legends.text import LegendForm
from sgt_data.prompts.colour_words import colour_text
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.choose_segments import SegmentFilters, annotation_of
from sgt_data.proxies.drawn_regions import region_problems
from sgt_data.records import DrawnTarget, Layer
from sgt_data.seeds import generator
from sgt_data.segmentation.regions import Regions, regions_of
from sgt_data.segmentation.target_png import DecodedSegmentation, decode_target

Variant = Literal["semantic", "panoptic", "instance"]

_LAYERS: dict[Variant, tuple[Layer, ...]] = {
    "semantic": ("panoptic", "stuff", "instances"),
    "panoptic": ("panoptic",),
    "instance": ("instances", "panoptic"),
}
_KINDS: Mapping[str, frozenset[bool]] = {
    "instances": frozenset({True}),
    "stuff": frozenset({False}),
    "panoptic": frozenset({True, False}),
}
"""By layer, whether it annotates things (True), stuff (False) or both."""


class Negatives(BaseModel):
    """Classes of a legend that the picture does not show.

    Attributes:
        share: share of the samples (0 to 1) whose legend has such classes.
        at_most: most of them in one legend; each number from 1 on has the same chance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(0.3, ge=0, le=1)
    at_most: int = Field(3, ge=1, le=100)


class LegendProxy(Proxy):
    """Proxy that draws a map in the colours that its instruction states.

    Target:
        What the instruction's legend names in the colour that it states, the rest in the stated
        background colour; a PNG.

    Examples:
        {type: legend}
        {type: legend, name: legend-panoptic, variant: panoptic}
        {type: legend, name: legend-instance, variant: instance, background: black}

    Attributes:
        variant: what the legend names. `semantic`: classes of things and stuff; `instance`: classes
            of things alone; `panoptic`: as semantic, but things one by one ("the leftmost dog")
            where a phrase singles out each thing of the class.
        min_distance: least Euclidean distance between two colours of a sample, the background's
            included, in RGB levels.
        max_classes: most entries of a legend, the largest classes; all others are background.
        min_class_area: least share of the picture (0 to 1) that a class covers to be listed.
        background: colour of what the legend does not name; `random` is another one in each sample.
        negatives: classes that the legend names and the picture does not show.
        forms: weight of each structure of a legend; one that is not listed has none. `colons`:
            "dog: #804080, sky: red."; `equals`: "dog = #804080; sky = red."; `arrows`:
            "dog -> #804080"; `lines`: a line for each entry; `json`: an object; `prose`: "Paint
            every dog in #804080 and all sky in red."; `colours_first`: "#804080 means dog.".
        colour_forms: weight of each form of colours; one that is not listed has none. `hex`:
            #804080; `levels`: (128, 64, 128); `name`: a CSS name of this very colour; `mixed`:
            another form for each colour.
        filters: which segments are drawn; a class of which one is left out is not listed.
    """

    tier: ClassVar[Tier] = "high"
    placeholders: ClassVar[frozenset[str]] = frozenset({"legend", "background"})

    type: Literal["legend"] = "legend"
    name: str = "legend"
    variant: Variant = "semantic"
    min_distance: float = Field(80.0, ge=16, le=250)
    max_classes: int = Field(24, ge=1, le=200)
    min_class_area: float = Field(0.0, ge=0, le=1)
    background: Background = "random"
    negatives: Negatives = Negatives()
    forms: dict[LegendForm, float] = dict.fromkeys(get_args(LegendForm), 1.0)
    colour_forms: dict[ColourForms, float] = dict.fromkeys(get_args(ColourForms), 1.0)
    filters: SegmentFilters = SegmentFilters()

    @model_validator(mode="after")
    def _fields_fit(self) -> LegendProxy:
        most = colours_at_most(self.min_distance) - 1
        if self.max_classes > most:
            raise ValueError(
                f"max_classes is {self.max_classes}; at most {most} colours beside the background "
                f"are min_distance {self.min_distance:g} apart: lower one of the two"
            )
        if self.negatives.share > 0 and self.negatives.at_most >= self.max_classes:
            raise ValueError(
                f"negatives.at_most is {self.negatives.at_most} and max_classes "
                f"{self.max_classes}; no entry is left for what the picture shows"
            )
        for name, weights in (("forms", self.forms), ("colour_forms", self.colour_forms)):
            if any(not 0 <= weight <= 1e6 for weight in weights.values()) or not any(
                weights.values()
            ):
                raise ValueError(
                    f"{name} is {weights}; weights are 0 to 1,000,000, and one is above 0"
                )
        return self

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        allowed = _LAYERS[self.variant]
        if layers & set(allowed):
            return None
        why = "; masks without classes cannot have a legend" if "entities" in layers else ""
        return f"the {self.variant} variant needs annotations of {' or '.join(allowed)}{why}"

    def bank(self) -> str:
        return "legend"

    def line_problem(self, line: str) -> str | None:
        return unreadable_line(line)

    def draw(self, subject: Subject) -> DrawnTarget:
        layer, annotation = annotation_of(subject, _LAYERS[self.variant])
        if any(segment.category_id is None for segment in annotation.segments):
            raise AnnotationError("a segment has no category; a legend needs one of each")
        regions = regions_of(annotation)
        rng = generator(subject.seed, "legend", self.name, subject.key)
        absent = self._absent(layer, subject, rng)
        most = self.max_classes - len(absent)
        things_alone = self.variant == "instance" and layer == "panoptic"
        chosen, dropped = self.filters.choose(regions, subject.vocabulary, things_alone)
        choice = choose_classes(regions, chosen, subject.vocabulary, most, self.min_class_area)
        painted = self._painted(regions, choice, most, subject, rng)
        self.filters.require_visible(len(painted.parts))
        if not painted.parts and not absent:
            raise FilteredOut("the picture shows no class that a legend could name")
        look = Look(self.background, self.min_distance, self.forms, self.colour_forms)
        drawn = draw_target(painted, absent, look, subject.vocabulary, rng)
        facts = {"variant": self.variant, **drawn.facts, "dropped": dropped}
        return replace(drawn, facts=facts)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        stated = StatedLegend.of(facts)
        entries = [
            f"{entry.name} is {colour_text(entry.colour, 'name')}"
            for entry in stated.entries
            if entry.label
        ]
        entries.append(f"all else is {colour_text(stated.background, 'name')}")
        return f"segmentation map ({', '.join(entries)})"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The label map, and the facts of each label.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        return decode_target(target, facts)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        decoded = cls.decode(target, facts)
        return [*StatedLegend.of(facts).problems(), *region_problems(decoded)]

    @classmethod
    def instruction_contradictions(cls, instruction: str, facts: Mapping[str, Any]) -> list[str]:
        return StatedLegend.of(facts).text_problems(instruction)

    def _painted(
        self,
        regions: Regions,
        choice: Choice,
        most: int,
        subject: Subject,
        rng: np.random.Generator,
    ) -> LegendMap:
        """The classes of a choice; things one by one where the variant asks for it."""
        parts, unlisted = parts_of(choice, subject.vocabulary), list(choice.unlisted.values())
        picture = subject.picture
        if self.variant != "panoptic" or not may_have_individuals(parts):
            return paint_parts(regions, parts, unlisted, picture)
        singly = paint_segments(regions, picture)
        size = picture.height, picture.width
        options = phrases_of(regions, singly.drawn, *size, subject.vocabulary)
        parts = with_individuals(parts, regions.ids, options, most, rng)
        return join_parts(singly, parts, unlisted, regions)

    def _absent(self, layer: Layer, subject: Subject, rng: np.random.Generator) -> list[Named]:
        """The classes that the legend names and the picture does not show.

        They are absent from all annotations that the source has of this picture, and of a kind that
        the annotation of the layer covers.
        """
        count = int(rng.integers(1, self.negatives.at_most + 1))
        if rng.random() >= self.negatives.share:
            return []
        offered = sorted(subject.layers & _KINDS.keys())
        annotations = {each: subject.annotation(each) for each in offered}
        ids = {
            segment.category_id
            for annotation in annotations.values()
            if annotation is not None
            for segment in annotation.segments
        }
        present = [category for each, category in subject.vocabulary.items() if each in ids]
        kinds = frozenset({True}) if self.variant == "instance" else _KINDS[layer]
        if "stuff" in offered and annotations["stuff"] is None:
            kinds -= {False}  # what the stuff annotation alone lists may be in the picture
        absent = islice(absent_categories(subject.vocabulary, present, kinds, rng), count)
        return [
            Named(category, readable_name(category), scope_of(category), 0) for category in absent
        ]
