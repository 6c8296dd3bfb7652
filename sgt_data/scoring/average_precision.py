"""AP and AR by the rules of pycocotools' `COCOeval`, kept per picture so that they have intervals.

`COCOeval` gives one number for a set and no counts of pictures. So each picture is matched by its
rules, and the precision-recall curve is computed of all pictures, and again for each resample. A
test compares the numbers with its own, to 1e-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.intervals import Floats, Statistic, divide_or_nan

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
DETECTIONS_MAX = 1000
"""Most drawn segments of a class in a picture that count, the largest; COCO's own table has 100,
that of class-agnostic masks (LVIS, SA-1B) up to 1,000."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The drawn segments of one picture, and which of them match the target's.

    Attributes:
        classes: [D], class number of each drawn segment; of each class, the first score highest.
        scores: [D], confidence of each.
        matched: [D, thresholds] bool, whether it matches a segment.
        ignored: [D, thresholds] bool, whether it matches a crowd, and counts as nothing.
        positives: [classes], segments of the target that are no crowds.
    """

    classes: NDArray[np.int64]
    scores: Floats
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: NDArray[np.int64]


def match_class(
    ious: Floats, scores: Floats, crowds: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Match the drawn segments of one class in one picture with the target's.

    Args:
        ious: [n, m], IoU of target and drawn segments; for crowds, the share of the drawn segment
            that lies inside.
        scores: [m], confidence of each drawn segment.
        crowds: [n], segments of the target that stand for many things.

    Returns:
        Which drawn segments count, the highest score first [D]; whether they match [D, thresholds];
        whether they count as nothing [D, thresholds].
    """
    order = np.argsort(-scores, kind="mergesort")[:DETECTIONS_MAX]
    targets = np.argsort(crowds, kind="mergesort")
    matched = np.zeros((len(order), len(THRESHOLDS)), np.bool_)
    ignored = np.zeros_like(matched)
    table = np.ascontiguousarray(ious[np.ix_(targets, order)].T)
    _match(table, crowds[targets], np.minimum(THRESHOLDS, 1 - 1e-10), matched, ignored)
    return order, matched, ignored


@njit
def _match(
    ious: Floats,
    crowds: NDArray[np.bool_],
    thresholds: Floats,
    matched: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> None:
    drawn, targets = ious.shape
    for step in range(len(thresholds)):
        taken = np.zeros(targets, np.bool_)
        for row in range(drawn):
            best, least = -1, thresholds[step]
            for column in range(targets):
                if taken[column] and not crowds[column]:
                    continue
                if best > -1 and not crowds[best] and crowds[column]:
                    break
                if ious[row, column] >= least:
                    best, least = column, ious[row, column]
            if best > -1:
                taken[best] = True
                matched[row, step] = True
                ignored[row, step] = crowds[best]


def precision_statistics(pictures: Sequence[Matches]) -> dict[str, Statistic]:
    """`AP`, `AP50`, `AP75` and `AR` over all pictures, as functions of weights [R, pictures].

    A picture that a resample draws twice has all its segments at their places twice.
    """
    counts = [len(matches.scores) for matches in pictures]
    owners = np.repeat(np.arange(len(pictures)), counts)
    classes = np.concatenate([matches.classes for matches in pictures])
    scores = np.concatenate([matches.scores for matches in pictures])
    order = np.lexsort((-scores, classes))
    positives = np.stack([matches.positives for matches in pictures]).astype(float)
    starts = np.searchsorted(classes[order], np.arange(positives.shape[1] + 1))
    matched = np.concatenate([matches.matched for matches in pictures])[order]
    ignored = np.concatenate([matches.ignored for matches in pictures])[order]
    table = _Detections(owners[order], starts, matched, ignored, positives)

    def at(steps: Sequence[int]) -> Statistic:
        return lambda weights: table.precision(weights, np.array(steps))

    every = list(range(len(THRESHOLDS)))
    return {"AP": at(every), "AP50": at([0]), "AP75": at([5]), "AR": table.recall}


@dataclass(frozen=True, slots=True)
class _Detections:
    """Drawn segments of all pictures, by class and then by falling score.

    Attributes:
        owners: [D], picture of each.
        starts: [classes + 1], where the segments of each class begin.
        matched, ignored: [D, thresholds] bool.
        positives: [pictures, classes].
    """

    owners: NDArray[np.int64]
    starts: NDArray[np.int64]
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    positives: Floats

    def precision(self, weights: Floats, steps: NDArray[np.int64]) -> Floats:
        values = np.empty(len(weights))
        for row, picture_weights in enumerate(weights):
            values[row] = _mean_precision(
                picture_weights[self.owners],
                self.starts,
                self.matched[:, steps],
                self.ignored[:, steps],
                picture_weights @ self.positives,
            )
        return values

    def recall(self, weights: Floats) -> Floats:
        hits = np.zeros(self.positives.shape)
        good = (self.matched & ~self.ignored).mean(axis=1)
        numbers = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        np.add.at(hits, (self.owners, numbers), good)
        shares = divide_or_nan(weights @ hits, weights @ self.positives)
        present = np.isfinite(shares)
        return divide_or_nan(np.where(present, shares, 0).sum(1), present.sum(1).astype(float))


@njit
def _mean_precision(
    weights: Floats,
    starts: NDArray[np.int64],
    matched: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    positives: Floats,
) -> float:
    """Mean precision over 101 recalls, thresholds and classes that have a positive."""
    total, curves = 0.0, 0
    for number in range(len(positives)):
        if positives[number] <= 0:
            continue
        for step in range(matched.shape[1]):
            total += _area_below_curve(
                weights[starts[number] : starts[number + 1]],
                matched[starts[number] : starts[number + 1], step],
                ignored[starts[number] : starts[number + 1], step],
                positives[number],
            )
            curves += 1
    return total / curves if curves else np.nan


@njit
def _area_below_curve(
    weights: Floats, matched: NDArray[np.bool_], ignored: NDArray[np.bool_], positives: float
) -> float:
    precisions = np.empty(len(weights))
    recalls = np.empty(len(weights))
    points = 0
    right, wrong = 0.0, 0.0
    for place in range(len(weights)):
        if ignored[place] or weights[place] == 0:
            continue
        if matched[place]:
            right += weights[place]
        else:
            wrong += weights[place]
        precisions[points] = right / (right + wrong)
        recalls[points] = right / positives
        points += 1
    for place in range(points - 1, 0, -1):
        precisions[place - 1] = max(precisions[place - 1], precisions[place])
    total, place = 0.0, 0
    for recall in RECALLS:
        while place < points and recalls[place] < recall:
            place += 1
        if place == points:
            break
        total += precisions[place]
    return total / len(RECALLS)
