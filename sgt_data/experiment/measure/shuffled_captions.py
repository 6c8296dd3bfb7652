"""The floor of a score of drawings: how often they show what captions of other pictures say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.experiment.measure.caption_checks import shows
from sgt_data.experiment.measure.caption_lines import CaptionLine
from sgt_data.experiment.measure.seen_things import SeenThing
from sgt_data.scoring.intervals import Estimate, Floats, Statistic, divide_or_nan, finite_estimates

SHUFFLED = ", captions shuffled"
"""Behind the kind of drawings whose captions are those of other pictures."""


def shuffled_estimates(
    drawings: Sequence[tuple[CaptionLine, Sequence[SeenThing]]], seed: int, mean: str
) -> dict[str, Estimate]:
    """The share of captions that hold of drawings made for others, by task and as the mean.

    Every caption is compared with the drawings of all other pictures of its task: what all shuffles
    have on average. A caption may truly hold of another picture; then the drawing is right. The
    bootstrap draws pictures, and with them their captions and their drawings.

    Args:
        drawings: the caption of each drawing, and the things that it shows.
        seed: of the bootstrap.
        mean: name of the mean over tasks.
    """
    keys = sorted({line.key for line, _ in drawings})
    places = {key: place for place, key in enumerate(keys)}
    statistics: dict[str, Statistic] = {}
    for task in sorted({line.task for line, _ in drawings}):
        of_task = [(line, things) for line, things in drawings if line.task == task]
        pictures = np.array([places[line.key] for line, _ in of_task])
        right = np.array([[shows(line, things) for _, things in of_task] for line, _ in of_task])
        statistics[task] = _share_of_others(right.astype(float), pictures)
    by_task = list(statistics.values())

    def mean_over_tasks(weights: Floats) -> Floats:
        shares = np.stack([statistic(weights) for statistic in by_task])
        present = np.isfinite(shares)
        sums = np.where(present, shares, 0).sum(axis=0)
        return divide_or_nan(sums, present.sum(axis=0).astype(float))

    return finite_estimates({**statistics, mean: mean_over_tasks}, len(keys), seed)


def _share_of_others(right: Floats, pictures: NDArray[np.int64]) -> Statistic:
    """Share of right pairs of a caption and the drawing of another picture.

    Args:
        right: [n, n], whether the caption of a row holds of the drawing of a column.
        pictures: [n], the picture of each.
    """
    others = (pictures[:, None] != pictures).astype(float)

    def share(weights: Floats) -> Floats:
        drawn = weights[:, pictures]
        pairs = ((drawn @ (right * others)) * drawn).sum(axis=1)
        return divide_or_nan(pairs, ((drawn @ others) * drawn).sum(axis=1))

    return share
