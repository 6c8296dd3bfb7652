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
from sgt_data.scoring.class_layout import class_counts, class_layout
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.drawing_noise import enlarged
from sgt_data.scoring.intervals import Estimate, ratio_of_sums
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Counts, Labels, at_one_size, shared_pixels
from sgt_data.scoring.stated_colours import background_of, read_stated, rgb


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
            each sample states its own (`legend`).
        decoding: how drawings are read.
    """

    classes: Mapping[str, RGB] = field(default_factory=dict)
    decoding: Decoding = ROBUST

    def picture(self, drawing: Drawing, sample: ScoredSample) -> ClassRow:
        colours = self._colours(sample.facts)
        labels = read_stated(
            enlarged(drawing, sample.facts, self.decoding),
            [background_of(sample.facts), *colours.values()],
            self.decoding,
            is_kept=bool(self.classes),
        )
        return self._row(labels, colours, sample)

    def quality(self, row: ClassRow) -> float:
        """Mean IoU of the classes that the target or the drawing shows."""
        unions = row.counts[1] + row.counts[2] - row.counts[0]
        ious = row.counts[0][unions > 0] / unions[unions > 0]
        return float(ious.mean()) if len(ious) else float(row.right == row.pixels)

    def overall(self, rows: Sequence[ClassRow], seed: int) -> dict[str, Estimate]:
        right = np.array([row.right for row in rows], float)
        pixels = np.array([row.pixels for row in rows], float)
        accuracy = {"pixel accuracy": ratio_of_sums(right, pixels, seed)}
        names = sorted({name for row in rows for name in row.names})
        if not names:
            return accuracy
        places = {name: place for place, name in enumerate(names)}
        counts = np.zeros((len(rows), 3, len(names)), np.int64)
        for picture, row in enumerate(rows):
            counts[picture][:, [places[name] for name in row.names]] = row.counts
        return {**class_layout(list(counts), seed), **accuracy}

    def absent(self, sample: ScoredSample) -> ClassRow:
        """The row of a drawing that shows no stated colour anywhere."""
        size = sample.facts["size"]["height"], sample.facts["size"]["width"]
        return self._row(np.full(size, -1, np.int32), self._colours(sample.facts), sample)

    def _row(self, labels: Labels, colours: Mapping[str, RGB], sample: ScoredSample) -> ClassRow:
        decoded = decode(sample.target, sample.facts)
        numbers = class_numbers(decoded.segments, colours)
        target, drawn = at_one_size(numbers[decoded.labels], labels, self.decoding.compare_at)
        shared = shared_pixels(target, drawn, len(colours) + 1, len(colours) + 1)
        counts = class_counts(shared)
        shown = np.flatnonzero(counts.any(axis=0))
        names = list(colours)
        return ClassRow(
            tuple(names[place] for place in shown.tolist()),
            counts[:, shown],
            int(np.trace(shared)),
            int(shared.sum()),
        )

    def _colours(self, facts: Mapping[str, Any]) -> Mapping[str, RGB]:
        return self.classes or stated_classes(facts)


def class_numbers(segments: Sequence[Mapping[str, Any]], colours: Mapping[str, RGB]) -> Labels:
    """Number of the class of each label [labels + 1]: 0 for none, 1 and on in the order of
    `colours`.

    Raises:
        CorpusError: a segment has no category, or a category without a colour.
    """
    numbers = {name: number for number, name in enumerate(colours, 1)}
    try:
        return np.array([0, *(numbers[segment["category"]] for segment in segments)], np.int32)
    except KeyError as why:
        raise CorpusError(
            f"a segment's category has no colour in the corpus: {in_words(why)}"
        ) from why


def stated_classes(facts: Mapping[str, Any]) -> dict[str, RGB]:
    """The colours that a sample states: those of its legend, else those of its segments.

    Raises:
        CorpusError: the facts state no colours.
    """
    try:
        stated = facts["legend"] if "legend" in facts else drawn_segments(facts["segments"])
        return {entry["category"]: rgb(entry["color"]) for entry in stated}
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"the facts state no colours of classes: {in_words(why)}") from why
