"""The facts of a referring sample, parsed from its JSON, and the mask of its target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments, undrawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.grey_png import decode_grey
from sgt_data.prompts.colour_words import RGB, levels_of
from sgt_data.proxies.stated_colours import colour_distance, misread
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.segmentation.target_png import decode_labels
from sgt_data.value_text import cut_text

_WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class ReferringFacts:
    """The fields of the facts that decoding needs.

    Attributes:
        size: width and height of the target.
        phrase: the phrase.
        words: the phrase as the instruction has it.
        category: name of the category of the drawn segments.
        segments: the drawn segments.
        rest: all other segments, hidden ones included.
        color: of the mask.
        background: colour of the rest.
        written: by placeholder, how the instruction writes the two; empty where it does not, and
            the target is a grey PNG, white on black.
        min_distance: least distance of the two colours, RGB levels.
    """

    size: tuple[int, int]
    phrase: str
    words: str
    category: str
    segments: tuple[SegmentFacts, ...]
    rest: tuple[SegmentFacts, ...]
    color: RGB
    background: RGB
    written: Mapping[str, Any]
    min_distance: float

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ReferringFacts:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            is_coloured = "color" in facts
            words = facts["instruction"]["words"]
            stated = cls(
                (facts["size"]["width"], facts["size"]["height"]),
                facts["referring"]["phrase"],
                words["target"],
                facts["referring"]["category"],
                tuple(SegmentFacts.of(fact) for fact in drawn_segments(facts["segments"])),
                tuple(SegmentFacts.of(fact) for fact in undrawn_segments(facts)),
                levels_of(facts["color"]) if is_coloured else _WHITE,
                levels_of(facts["unlabelled"]) if is_coloured else (0, 0, 0),
                {name: words[name] for name in ("color", "background")} if is_coloured else {},
                float(facts["min_distance"]) if is_coloured else 0.0,
            )
            if {type(stated.phrase), type(stated.words), type(stated.category)} != {str}:
                raise ValueError("phrase or category is no text")
            if not stated.segments or any(segment.area == 0 for segment in stated.segments):
                raise ValueError("no segment is drawn, or one that cannot be seen")
            drawn = drawn_segments(facts["segments"])
            if is_coloured and any(fact.get("color") != facts["color"] for fact in drawn):
                raise ValueError("a drawn segment has another colour than the mask")
        except (KeyError, TypeError, ValueError, OverflowError) as why:
            raise CorpusError(
                f"the facts do not describe a referring target: {cut_text(in_words(why), 200)}"
            ) from why
        return stated

    @property
    def boxes(self) -> NDArray[np.int64]:
        """Boxes [n, 4] of the drawn segments."""
        return np.array([segment.box for segment in self.segments], np.int64)

    def mask(self, target: bytes) -> NDArray[np.uint16]:
        """The mask [H, W] of a target: 1 inside, else 0.

        Raises:
            CorpusError: it is no PNG of the stated size, or has other colours than the two.
        """
        if self.written:
            colour, background = np.array([[self.color], [self.background]], np.uint8)
            return decode_labels(target, self.size, colour, background)
        levels = decode_grey(target, self.size, 8)
        if ((levels != 0) & (levels != 255)).any():
            raise CorpusError("the target holds greys, where only black and white belong")
        return levels // np.uint16(255)

    def misread_colours(self) -> list[str]:
        """What is wrong with the colours that the instruction writes."""
        if not self.written:
            return []
        problems = [
            misread(self.written["color"], self.color, "colour"),
            misread(self.written["background"], self.background, "background"),
        ]
        apart = colour_distance(self.color, self.background)
        if apart < self.min_distance:
            problems.append(
                f"colour and background lie {apart:.0f} levels apart; "
                f"min_distance is {self.min_distance:g}"
            )
        return [problem for problem in problems if problem]
