"""The referring proxy: picture and phrase -> mask of the segments that the phrase means.

The instruction names a category, or a segment by its place or size; the mask is white on black, or
has the colours that the instruction states.
Visible pixels count: all segments are painted, and visible areas and boxes decide. A phrase is used
only where it means exactly what is drawn (see `sgt_data.referring`); a picture without any such
phrase is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from sgt_data.errors import AnnotationError, FilteredOut
from sgt_data.facts import NOT_DRAWN
from sgt_data.pictures.grey_png import encode_grey
from sgt_data.prompts.colour_words import ColourForm
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.referring_facts import ReferringFacts
from sgt_data.proxies.stated_colours import (
    DISTANCE_MAX,
    FORMS,
    ColourChoice,
    WrittenColour,
    too_near,
    written_colours,
)
from sgt_data.proxies.whole_picture import paint_whole
from sgt_data.records import DrawnTarget, Layer
from sgt_data.referring.phrases import (
    Margins,
    Phrase,
    PhraseKind,
    candidates,
    choose_phrase,
)
from sgt_data.referring.referents import referents
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.seeds import generator
from sgt_data.segmentation.label_map import LabelMap, visible_regions
from sgt_data.segmentation.regions import hull
from sgt_data.segmentation.target_png import DecodedSegmentation, encode_target
from sgt_data.value_text import cut

_LAYERS: tuple[Layer, ...] = ("panoptic", "instances")
_WHITE, _BLACK = WrittenColour((255, 255, 255), "white"), WrittenColour((0, 0, 0), "black")
_KINDS: tuple[PhraseKind, ...] = ("category", "single", "place", "size")


class ReferringProxy(Proxy):
    """Proxy that draws the segments that a phrase means.

    Target:
        White where the segments are that the instruction's phrase means, the rest black; a grey
        PNG. Or in two colours that the instruction states; a PNG with palette.

    Examples:
        {type: referring}
        {type: referring, name: referring-colour, color: random, background: random}

    Attributes:
        kinds: which phrases are allowed. `category`: "all dogs", "the sky"; `single`: "the dog",
            the only one of its category; `place`: "the leftmost dog"; `size`: "the largest dog".
        centre_margin: least distance, as a share of the picture's width or height, from the centre
            of a segment chosen by place to that of the runner-up.
        edge_margin: least distance, as a share of the picture's width or height, between the outer
            edges of the two on that side.
        size_ratio: least ratio of both visible areas and areas of visible boxes between a segment
            chosen by size and the runner-up.
        min_area: least share of the picture that the target covers.
        color: of what the phrase means: `random` for each sample, or a colour: `red`, `"#ff8000"`
            or `"(255, 128, 0)"`.
        background: colour of the rest, in the same way.
        colour_forms: how instructions write the two colours: `hex`, `levels`, `name` (where a
            colour has one). By default in all three ways; and not at all where the mask is white
            on black, unless forms are given.
        min_distance: least distance of the two colours, Euclidean in RGB levels.
    """

    tier: ClassVar[Tier] = "high"
    placeholders: ClassVar[frozenset[str]] = frozenset({"target"})

    type: Literal["referring"] = "referring"
    name: str = "referring"
    kinds: tuple[PhraseKind, ...] = Field(_KINDS, min_length=1)
    centre_margin: float = Field(0.1, gt=0, le=1)
    edge_margin: float = Field(0.05, gt=0, le=1)
    size_ratio: float = Field(2.0, gt=1, le=1000)
    min_area: float = Field(0.002, ge=0, le=1)
    color: ColourChoice = "white"
    background: ColourChoice = "black"
    colour_forms: tuple[ColourForm, ...] | None = Field(None, min_length=1)
    min_distance: float = Field(100.0, ge=1, le=DISTANCE_MAX)

    @model_validator(mode="after")
    def _colours_differ(self) -> ReferringProxy:
        if problem := too_near(self.color, self.background, self.min_distance):
            raise ValueError(f"color and background: {problem}")
        return self

    @property
    def _states_colours(self) -> bool:
        return (self.color, self.background, self.colour_forms) != ("white", "black", None)

    def unstated_fields(self) -> frozenset[str]:
        later = {"color", "background", "colour_forms", "min_distance"}
        return super().unstated_fields() | (set() if self._states_colours else later)

    def needed_words(self) -> tuple[frozenset[str], ...]:
        names = ("target", "color", "background") if self._states_colours else ("target",)
        return tuple(frozenset({name}) for name in names)

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if layers & set(_LAYERS):
            return None
        return f"referring needs annotations of {' or '.join(_LAYERS)}"

    def bank(self) -> str:
        return "referring_colour" if self._states_colours else "referring"

    def draw(self, subject: Subject) -> DrawnTarget:
        whole, picture = paint_whole(subject, _LAYERS), subject.picture
        segments = [SegmentFacts.of(fact) for fact in whole.visible]
        size = picture.height, picture.width
        phrase = self._choose(segments, whole.hidden, size, subject)
        color, background = self._colours(subject)
        ids = phrase.candidate.ids
        is_meant = [fact["id"] in ids for fact in whole.visible]
        drawn = [fact for fact, meant in zip(whole.visible, is_meant, strict=True) if meant]
        facts: dict[str, Any] = {
            "unlabelled": list(background.levels),
            "referring": {
                "phrase": phrase.text,
                "kind": phrase.candidate.kind,
                "category": phrase.candidate.category,
                "relation": phrase.candidate.relation,
            },
            "segments": [
                *({"label": 1, "color": list(color.levels), **fact} for fact in drawn),
                *({**NOT_DRAWN, **fact} for fact in whole.visible if fact["id"] not in ids),
                *whole.hidden,
            ],
        }
        words = {"target": phrase.text}
        if self._states_colours:
            facts |= {"color": list(color.levels), "min_distance": self.min_distance}
            words |= {"color": color.text, "background": background.text}
        mask = np.array([0, *is_meant], np.uint16)[whole.labels]
        return DrawnTarget(
            self._encode(mask, color, background), "png", facts, segments=len(drawn),
            categories=(phrase.candidate.category,), words=words,
        )  # fmt: skip

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        words = facts["instruction"]["words"]
        colours = f"{words.get('color', 'white')} on {words.get('background', 'black')}"
        return f"mask of {facts['referring']['phrase']} ({colours})"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The mask as label 1, whose facts list the ids of the segments that it shows.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        stated = ReferringFacts.of(facts)
        mask = stated.mask(target)
        merged = {
            **facts["referring"],
            "label": 1,
            "color": list(stated.color),
            "ids": [segment.id for segment in stated.segments],
        }
        return DecodedSegmentation(mask, (merged,))

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = ReferringFacts.of(facts)
        areas, boxes = visible_regions(stated.mask(target), 1)
        problems = stated.misread_colours()
        if stated.words != stated.phrase:
            problems.append(f"the instruction names {cut(stated.words)}, not {cut(stated.phrase)}")
        drawn_ids = {segment.id for segment in stated.segments}
        referent_ids = referents(stated.phrase, [*stated.segments, *stated.rest])
        if referent_ids != drawn_ids:
            problems.append(
                f"{cut(stated.phrase)} means the segments {sorted(referent_ids)}; "
                f"{sorted(drawn_ids)} are drawn"
            )
        if {segment.category for segment in stated.segments} != {stated.category}:
            problems.append(f"the drawn segments are not all of category {cut(stated.category)}")
        area, box = sum(segment.area for segment in stated.segments), hull(stated.boxes)
        if (areas[0], boxes[0].tolist()) != (area, box):
            problems.append(
                f"the mask has {areas[0]} pixels in box {boxes[0].tolist()}; "
                f"its facts say {area} in {box}"
            )
        return problems

    def _colours(self, subject: Subject) -> tuple[WrittenColour, WrittenColour]:
        """Of what the phrase means, and of the rest."""
        if not self._states_colours:
            return _WHITE, _BLACK
        rng = generator(subject.seed, "referring colours", subject.key)
        color, background = written_colours(
            (self.color, self.background), self.colour_forms or FORMS, self.min_distance, rng
        )
        return color, background

    def _encode(self, mask: LabelMap, color: WrittenColour, background: WrittenColour) -> bytes:
        if self._states_colours:
            return encode_target(mask, color.as_row, background.levels)
        return encode_grey(mask.astype(np.uint8) * np.uint8(255))

    def _choose(
        self,
        visible: Sequence[SegmentFacts],
        hidden: Sequence[Mapping[str, Any]],
        size: tuple[int, int],
        subject: Subject,
    ) -> Phrase:
        concealed = [SegmentFacts.of(fact) for fact in hidden]
        margins = Margins(self.centre_margin, self.edge_margin, self.size_ratio, self.min_area)
        allowed = [
            candidate
            for candidate in candidates(visible, concealed, *size, margins)
            if candidate.kind in self.kinds
        ]
        if not allowed:
            raise FilteredOut(
                f"nothing unambiguous can be said of its {len(visible)} visible segments "
                f"(kinds {', '.join(self.kinds)})"
            )
        phrase = choose_phrase(allowed, generator(subject.seed, "referring", subject.key))
        ids = referents(phrase.text, [*visible, *concealed])
        if ids != phrase.candidate.ids:
            raise AnnotationError(
                f"{phrase.text!r} means the segments {sorted(ids)}, not those it was made for"
            )
        return phrase
