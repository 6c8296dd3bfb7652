"""The each proxy: picture and class -> every individual of the class in a colour of its own.

One class is named per sample, and each of its individuals has another colour, which the instruction
does not state: as instances are drawn in Vision Banana (arXiv 2604.20329). The choice of the class,
the nouns, stated backgrounds and absent classes are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sgt_data.errors import FilteredOut
from sgt_data.facts import NOT_DRAWN
from sgt_data.prompts.colour_words import ColourForm
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.drawn_regions import region_problems
from sgt_data.proxies.each_classes import (
    ClassLimits,
    NamedClass,
    absent_classes,
    chosen_class,
    drawable_classes,
)
from sgt_data.proxies.each_facts import EachFacts
from sgt_data.proxies.segment_colours import colour_segments
from sgt_data.proxies.stated_colours import (
    DISTANCE_MAX,
    FORMS,
    ColourChoice,
    WrittenColour,
    written_colours,
)
from sgt_data.proxies.whole_picture import WholePicture, paint_whole
from sgt_data.records import DrawnTarget, Layer
from sgt_data.seeds import generator
from sgt_data.segmentation.colours import Colours, spread_around
from sgt_data.segmentation.label_map import LabelMap
from sgt_data.segmentation.target_png import DecodedSegmentation, decode_target, encode_target

_LAYERS: tuple[Layer, ...] = ("instances", "panoptic")


class EachProxy(Proxy):
    """Proxy that draws every individual of one named class.

    Target:
        Each individual of the class in a colour of its own, the rest in the background colour; a
        PNG. All background where the class is absent.

    Examples:
        {type: each}
        {type: each, name: each-several, min_instances: 2, background: random, negatives: 0.2}

    Attributes:
        negatives: share of the samples that name a class which is absent from the picture, so that
            all is background. The class is any of the source's classes of things of which nothing
            is annotated; 0 where a source does not annotate all that a picture shows.
        min_instances: fewest visible individuals of the class.
        max_instances: most visible individuals of the class.
        min_area: least share of the picture that each visible individual of the class covers; a
            class with a smaller one is not named.
        instance_power: the chance of a class of the picture is its number of individuals to this
            power: 0 gives all classes the same chance, 1 prefers classes with many individuals, -1
            those with few.
        palette: where the colours of individuals come from; on another background than black,
            `distinct` alone.
        background: colour of all but the class: `random` for each sample, or a colour: `black`,
            `"#ff8000"` or `"(255, 128, 0)"`.
        colour_forms: how instructions write the background: `hex`, `levels`, `name` (where the
            colour has one).
        min_distance: least distance of the colour of an individual to the background, Euclidean
            in RGB levels.
    """

    tier: ClassVar[Tier] = "high"
    placeholders: ClassVar[frozenset[str]] = frozenset({"thing", "a_thing", "things", "background"})

    type: Literal["each"] = "each"
    name: str = "each"
    negatives: float = Field(0.1, ge=0, le=1)
    min_instances: int = Field(1, ge=1)
    max_instances: int | None = Field(None, ge=1)
    min_area: float = Field(0.0002, ge=0, le=1)
    instance_power: float = Field(0.0, ge=-8, le=8)
    palette: Literal["distinct", "position", "tab20"] = "distinct"
    background: ColourChoice = "black"
    colour_forms: tuple[ColourForm, ...] = Field(FORMS, min_length=1)
    min_distance: float = Field(48.0, ge=1, le=DISTANCE_MAX)

    @model_validator(mode="after")
    def _fields_fit(self) -> EachProxy:
        if self.max_instances is not None and self.max_instances < self.min_instances:
            raise ValueError(
                f"max_instances is {self.max_instances}, min_instances {self.min_instances}; no "
                "number of individuals fits"
            )
        if self.palette != "distinct" and (self.background, self.min_distance) != ("black", 48.0):
            raise ValueError(
                f"palette is {self.palette}, whose colours are made for black; with background or "
                "min_distance take distinct"
            )
        return self

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if layers & set(_LAYERS):
            return None
        return (
            f"each names a class, so it needs annotations of {' or '.join(_LAYERS)}; masks without "
            "classes, as those of SA-1B, do not serve"
        )

    def needed_words(self) -> tuple[frozenset[str], ...]:
        return frozenset({"thing", "a_thing", "things"}), frozenset({"background"})

    def bank(self) -> str:
        return "each"

    def draw(self, subject: Subject) -> DrawnTarget:
        whole = paint_whole(subject, _LAYERS)
        rng = generator(subject.seed, "each", subject.key)
        named, negative = self._choose(whole, subject, rng)
        numbers = [
            number
            for number, fact in enumerate(whole.visible)
            if fact["category_id"] == named.category.id
        ]
        table = np.zeros(len(whole.visible) + 1, np.uint16)
        table[np.array(numbers, np.int64) + 1] = np.arange(1, len(numbers) + 1)
        labels = table[whole.labels]
        (background,) = written_colours((self.background,), self.colour_forms, 0, rng)
        colours = self._colours(labels, whole.boxes[numbers], background, subject)
        drawn = set(numbers)
        facts = {
            "category": named.category.name,
            "category_id": named.category.id,
            "negative": negative,
            "palette": self.palette,
            "unlabelled": list(background.levels),
            "min_distance": self.min_distance if self.palette == "distinct" else 1.0,
            "segments": [
                *(
                    {"label": label, "color": colour, **whole.visible[number]}
                    for label, (number, colour) in enumerate(
                        zip(numbers, colours.tolist(), strict=True), 1
                    )
                ),
                *(
                    {**NOT_DRAWN, **fact}
                    for number, fact in enumerate(whole.visible)
                    if number not in drawn
                ),
                *whole.hidden,
            ],
        }
        return DrawnTarget(
            encode_target(labels, colours, background.levels), "png", facts,
            segments=len(numbers), categories=() if negative else (named.category.name,),
            words={**named.words, "background": background.text},
        )  # fmt: skip

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        words = facts["instruction"]["words"]
        things, background = words["things"], words["background"]
        if facts["negative"]:
            return f"map of {things} (there are none, so it is all {background})"
        return f"map of all {things} (each in a colour of its own, on {background})"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The label map, and the facts of each individual; none where the class is absent.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        return decode_target(target, facts)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        decoded, stated = cls.decode(target, facts), EachFacts.of(facts)
        return [*region_problems(decoded), *stated.problems()]

    def _choose(
        self, whole: WholePicture, subject: Subject, rng: np.random.Generator
    ) -> tuple[NamedClass, bool]:
        """The class that the sample names, and whether it is absent.

        A picture of which no class can be drawn gives no negative either: their share would not
        be the stated one, and a picture without things would tell the answer.
        """
        if whole.left_out:
            raise FilteredOut(
                f"{len(whole.left_out)} of its annotations cannot be read, so it is not known "
                "which individuals of a class are missing"
            )
        pixels = subject.picture.height * subject.picture.width
        limits = ClassLimits(self.min_instances, self.max_instances, self.min_area * pixels)
        drawable = drawable_classes(whole.visible, whole.hidden, subject.vocabulary, limits)
        if rng.random() >= self.negatives:
            return chosen_class(drawable, self.instance_power, rng), False
        absent = absent_classes([*whole.visible, *whole.hidden], subject.vocabulary)
        if not absent:
            raise FilteredOut(
                "each class of things of its source is in the picture, or could be meant by one "
                "that is; with negatives 0 it is drawn"
            )
        return chosen_class(absent, 0, rng), True

    def _colours(
        self,
        labels: LabelMap,
        boxes: NDArray[np.int64],
        background: WrittenColour,
        subject: Subject,
    ) -> Colours:
        """Colours [n, 3] of the labels 1 to n."""
        count = len(boxes)
        if self.palette != "distinct":
            return colour_segments(self.palette, labels, np.zeros(count, np.int64), boxes, subject)
        rng = generator(subject.seed, "each colours", subject.key)
        return rng.permutation(spread_around(count, rng, background.as_row, self.min_distance))
