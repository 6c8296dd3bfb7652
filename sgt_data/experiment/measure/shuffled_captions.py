"""The floor of a score of drawings: how often they show what captions of other pictures say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sgt_data.experiment.measure.caption_checks import shows
from sgt_data.experiment.measure.caption_prompts import Prompt
from sgt_data.experiment.measure.seen_things import SeenThing
from sgt_data.scoring.intervals import Estimate, Floats, Statistic, divide_or_nan, finite_estimates


def shuffled_estimates(
    prompts: Sequence[Prompt],
    things: Sequence[Sequence[SeenThing]],
    seed: int,
    mean: str,
) -> dict[str, Estimate]:
    """The share of captions that hold of drawings made for others, by task and as the mean.

    Every caption is compared with the drawings of all other pictures of its task: what all shuffles
    have on average. A caption may truly hold of another picture; then the drawing is right. The
    bootstrap draws pictures, and with them their captions and their drawings.

    Args:
        prompts: of one kind of drawings.
        things: what the drawing of each prompt shows.
        seed: of the bootstrap.
        mean: name of the mean over tasks.
    """
    keys = sorted({prompt.line.key for prompt in prompts})
    places = {key: place for place, key in enumerate(keys)}
    statistics: dict[str, Statistic] = {}
    for task in sorted({prompt.line.task for prompt in prompts}):
        of_task = [place for place, prompt in enumerate(prompts) if prompt.line.task == task]
        pictures = np.array([places[prompts[place].line.key] for place in of_task])
        right = np.array([
            [shows(prompts[row].line, things[column]) for column in of_task] for row in of_task
        ], float)  # fmt: skip
        statistics[task] = _share_of_others(right, pictures)
    by_task = list(statistics.values())

    def mean_over_tasks(weights: Floats) -> Floats:
        shares = np.stack([statistic(weights) for statistic in by_task])
        present = np.isfinite(shares)
        sums = np.where(present, shares, 0).sum(axis=0)
        return divide_or_nan(sums, present.sum(axis=0).astype(float))

    return finite_estimates({**statistics, mean: mean_over_tasks}, len(keys), seed)


def _share_of_others(right: Floats, pictures: np.ndarray) -> Statistic:
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
