"""The referring proxy: the instruction names one category, or one segment by its place or size; the
target is a mask of what it means, white on black.

What counts is what one sees: every segment is painted, and visible areas and boxes decide. A phrase
is used only if it means exactly what is drawn (see `sgt_data.referring`); a picture of which
nothing unambiguous can be said is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sgt_data.errors import AnnotationError, CorpusError, FilteredOut
from sgt_data.pictures.grey_png import decode_grey, encode_grey
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.choosing import annotation_of
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

_LAYERS: tuple[Layer, ...] = ("panoptic", "instances")
_WHITE = [255, 255, 255]
_KINDS: tuple[PhraseKind, ...] = ("category", "single", "place", "size")


class ReferringProxy(Proxy):
    """See the module.

    Attributes:
        kinds: which phrases are allowed. `category`: "all dogs", "the sky"; `single`: "the dog",
            the only one of its category; `place`: "the leftmost dog"; `size`: "the largest dog".
        centre_margin: least distance, as a share of the picture's width or height, from the centre
            of a segment chosen by place to that of the runner-up.
        edge_margin: the same for their outer edges on that side.
        size_ratio: least ratio of both visible areas and areas of visible boxes between a segment
            chosen by size and the runner-up.
        min_area: least share of the picture that the target covers.
    """

    tier: ClassVar[Tier] = "high"

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
        hidden = drawn.describe_hidden(regions, subject.vocabulary)
        phrase = self._choose([SegmentFacts.of(one) for one in visible], hidden, size, subject)
        meant = phrase.candidate.ids
        is_meant = np.array([0, *(255 * (one["id"] in meant) for one in visible)], np.uint8)
        chosen = [one for one in visible if one["id"] in meant]
        facts = {
            "unlabelled": [0, 0, 0],
            "referring": {
                "phrase": phrase.text,
                "kind": phrase.candidate.kind,
                "category": phrase.candidate.category,
                "relation": phrase.candidate.relation,
            },
            "segments": [{"label": 1, "color": _WHITE, **one} for one in chosen],
            "others": [one for one in visible if one["id"] not in meant],
            "hidden": hidden,
        }
        return DrawnTarget(
            encode_grey(is_meant[labels]), "png", facts, segments=len(chosen),
            categories=(phrase.candidate.category,), words={"target": phrase.text},
        )  # fmt: skip

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The mask as label 1, whose one fact lists the ids of all segments that it shows."""
        stated = _Stated.of(facts)
        mask = _decode(target, stated.size)
        merged = {
            **facts["referring"],
            "label": 1,
            "color": _WHITE,
            "ids": [one.id for one in stated.segments],
        }
        return DecodedSegmentation(mask, (merged,))

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = _Stated.of(facts)
        areas, boxes = visible_regions(_decode(target, stated.size), 1)
        found = []
        if stated.words != stated.phrase:
            found.append(f"the instruction names {stated.words!r:.80}, not {stated.phrase!r:.80}")
        drawn = {one.id for one in stated.segments}
        meant = referents(stated.phrase, [*stated.segments, *stated.rest])
        if meant != drawn:
            found.append(
                f"{stated.phrase!r:.80} means the segments {sorted(meant)}; "
                f"{sorted(drawn)} are drawn"
            )
        if {one.category for one in stated.segments} != {stated.category}:
            found.append(f"the drawn segments are not all of category {stated.category!r:.80}")
        area, box = sum(one.area for one in stated.segments), _hull(stated.segments)
        if (areas[0], boxes[0].tolist()) != (area, box):
            found.append(
                f"the mask has {areas[0]} pixels in box {boxes[0].tolist()}; "
                f"its facts say {area} in {box}"
            )
        return found

    def _choose(
        self,
        visible: Sequence[SegmentFacts],
        hidden: Sequence[Mapping[str, Any]],
        size: tuple[int, int],
        subject: Subject,
    ) -> Phrase:
        concealed = [SegmentFacts.of(one) for one in hidden]
        margins = Margins(self.centre_margin, self.edge_margin, self.size_ratio, self.min_area)
        found = [
            one for one in candidates(visible, concealed, *size, margins) if one.kind in self.kinds
        ]
        if not found:
            raise FilteredOut(
                f"nothing unambiguous can be said of its {len(visible)} visible segments "
                f"(kinds {', '.join(self.kinds)})"
            )
        phrase = choose_phrase(found, generator(subject.seed, "referring", subject.key))
        meant = referents(phrase.text, [*visible, *concealed])
        if meant != phrase.candidate.ids:
            raise AnnotationError(
                f"{phrase.text!r} means the segments {sorted(meant)}, not those it was made for"
            )
        return phrase


@dataclass(frozen=True, slots=True)
class _Stated:
    """What the facts say: width and height, the phrase as they and as the instruction have it, the
    drawn segments, and all others, hidden ones too."""

    size: tuple[int, int]
    phrase: str
    words: str
    category: str
    segments: tuple[SegmentFacts, ...]
    rest: tuple[SegmentFacts, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Stated:
        """
        Raises:
            CorpusError: the facts lack something.
        """
        try:
            stated = cls(
                (facts["size"]["width"], facts["size"]["height"]),
                facts["referring"]["phrase"],
                facts["instruction"]["words"]["target"],
                facts["referring"]["category"],
                tuple(SegmentFacts.of(one) for one in facts["segments"]),
                tuple(SegmentFacts.of(one) for one in (*facts["others"], *facts["hidden"])),
            )
            if {type(stated.phrase), type(stated.words), type(stated.category)} != {str}:
                raise TypeError("phrase or category is no text")
            if not stated.segments or any(one.area == 0 for one in stated.segments):
                raise ValueError("no segment is drawn, or one that cannot be seen")
        except (KeyError, TypeError, ValueError) as why:
            raise CorpusError(
                f"the facts do not describe a referring target: {why!r:.200}"
            ) from why
        return stated


def _hull(segments: Sequence[SegmentFacts]) -> list[int]:
    """The smallest box (x, y, width, height) around all of them."""
    boxes = [one.box for one in segments]
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
