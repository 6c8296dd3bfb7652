"""Which things a drawing of a caption shows, by the colours of class maps or by a segmenter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.caption_lines import CaptionLine
from sgt_data.experiment.measure.colour_names import ColourExamples, ColourNames, median_colour
from sgt_data.experiment.measure.scene_pictures import ClassColours
from sgt_data.experiment.measure.scene_segmenter import SceneSegmenter, segmented
from sgt_data.experiment.measure.seen_things import SeenThing, seen_thing, thing_masks
from sgt_data.scoring.decoding_options import PLAIN
from sgt_data.value_text import cut, cut_text

Pixels = NDArray[np.uint8]

GATE = 0.8
"""Mean IoU over categories, on validation pictures, from which on the segmenter scores pictures."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Tells which things a drawing shows.

    Attributes:
        picture: side of the drawings, pixels.
        classes: colours of class maps.
        segmenter: finds things in pictures; None where no caption draws pictures.
        ious: IoU of the segmenter by category, on validation pictures.
        colours: things of training pictures whose colours captions name.
    """

    picture: int
    classes: ClassColours
    segmenter: SceneSegmenter | None
    ious: Mapping[str, float]
    colours: ColourExamples

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the segmenter over categories; 0 where there is none."""
        return float(np.mean(list(self.ious.values()))) if self.ious else 0.0

    @property
    def picture_problem(self) -> str | None:
        """Why pictures are not scored; None where they are."""
        if self.segmenter is None:
            return "no caption is drawn as a picture"
        if self.mean_iou < GATE:
            return (
                f"the segmenter that scores pictures has mIoU {self.mean_iou:.3f} on validation "
                f"pictures, {GATE} is needed"
            )
        return None

    def check(self, lines: Iterable[CaptionLine]) -> None:
        """Check that it knows all categories and colours of captions.

        Raises:
            CorpusError: a caption names one that no training picture shows.
        """
        for line in lines:
            for thing in line.things:
                if thing.category not in self.classes.categories:
                    raise self._unknown(line, "category", thing.category, self.classes.categories)
                is_asked = line.task == "colour" and self.picture_problem is None
                if is_asked and thing.colour not in self.colours.names:
                    known = sorted(set(self.colours.names))
                    raise self._unknown(line, "color", thing.colour, known)

    def _unknown(
        self, line: CaptionLine, field: str, value: str | None, known: Sequence[str]
    ) -> CorpusError:
        return CorpusError(
            f"the caption {cut(line.text)} of {line.key} names the {field} {cut(value, 40)}, which "
            f"too few training pictures show; known are {cut_text(', '.join(known), 200)}. Build a "
            "larger corpus, or take these captions out"
        )

    def things_of_maps(self, maps: Sequence[Pixels]) -> list[list[SeenThing]]:
        """Things of class maps, each [S, S, 3] uint8 RGB; of each the largest first."""
        names = self.classes.categories
        return [
            [
                seen_thing(names[label - 1], mask)
                for label, mask in thing_masks(self.classes.labels(pixels, PLAIN))
            ]
            for pixels in maps
        ]

    def things_of_pictures(self, pictures: Sequence[Pixels]) -> list[list[SeenThing]]:
        """Things of pictures, each [S, S, 3] uint8 RGB, with their colours; the largest first.

        Raises:
            RequestError: there is no segmenter, or it is not good enough.
        """
        if self.segmenter is None or self.picture_problem is not None:
            raise RequestError(f"pictures are not scored: {self.picture_problem}")
        if not pictures:
            return []
        masks = [thing_masks(labels) for labels in segmented(self.segmenter, np.stack(pictures))]
        colours = iter(self._colour_names([
            median_colour(pixels, mask)
            for pixels, of_picture in zip(pictures, masks, strict=True)
            for _, mask in of_picture
        ]))  # fmt: skip
        categories = self.classes.categories
        return [
            [seen_thing(categories[label - 1], mask, next(colours)) for label, mask in of_picture]
            for of_picture in masks
        ]

    def _colour_names(self, colours: Sequence[NDArray[np.float64]]) -> Sequence[str | None]:
        if not self.colours.names:
            return [None] * len(colours)
        return ColourNames(self.colours).names(colours)
