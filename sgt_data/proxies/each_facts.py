"""The facts of an `each` sample, parsed from its JSON, and what contradicts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments, undrawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.prompts.colour_words import RGB, levels_of
from sgt_data.proxies.each_classes import class_words, could_mean
from sgt_data.proxies.stated_colours import colour_distance, misread
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.value_text import cut, cut_text


@dataclass(frozen=True, slots=True)
class EachFacts:
    """The fields of the facts that say what the target shows.

    Attributes:
        category: name of the class.
        negative: whether the class is absent from the picture.
        background: colour of all but the class.
        min_distance: least distance of the colour of an individual to the background.
        words: what the instruction says, by placeholder.
        drawn: the segments that the target shows.
        colours: their colours.
        rest: all other segments, hidden ones included.
    """

    category: str
    negative: bool
    background: RGB
    min_distance: float
    words: Mapping[str, Any]
    drawn: tuple[SegmentFacts, ...]
    colours: tuple[RGB, ...]
    rest: tuple[SegmentFacts, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> EachFacts:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            drawn = drawn_segments(facts["segments"])
            stated = cls(
                facts["category"],
                facts["negative"],
                levels_of(facts["unlabelled"]),
                float(facts["min_distance"]),
                dict(facts["instruction"]["words"]),
                tuple(SegmentFacts.of(fact) for fact in drawn),
                tuple(levels_of(fact["color"]) for fact in drawn),
                tuple(SegmentFacts.of(fact) for fact in undrawn_segments(facts)),
            )
            if not isinstance(stated.category, str) or not isinstance(stated.negative, bool):
                raise ValueError("category is no text, or negative no truth value")
        except (KeyError, TypeError, ValueError, OverflowError) as why:
            raise CorpusError(
                f"the facts do not describe an each target: {cut_text(in_words(why), 200)}"
            ) from why
        return stated

    def problems(self) -> list[str]:
        """What contradicts itself in the facts, a sentence each."""
        return [*self._of_words(), *self._of_class(), *self._of_colours()]

    def _of_words(self) -> list[str]:
        """Whether the instruction names the class and the background of the facts."""
        right = class_words(self.category) or dict.fromkeys(("thing", "a_thing", "things"))
        problems = [
            f"the instruction names {cut(self.words.get(name))}; right for the class "
            f"{cut(self.category)} is {cut(word)}"
            for name, word in right.items()
            if word is None or self.words.get(name) != word
        ]
        misread_background = misread(self.words.get("background"), self.background, "background")
        return [*problems, *([misread_background] if misread_background else [])]

    def _of_class(self) -> list[str]:
        """Whether exactly the visible individuals of the class are drawn."""
        problems = []
        if any(segment.category != self.category for segment in self.drawn):
            problems.append(f"a drawn segment is not of the class {cut(self.category)}")
        if any(segment.iscrowd or not segment.isthing for segment in self.drawn):
            problems.append("a drawn segment is a crowd region or stuff, no individual")
        left = [segment for segment in self.rest if segment.category == self.category]
        if any(segment.area or segment.iscrowd for segment in left):
            problems.append(f"a visible segment of the class {cut(self.category)} is not drawn")
        if self.negative and (self.drawn or left):
            problems.append(f"the class {cut(self.category)} is stated as absent, and is annotated")
        if not self.negative and not self.drawn:
            problems.append(f"nothing is drawn, and the class {cut(self.category)} is not absent")
        others = {segment.named_category for segment in self.rest} - {(self.category, True)}
        if could_mean(self.category, others):
            problems.append(f"{cut(self.category)} could mean another class of the picture")
        return problems

    def _of_colours(self) -> list[str]:
        problems = []
        if len(set(self.colours)) < len(self.colours):
            problems.append("two individuals have one colour")
        near = [
            colour
            for colour in self.colours
            if colour_distance(colour, self.background) < self.min_distance
        ]
        if near:
            problems.append(
                f"the colour {near[0]} lies nearer to the background {self.background} than "
                f"min_distance, {self.min_distance:g}"
            )
        return problems
