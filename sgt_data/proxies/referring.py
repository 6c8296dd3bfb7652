"""The referring proxy: picture and phrase -> mask of the segments that the phrase means.

The instruction names a category, or a segment by its place or size; the mask is white on black.
Visible pixels count: all segments are painted, and visible areas and boxes decide. A phrase is used
only where it means exactly what is drawn (see `sgt_data.referring`); a picture without any such
phrase is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sgt_data.errors import AnnotationError, CorpusError, FilteredOut
from sgt_data.facts import NO_BOX, NOT_DRAWN, drawn_segments, undrawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.grey_png import decode_grey, encode_grey
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.choose_segments import annotation_of
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
from sgt_data.segmentation.label_map import visible_regions
from sgt_data.segmentation.regions import regions_of
from sgt_data.segmentation.target_png import DecodedSegmentation
from sgt_data.value_text import cut, cut_text

_LAYERS: tuple[Layer, ...] = ("panoptic", "instances")
_WHITE = [255, 255, 255]
_KINDS: tuple[PhraseKind, ...] = ("category", "single", "place", "size")


class ReferringProxy(Proxy):
    """Proxy that draws the segments that a phrase means.

    Target:
        White where the segments are that the instruction's phrase means, the rest black; a grey
        PNG.

    Examples:
        {type: referring}

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

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if layers & set(_LAYERS):
            return None
        return f"referring needs annotations of {' or '.join(_LAYERS)}"

    def bank(self) -> str:
        return "referring"

    def draw(self, subject: Subject) -> DrawnTarget:
        _, annotation = annotation_of(subject, _LAYERS)
        if any(segment.category_id is None for segment in annotation.segments):
            raise AnnotationError("a segment has no category; phrases need one of each")
        regions = regions_of(annotation)
        picture = subject.picture
        size = picture.height, picture.width
        labels, drawn = regions.paint(
            np.arange(len(regions.segments)), *size, picture.stored.orientation
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
        phrase = self._choose([SegmentFacts.of(fact) for fact in visible], hidden, size, subject)
        ids = phrase.candidate.ids
        level_of_label = np.array([0, *(255 * (fact["id"] in ids) for fact in visible)], np.uint8)
        drawn_facts = [fact for fact in visible if fact["id"] in ids]
        facts = {
            "unlabelled": [0, 0, 0],
            "referring": {
                "phrase": phrase.text,
                "kind": phrase.candidate.kind,
                "category": phrase.candidate.category,
                "relation": phrase.candidate.relation,
            },
            "segments": [
                *({"label": 1, "color": _WHITE, **fact} for fact in drawn_facts),
                *({**NOT_DRAWN, **fact} for fact in visible if fact["id"] not in ids),
                *hidden,
            ],
        }
        return DrawnTarget(
            encode_grey(level_of_label[labels]), "png", facts, segments=len(drawn_facts),
            categories=(phrase.candidate.category,), words={"target": phrase.text},
        )  # fmt: skip

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return f"mask of {facts['referring']['phrase']}, white on black"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The mask as label 1, whose facts list the ids of the segments that it shows.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        stated = _Stated.of(facts)
        mask = _decode(target, stated.size)
        merged = {
            **facts["referring"],
            "label": 1,
            "color": _WHITE,
            "ids": [segment.id for segment in stated.segments],
        }
        return DecodedSegmentation(mask, (merged,))

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = _Stated.of(facts)
        areas, boxes = visible_regions(_decode(target, stated.size), 1)
        problems = []
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
        area, box = sum(segment.area for segment in stated.segments), _hull(stated.segments)
        if (areas[0], boxes[0].tolist()) != (area, box):
            problems.append(
                f"the mask has {areas[0]} pixels in box {boxes[0].tolist()}; "
                f"its facts say {area} in {box}"
            )
        return problems

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


@dataclass(frozen=True, slots=True)
class _Stated:
    """The fields of the facts that decoding needs.

    Attributes:
        size: width and height of the target.
        phrase: the phrase.
        words: the phrase as the instruction has it.
        category: name of the category of the drawn segments.
        segments: the drawn segments.
        rest: all other segments, hidden ones included.
    """

    size: tuple[int, int]
    phrase: str
    words: str
    category: str
    segments: tuple[SegmentFacts, ...]
    rest: tuple[SegmentFacts, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Stated:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            stated = cls(
                (facts["size"]["width"], facts["size"]["height"]),
                facts["referring"]["phrase"],
                facts["instruction"]["words"]["target"],
                facts["referring"]["category"],
                tuple(SegmentFacts.of(fact) for fact in drawn_segments(facts["segments"])),
                tuple(SegmentFacts.of(fact) for fact in undrawn_segments(facts)),
            )
            if {type(stated.phrase), type(stated.words), type(stated.category)} != {str}:
                raise ValueError("phrase or category is no text")
            if not stated.segments or any(segment.area == 0 for segment in stated.segments):
                raise ValueError("no segment is drawn, or one that cannot be seen")
        except (KeyError, TypeError, ValueError) as why:
            raise CorpusError(
                f"the facts do not describe a referring target: {cut_text(in_words(why), 200)}"
            ) from why
        return stated


def _hull(segments: Sequence[SegmentFacts]) -> list[int]:
    """The smallest box (x, y, width, height) around segments."""
    boxes = [segment.box for segment in segments]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return [left, top, right - left, bottom - top]


def _decode(target: bytes, size: tuple[int, int]) -> NDArray[np.uint16]:
    """The mask [H, W] of a target of the stated width and height: 1 inside, else 0.

    Raises:
        CorpusError: it is no grey PNG of this size, or has other values than 0 and 255.
    """
    levels = decode_grey(target, size, 8)
    if ((levels != 0) & (levels != 255)).any():
        raise CorpusError("the target holds greys, where only black and white belong")
    return levels // np.uint16(255)
