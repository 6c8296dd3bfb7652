"""Mean IoU and panoptic quality of classes, a class of a picture counting as one segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sgt_data.scoring.intervals import Estimate, Floats, bootstrap, divide_or_nan
from sgt_data.scoring.overlap import Counts


def class_counts(shared: Counts) -> Counts:
    """Numbers of pixels [3, classes] of one picture: shared, in the target, in the drawing.

    Args:
        shared: see `shared_pixels`; label k is class k on both sides.
    """
    inside = shared[:, :-1]
    return np.stack((np.diag(inside), shared.sum(axis=1), inside.sum(axis=0)))[:, 1:]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How much of one class drawings show.

    Attributes:
        iou: intersections over unions, both summed over pictures.
        pictures: how many targets show the class.
        target: pixels of it in targets.
        drawn: pixels of it in drawings.
    """

    iou: float
    pictures: int
    target: int
    drawn: int


def class_scores(names: Sequence[str], counts: Counts) -> dict[str, ClassScore]:
    """The score of each class; the mean of their IoU is the `mIoU` of `class_layout`.

    Args:
        names: of the classes.
        counts: [pictures, 3, classes], see `class_counts`.
    """
    shared, target, drawn = counts.sum(axis=0)
    pictures = (counts[:, 1] > 0).sum(axis=0)
    return {
        name: ClassScore(
            float(shared[place] / (target[place] + drawn[place] - shared[place])),
            int(pictures[place]), int(target[place]), int(drawn[place]),
        )
        for place, name in enumerate(names)
    }  # fmt: skip


def class_layout(pictures: Sequence[Counts], seed: int) -> dict[str, Estimate]:
    """Mean IoU and panoptic quality over classes, from `class_counts` of each picture.

    Returns:
        `mIoU`: intersections and unions summed over pictures, then averaged over the classes that
        occur in any target or drawing. `PQ`: averaged over the same classes.
    """
    counts = np.stack(pictures).astype(float)
    shared, unions = counts[:, 0], counts[:, 1] + counts[:, 2] - counts[:, 0]
    ious = np.nan_to_num(divide_or_nan(shared, unions))
    matched = ious > 0.5
    quality = np.where(matched, ious, 0)
    halves = ((counts[:, 1] > 0) & ~matched) / 2 + ((counts[:, 2] > 0) & ~matched) / 2
    denominators = matched + halves

    def mean_over_classes(numerators: Floats, below: Floats, weights: Floats) -> Floats:
        shares = divide_or_nan(weights @ numerators, weights @ below)
        present = np.isfinite(shares)
        return divide_or_nan(np.where(present, shares, 0).sum(1), present.sum(1).astype(float))

    return {
        "mIoU": bootstrap(lambda w: mean_over_classes(shared, unions, w), len(counts), seed),
        "PQ": bootstrap(lambda w: mean_over_classes(quality, denominators, w), len(counts), seed),
    }
