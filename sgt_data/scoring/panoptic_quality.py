"""Panoptic quality: PQ, SQ and RQ (Kirillov et al., Panoptic Segmentation, CVPR 2019).

The counts are those of panopticapi's `pq_compute`, with its rules for void pixels and crowds.
It knows one crowd of a class in a picture, as COCO has; where there are more, all of them count
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.intervals import Floats, Statistic, divide_or_nan
from sgt_data.scoring.overlap import Counts

QUALITY, MATCHED, DRAWN_ALONE, MISSED = range(4)
"""Columns of the counts: sum of IoU over matches, matches, drawn segments without a match (false
positives), segments of the target without one (false negatives)."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of a target and of a drawing, by label 1, 2, 3 ...

    Attributes:
        target_classes, drawn_classes: [n] and [m], class number of each.
        crowds: [n] bool, segments of the target that stand for many things.
    """

    target_classes: NDArray[np.int64]
    drawn_classes: NDArray[np.int64]
    crowds: NDArray[np.bool_]


def overlaps(shared: Counts, is_void: bool) -> Floats:
    """IoU [n, m] of the segments of a target and of a drawing, from the pixels that they share.

    Args:
        shared: see `shared_pixels`.
        is_void: whether drawn pixels on unlabelled ones of the target do not count.
    """
    inside = shared[1:, 1:-1]
    areas = shared[:, 1:-1].sum(axis=0) - (shared[0, 1:-1] if is_void else 0)
    unions = shared[1:].sum(axis=1)[:, None] + areas - inside
    return np.asarray(inside / np.maximum(unions, 1))


def panoptic_counts(shared: Counts, segments: Segments, classes: int, is_void: bool) -> Floats:
    """Counts [classes, 4] of one picture: see `QUALITY`.

    Args:
        shared: pixels that labels share, see `shared_pixels`.
        segments: the classes of these labels.
        classes: number of classes.
        is_void: whether the target's unlabelled pixels are void: a drawn segment that lies on them
            by more than half does not count.
    """
    counts = np.zeros((classes, 4))
    target_areas, drawn_areas = shared[1:].sum(axis=1), shared[:, 1:-1].sum(axis=0)
    alike = segments.target_classes[:, None] == segments.drawn_classes[None]
    ious = overlaps(shared, is_void)
    pairs = (ious > 0.5) & alike & ~segments.crowds[:, None]
    rows, columns = np.nonzero(pairs)
    largest_first = np.argsort(-ious[rows, columns], kind="stable")
    for place in largest_first.tolist():
        number = segments.target_classes[rows[place]]
        counts[number, QUALITY] += ious[rows[place], columns[place]]
        counts[number, MATCHED] += 1
    missed = (target_areas > 0) & ~segments.crowds
    missed[rows] = False
    np.add.at(counts[:, MISSED], segments.target_classes[missed], 1)
    alone = drawn_areas > 0
    alone[columns] = False
    ignored = _ignored_pixels(shared, segments, alike, is_void)
    alone &= ignored * 2 <= drawn_areas
    np.add.at(counts[:, DRAWN_ALONE], segments.drawn_classes[alone], 1)
    return counts


def _ignored_pixels(
    shared: Counts, segments: Segments, alike: NDArray[np.bool_], is_void: bool
) -> NDArray[np.int64]:
    """Pixels [m] of each drawn segment on void and on crowds of its class."""
    on_crowds = shared[1:, 1:-1] * (alike & segments.crowds[:, None])
    return np.asarray(shared[0, 1:-1] * is_void + on_crowds.sum(axis=0))


def quality_statistics(pictures: Sequence[Floats]) -> dict[str, Statistic]:
    """`PQ`, `SQ` and `RQ`, averaged over the classes that occur, as functions of weights.

    Args:
        pictures: `panoptic_counts` of each picture.
    """
    counts = np.stack(pictures)
    quality, matched = counts[:, :, QUALITY], counts[:, :, MATCHED]
    halves = matched + (counts[:, :, DRAWN_ALONE] + counts[:, :, MISSED]) / 2

    def mean(numerators: Floats, below: Floats) -> Statistic:
        return lambda weights: _mean_over_classes(weights, numerators, below, halves)

    return {
        "PQ": mean(quality, halves),
        "SQ": mean(quality, matched),
        "RQ": mean(matched, halves),
    }


def _mean_over_classes(
    weights: Floats, numerators: Floats, below: Floats, occurs: Floats
) -> Floats:
    shares = np.nan_to_num(divide_or_nan(weights @ numerators, weights @ below))
    present = weights @ occurs > 0
    return divide_or_nan(np.where(present, shares, 0).sum(1), present.sum(1).astype(float))
