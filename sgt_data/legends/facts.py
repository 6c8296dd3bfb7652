"""What the facts of a legend sample state, and what of it contradicts text, segments or colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments, undrawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.legends.colours import least_distance
from sgt_data.legends.reader import Legend, read_instruction
from sgt_data.prompts.colour_words import RGB, levels_of, parse_colour
from sgt_data.referring.referents import referents
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.value_text import cut, cut_text


@dataclass(frozen=True, slots=True)
class StatedEntry:
    """An entry of the legend of a sample's JSON.

    Attributes:
        name: what has the colour, in the instruction's words.
        colour: the colour.
        label: of the segment in the target; 0 where the picture shows none.
        category_id: number of its category.
        individual: whether it names one thing and not a class.
    """

    name: str
    colour: RGB
    label: int
    category_id: int
    individual: bool


@dataclass(frozen=True, slots=True)
class StatedLegend:
    """The legend of a sample's JSON.

    Attributes:
        entries: in the order of the instruction.
        background: colour of what no entry names.
        distance: least distance between two colours, RGB levels.
        segments: facts of the segments that the target shows.
        undrawn: facts of all other segments.
        words: the legend and the background as texts.
    """

    entries: tuple[StatedEntry, ...]
    background: RGB
    distance: float
    segments: tuple[Mapping[str, Any], ...]
    undrawn: tuple[Mapping[str, Any], ...]
    words: Mapping[str, str]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> StatedLegend:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            legend = facts["legend"]
            stated = cls(
                tuple(_entry(entry) for entry in legend["entries"]),
                levels_of(legend["background"]["color"]),
                float(legend["distance"]),
                tuple(drawn_segments(facts["segments"])),
                tuple(undrawn_segments(facts)),
                facts["instruction"]["words"],
            )
            texts = stated.words["legend"], stated.words["background"]
            if not all(isinstance(each, Mapping) for each in (*stated.segments, *stated.undrawn)):
                raise ValueError("a segment is no object")
            if {type(text) for text in texts} != {str} or not stated.entries:
                raise ValueError("words are no texts, or the legend has no entry")
            if levels_of(facts["unlabelled"]) != stated.background:
                raise ValueError("`unlabelled` is not the legend's background")
            parse_colour(stated.words["background"])
        except (KeyError, TypeError, ValueError, OverflowError) as why:
            raise CorpusError(
                f"the facts do not describe a legend target: {cut_text(in_words(why), 200)}"
            ) from why
        return stated

    def problems(self) -> list[str]:
        """What is wrong between the entries, the segments and the words; a sentence each."""
        text = f"{self.words['legend']} The background is {self.words['background']}."
        return [
            *self._distance_problems(),
            *self._segment_problems(),
            *self._absence_problems(),
            *self._phrase_problems(),
            *self.text_problems(text),
        ]

    def text_problems(self, instruction: str) -> list[str]:
        """What an instruction says otherwise than the facts; a sentence each."""
        try:
            read = read_instruction(instruction)
        except ValueError as why:
            return [f"the instruction's legend cannot be read: {cut_text(str(why), 300)}"]
        return list(self._differences(read))

    def _differences(self, read: Legend) -> Iterator[str]:
        colours = {entry.name: entry.colour for entry in self.entries}
        for name in [*colours, *(name for name in read.colours if name not in colours)]:
            if read.colours.get(name) != colours.get(name):
                yield (
                    f"the instruction says that {cut(name)} is {_shown(read.colours.get(name))}, "
                    f"the JSON {_shown(colours.get(name))}"
                )
        if read.background != self.background:
            yield (
                f"the instruction says that the background is {_shown(read.background)}, the JSON "
                f"{_shown(self.background)}"
            )

    def _distance_problems(self) -> Iterator[str]:
        colours = [self.background, *(entry.colour for entry in self.entries)]
        if (least := least_distance(colours)) < self.distance:
            yield (
                f"two colours of the legend are {least:.1f} levels apart; its facts say at least "
                f"{self.distance:g}"
            )

    def _segment_problems(self) -> Iterator[str]:
        shown = {entry.label: entry for entry in self.entries if entry.label}
        if sorted(shown) != list(range(1, len(self.segments) + 1)):
            yield (
                f"the legend has entries for the labels {sorted(shown)}; {len(self.segments)} "
                "segments are drawn"
            )
            return
        for segment in self.segments:
            entry = shown[segment["label"]]
            if list(entry.colour) != segment.get("color"):
                yield (
                    f"the legend says that {cut(entry.name)} is {_shown(entry.colour)}, its "
                    f"segment has {cut(segment.get('color'))}"
                )
            if entry.category_id != segment.get("category_id"):
                yield f"the legend's {cut(entry.name)} is of another category than its segment"

    def _absence_problems(self) -> Iterator[str]:
        present = [segment.get("category_id") for segment in (*self.segments, *self.undrawn)]
        for entry in self.entries:
            if not entry.label and entry.category_id in present:
                yield (
                    f"the legend says that {cut(entry.name)} is absent; a segment is of its "
                    "category"
                )

    def _phrase_problems(self) -> Iterator[str]:
        if not any(entry.individual for entry in self.entries):
            return
        every = _segment_facts((*self.segments, *self.undrawn))
        for entry in self.entries:
            ids = [segment["ids"] for segment in self.segments if segment["label"] == entry.label]
            if entry.individual and [sorted(referents(entry.name, every))] != ids:
                yield f"{cut(entry.name)} does not mean the segment {cut(ids)} alone"


def _segment_facts(stated: Sequence[Mapping[str, Any]]) -> list[SegmentFacts]:
    """Segments by their facts; several that are drawn as one count as a crowd.

    Raises:
        CorpusError: facts do not describe a segment.
    """
    try:
        return [
            SegmentFacts.of({**each, "id": each["ids"][0], "iscrowd": len(each["ids"]) > 1})
            for each in stated
        ]
    except (KeyError, TypeError, ValueError, IndexError) as why:
        raise CorpusError(f"the facts do not describe segments: {in_words(why)}") from why


def _entry(stated: Mapping[str, Any]) -> StatedEntry:
    entry = StatedEntry(
        stated["name"], levels_of(stated["color"]), stated["label"], stated["category_id"],
        stated["individual"],
    )  # fmt: skip
    types = type(entry.name), type(entry.label), type(entry.category_id), type(entry.individual)
    if types != (str, int, int, bool) or stated["present"] != (entry.label > 0):
        raise ValueError("an entry of the legend has fields of wrong types")
    return entry


def _shown(colour: RGB | None) -> str:
    return "not there" if colour is None else "({}, {}, {})".format(*colour)
