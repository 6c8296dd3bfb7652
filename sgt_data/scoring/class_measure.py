"""Measures of drawings whose colours stand for classes: semantic maps, and legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.decoding import decode
from sgt_data.scoring.class_layout import ClassScore, class_counts, class_layout, class_scores
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.drawing_noise import enlarged
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.intervals import Estimate, ratio_of_sums
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Counts, Labels, at_one_size, shared_pixels
from sgt_data.scoring.stated_colours import background_of, read_stated, rgb


@dataclass(frozen=True, slots=True)
class StatedClass:
    """A colour with its class, as a corpus or the legend of a sample states it.

    Attributes:
        name: the class.
        colour: its colour.
        label: label of the target that it stands for; 0 where the class decides, or the picture
            does not show it.
    """

    name: str
    colour: RGB
    label: int = 0


@dataclass(frozen=True, slots=True)
class ClassRow:
    """What is kept of one picture.

    Attributes:
        names: classes that the picture's target or drawing shows.
        counts: [3, names]: pixels that target and drawing share, those of the target, those of the
            drawing.
        right: pixels whose class is right, the background included.
        pixels: pixels that were compared.
    """

    names: tuple[str, ...]
    counts: Counts
    right: int
    pixels: int


@dataclass(frozen=True, slots=True)
class ClassMeasure:
    """`mIoU`, `PQ` and `pixel accuracy` of classes over all pictures.

    No pixel is void: the instruction says what is black, so that colour in its place is wrong. A
    pixel that is read as no stated colour is wrong, too.

    Attributes:
        classes: colours of all classes of the corpus, where a class has the same colour in every
            picture; a drawing that shows a class which its picture lacks pays for it. Empty where
            each sample states its own (`legend`); then individuals that it tells apart are, too.
        decoding: how drawings are read.
    """

    classes: Mapping[str, RGB] = field(default_factory=dict)
    decoding: Decoding = ROBUST

    def read(self, drawing: Drawing, sample: ScoredSample) -> DrawnMap:
        """The label map of a drawing, with the colours of the classes."""
        colours = [entry.colour for entry in self._entries(sample.facts)]
        labels = read_stated(
            enlarged(drawing, sample.facts, self.decoding),
            [background_of(sample.facts), *colours],
            self.decoding,
            is_kept=bool(self.classes),
        )
        return DrawnMap.of(labels, colours)

    def picture(self, drawing: Drawing, sample: ScoredSample) -> ClassRow:
        return self._row(self.read(drawing, sample).labels, self._entries(sample.facts), sample)

    def quality(self, row: ClassRow) -> float:
        """Mean IoU of the classes that the target or the drawing shows."""
        unions = row.counts[1] + row.counts[2] - row.counts[0]
        ious = row.counts[0][unions > 0] / unions[unions > 0]
        return float(ious.mean()) if len(ious) else float(row.right == row.pixels)

    def overall(self, rows: Sequence[ClassRow], seed: int) -> dict[str, Estimate]:
        right = np.array([row.right for row in rows], float)
        pixels = np.array([row.pixels for row in rows], float)
        accuracy = {"pixel accuracy": ratio_of_sums(right, pixels, seed)}
        names, counts = _counts_of(rows)
        return {**class_layout(list(counts), seed), **accuracy} if names else accuracy

    def by_class(self, rows: Sequence[ClassRow]) -> dict[str, ClassScore]:
        """The score of each class that a target or a drawing shows, by name."""
        return class_scores(*_counts_of(rows))

    def absent(self, sample: ScoredSample) -> ClassRow:
        """The row of a drawing that shows no stated colour anywhere."""
        size = sample.facts["size"]["height"], sample.facts["size"]["width"]
        return self._row(np.full(size, -1, np.int32), self._entries(sample.facts), sample)

    def _row(
        self, labels: Labels, entries: Sequence[StatedClass], sample: ScoredSample
    ) -> ClassRow:
        decoded = decode(sample.target, sample.facts)
        numbers = entry_numbers(decoded.segments, entries)
        target, drawn = at_one_size(numbers[decoded.labels], labels, self.decoding.compare_at)
        shared = shared_pixels(target, drawn, len(entries) + 1, len(entries) + 1)
        names, places = np.unique([entry.name for entry in entries], return_inverse=True)
        counts = class_counts(shared) @ np.eye(len(names), dtype=np.int64)[places]
        shown = np.flatnonzero(counts.any(axis=0))
        return ClassRow(
            tuple(names[shown].tolist()),
            counts[:, shown],
            int(np.trace(shared)),
            int(shared.sum()),
        )

    def _entries(self, facts: Mapping[str, Any]) -> list[StatedClass]:
        if self.classes:
            return [StatedClass(name, colour) for name, colour in self.classes.items()]
        return stated_classes(facts)


def _counts_of(rows: Sequence[ClassRow]) -> tuple[list[str], Counts]:
    """The classes of all pictures, and the counts [pictures, 3, classes]."""
    names = sorted({name for row in rows for name in row.names})
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(rows), 3, len(names)), np.int64)
    for picture, row in enumerate(rows):
        counts[picture][:, [places[name] for name in row.names]] = row.counts
    return names, counts


def entry_numbers(segments: Sequence[Mapping[str, Any]], entries: Sequence[StatedClass]) -> Labels:
    """Number of the entry of each label [labels + 1]: 0 for none, 1 and on in order of `entries`.

    Raises:
        CorpusError: a label has no entry.
    """
    by_label = {entry.label: number for number, entry in enumerate(entries, 1) if entry.label}
    by_name = {entry.name: number for number, entry in enumerate(entries, 1)}
    try:
        numbers = [
            by_label[segment["label"]] if by_label else by_name[segment["category"]]
            for segment in segments
        ]
    except KeyError as why:
        raise CorpusError(
            f"a segment's category has no colour in the corpus: {in_words(why)}"
        ) from why
    return np.array([0, *numbers], np.int32)


def stated_classes(facts: Mapping[str, Any]) -> list[StatedClass]:
    """The colours that a sample states: those of its legend, else those of its segments.

    Raises:
        CorpusError: the facts state no colours.
    """
    try:
        legend = facts.get("legend")
        stated = legend["entries"] if legend else drawn_segments(facts["segments"])
        return [
            StatedClass(entry["category"], rgb(entry["color"]), entry["label"]) for entry in stated
        ]
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"the facts state no colours of classes: {in_words(why)}") from why
