"""Differences, slopes and their p-values: against numpy and scipy, and by simulation."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from painted import rng

from sgt_data.experiment.measure.contrast import Contrast, accuracy_contrast, seed_contrast
from sgt_data.experiment.measure.holm import holm_adjusted
from sgt_data.experiment.measure.lift_off import lift_off
from sgt_data.experiment.measure.run_result import Marks
from sgt_data.experiment.measure.seed_means import mean_over_seeds

stats = pytest.importorskip("scipy.stats")

PICTURES = 120


def drawn_arm(draws: np.random.Generator, seeds: int, skill: float = 0.5) -> list[Marks]:
    """Answers of an arm whose seeds differ, and of which pictures are hard to different seeds."""
    asked = rng(1).integers(1, 4, (2, PICTURES))
    chance = (
        skill
        + 0.04 * draws.standard_normal((seeds, 1, 1))
        + 0.15 * draws.standard_normal((1, 2, PICTURES))
        + 0.1 * draws.standard_normal((seeds, 2, PICTURES))
    )
    right = draws.binomial(asked, np.clip(chance, 0, 1))
    return [
        {
            task: {f"p{k}": (int(right[s, t, k]), int(asked[t, k])) for k in range(PICTURES)}
            for t, task in enumerate(("count", "presence"))
        }
        for s in range(seeds)
    ]


def known(contrast: Contrast) -> tuple[float, float, float]:
    assert contrast.low is not None and contrast.high is not None and contrast.p is not None
    return contrast.low, contrast.high, contrast.p


def test_a_difference_is_that_of_mean_accuracies_seed_by_seed() -> None:
    arms = [drawn_arm(rng(1), 4, 0.6), drawn_arm(rng(2), 4)]

    def accuracy(marks: Marks) -> float:
        shares = [np.array(list(task.values())).sum(axis=0) for task in marks.values()]
        return float(np.mean([right / asked for right, asked in shares]))

    contrast = accuracy_contrast(arms, (1, -1))
    expected = [accuracy(ours) - accuracy(theirs) for ours, theirs in zip(*arms, strict=True)]
    assert contrast.by_seed == pytest.approx(expected)
    assert contrast.value == pytest.approx(np.mean(expected))
    low, high, _ = known(contrast)
    assert low < contrast.value < high
    assert (contrast.seeds, contrast.pictures) == (4, PICTURES)


def test_where_seeds_agree_the_interval_is_that_of_a_t_test_over_pictures() -> None:
    """One question a picture, and the same answers from each seed: pictures alone are a sample."""
    right = [rng(k).integers(0, 2, PICTURES) for k in (1, 2)]
    arms = [[{"t": {f"p{k}": (int(v), 1) for k, v in enumerate(of_arm)}}] * 3 for of_arm in right]
    test = stats.ttest_rel(*right)
    interval = test.confidence_interval()
    assert known(accuracy_contrast(arms, (1, -1))) == pytest.approx(
        (interval.low, interval.high, test.pvalue)
    )


def test_where_pictures_agree_the_interval_is_that_of_a_t_test_over_seeds() -> None:
    right = [[30, 34, 37, 33], [28, 30, 36, 29]]
    arms = [
        [{"t": {f"p{k}": (count, 50) for k in range(60)}} for count in of_arm] for of_arm in right
    ]
    test = stats.ttest_rel(*np.array(right) / 50)
    interval = test.confidence_interval()
    assert known(accuracy_contrast(arms, (1, -1))) == pytest.approx(
        (interval.low, interval.high, test.pvalue)
    )
    by_seed = seed_contrast((np.diff(right, axis=0)[0] / -50).tolist())
    assert known(by_seed) == pytest.approx((interval.low, interval.high, test.pvalue))


@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_over_few_seeds_hold_the_truth_nearly_as_often_as_they_say(seeds: int) -> None:
    """Within what 300 trials can tell; over seeds alone, or pictures alone, it would be far less
    (benchmarks/contrast_coverage.py has more settings)."""
    held, small_p = 0, 0
    for trial in range(300):
        draws = rng(1000 * seeds + trial)
        contrast = accuracy_contrast([drawn_arm(draws, seeds), drawn_arm(draws, seeds)], (1, -1))
        low, high, p = known(contrast)
        held += low <= 0 <= high
        small_p += p < 0.05
        assert (p < 0.05) == (low > 0 or high < 0)
    assert 0.92 <= held / 300 <= 0.995
    assert small_p == 300 - held


def test_one_seed_has_no_interval_and_two_have_no_test() -> None:
    for count in (1, 2, 3):
        contrast = accuracy_contrast([drawn_arm(rng(1), count), drawn_arm(rng(2), count)], (1, -1))
        alone = seed_contrast([0.1, 0.2, 0.15][:count])
        for each in (contrast, alone):
            assert (each.low is None, each.high is None) == (count < 2, count < 2)
            assert (each.p is None) == (count < 3)


def test_arms_that_were_asked_different_questions_are_not_compared() -> None:
    full, other = drawn_arm(rng(1), 1), drawn_arm(rng(2), 1)
    part = [{task: dict(list(marks.items())[1:]) for task, marks in other[0].items()}]
    with pytest.raises(ValueError, match="same questions"):
        accuracy_contrast([full, part], (1, -1))
    with pytest.raises(ValueError, match="2, 1 seeds"):
        accuracy_contrast([full * 2, full], (1, -1))


def test_no_seed_and_no_picture_differs_and_nothing_is_divided_by_zero() -> None:
    same = [{"t": {"a": (1, 2), "b": (1, 2)}}] * 3
    assert known(accuracy_contrast([same, same], (1, -1))) == (0, 0, 1)


def test_holms_values_reject_what_the_closed_test_of_bonferroni_rejects() -> None:
    """Holm's method is the closure of Bonferroni's: a hypothesis is rejected where every set of
    hypotheses that holds it is."""

    def closed(p_values: list[float], place: int) -> float:
        rest = [k for k in range(len(p_values)) if k != place]
        return max(
            min(1.0, (size + 1) * min(p_values[k] for k in (place, *others)))
            for size in range(len(rest) + 1)
            for others in combinations(rest, size)
        )

    for trial in range(20):
        p_values = (rng(trial).random(6) ** 3).tolist()
        expected = [closed(p_values, place) for place in range(6)]
        assert holm_adjusted(p_values) == pytest.approx(expected)
    assert holm_adjusted([]) == []
    assert holm_adjusted([0.03]) == [0.03]
    assert holm_adjusted([0.01, 0.01, 0.9]) == pytest.approx([0.03, 0.03, 0.9])


def test_seeds_have_a_t_interval() -> None:
    values = [0.61, 0.58, 0.66, 0.6]
    mean = mean_over_seeds(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (mean.low, mean.high) == pytest.approx((low, high))
    assert mean.reach == pytest.approx((high - low) / 2)
    assert mean.error == pytest.approx(stats.sem(values))
    assert (mean_over_seeds([0.5]).error, mean_over_seeds([0.5]).reach) == (None, 0)


def test_lift_off_is_where_validation_accuracy_leaves_the_base_for_good() -> None:
    at_base = [(step, 0.65) for step in range(0, 100, 20)]
    fluke = [(100, 0.9), (120, 0.6), (140, 0.6), (160, 0.6)]
    rise = [(180, 0.7), (200, 0.75), (220, 0.8)]
    assert lift_off([*at_base, *fluke, *rise], base=0.65) == 200
    assert lift_off([*at_base, *fluke], base=0.65) is None
    assert lift_off([*at_base, *rise, (240, 0.5), (260, 0.5), (280, 0.5)], base=0.65) is None
    just_above: Any = [(step, 0.665) for step in range(0, 100, 20)]
    assert lift_off(just_above, base=0.65) is None
    assert lift_off(just_above, base=0.60) == 0
    assert lift_off([], base=0.65) is None
