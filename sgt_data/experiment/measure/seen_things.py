"""Things that a drawing shows: connected areas of one category in its label map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.overlap import Labels
from sgt_data.segmentation.connected_areas import split_areas

LEAST_AREA = 0.006
"""Share of a drawing's pixels from which on an area is a thing; smaller ones are specks."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeenThing:
    """A connected area of one category.

    Attributes:
        category: its category.
        area: share of the drawing's pixels.
        centre: mean of its pixels, right and down, as shares of the drawing's sides.
        extent: width and height of its box, as shares of the drawing's sides.
        colour: name of its colour; None in a class map.
    """

    category: str
    area: float
    centre: tuple[float, float]
    extent: tuple[float, float]
    colour: str | None = None


Seen = Sequence[Sequence[SeenThing] | None]
"""What each drawing shows; None where it is not scored."""


def thing_masks(labels: Labels) -> list[tuple[int, Mask]]:
    """Label and mask [H, W] of every thing in a label map [H, W], the largest first.

    Pixels that share a side belong together. Two things of one category that touch are one; a thing
    that another one cuts in two is two. What this costs is in the score of true drawings.

    Args:
        labels: 0 is no category, -1 is no colour.
    """
    areas, former = split_areas(np.ascontiguousarray(labels, np.int32))
    sizes = np.bincount(areas[areas > 0], minlength=len(former) + 1)[1:]
    numbers = np.argsort(-sizes, kind="stable").tolist()
    least = LEAST_AREA * labels.size
    return [
        (int(former[number]), areas == number + 1) for number in numbers if sizes[number] >= least
    ]


def seen_thing(category: str, mask: Mask, colour: str | None = None) -> SeenThing:
    """A thing from its mask [H, W]."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    return SeenThing(
        category,
        area=len(rows) / mask.size,
        centre=((float(columns.mean()) + 0.5) / width, (float(rows.mean()) + 0.5) / height),
        extent=(float(np.ptp(columns) + 1) / width, float(np.ptp(rows) + 1) / height),
        colour=colour,
    )
