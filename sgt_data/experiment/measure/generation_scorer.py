"""Which things a drawing of a caption shows, by the colours of class maps or by a segmenter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.experiment.measure.colour_names import ColourExamples, ColourNames
from sgt_data.experiment.measure.scene_pictures import ClassColours
from sgt_data.experiment.measure.scene_segmenter import SceneSegmenter, segmented
from sgt_data.experiment.measure.seen_things import SeenThing, seen_thing, thing_masks
from sgt_data.scoring.decoding_options import ROBUST

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

    def things_of_maps(self, maps: NDArray[np.uint8]) -> list[list[SeenThing]]:
        """Things of class maps [n, S, S, 3] uint8 RGB, the largest of each map first."""
        names = self.classes.categories
        return [
            [
                seen_thing(names[label - 1], mask)
                for label, mask in thing_masks(self.classes.labels(pixels, ROBUST))
            ]
            for pixels in maps
        ]

    def things_of_pictures(self, pictures: NDArray[np.uint8]) -> list[list[SeenThing]]:
        """Things of pictures [n, S, S, 3] uint8 RGB with their colours, the largest first.

        Raises:
            RequestError: the segmenter is not good enough, or there is none.
        """
        if self.segmenter is None or self.picture_problem is not None:
            raise RequestError(f"pictures are not scored: {self.picture_problem}")
        names, colours = self.classes.categories, self._colour_names()
        return [
            [
                seen_thing(names[label - 1], mask, colours.name(pixels, mask) if colours else None)
                for label, mask in thing_masks(labels)
            ]
            for pixels, labels in zip(pictures, segmented(self.segmenter, pictures), strict=True)
        ]

    def _colour_names(self) -> ColourNames | None:
        return ColourNames(self.colours) if self.colours.names else None
