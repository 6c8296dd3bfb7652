"""Linear probes: how much a linear classifier reads from frozen features (Alain and Bengio, 2016).

Multinomial logistic regression on standardised features. Its strength of regularisation is chosen
on half of the training pictures, after fitting on the other half; test pictures are read once.
"""

from __future__ import annotations

import warnings
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from sgt_data.experiment.measure.balanced_accuracy import balanced_accuracy
from sgt_data.experiment.measure.probe_examples import ProbeExamples
from sgt_data.experiment.measure.run_result import ProbeResult
from sgt_data.scoring.intervals import as_share, mean_by_key
from sgt_data.seeds import generator
from sgt_data.value_text import cut

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Candidates for scikit-learn's C, the inverse weight of the penalty; the first of the best is
taken."""

LEAST_OF_A_CLASS = 5
"""Number of examples below which a category is left out of the choice of confused categories."""

_ITERATIONS = 2000


def probe(
    train: ProbeExamples, test: ProbeExamples, seed: int, *, balanced: bool = False
) -> ProbeResult:
    """Train a probe on some pictures and test it on others.

    Args:
        train: examples to train on.
        test: examples to test on, of other pictures.
        seed: seed of the choice of regularisation and of the interval.
        balanced: whether all classes count the same, in training, in the choice of regularisation
            and in the result, whose chance is then 1 / classes of the test part.

    Raises:
        ValueError: a picture is in both parts, a part is empty, features are not finite, or the
            training part has one class only.
    """
    _check_parts(train, test)
    strength = _best_strength(train, seed, balanced)
    right = _fit(train, strength, balanced).predict(test.features) == np.array(test.labels)
    if balanced:
        accuracy = balanced_accuracy(right, test.labels, test.keys, seed)
        chance = 1 / len(set(test.labels))
    else:
        accuracy = as_share(mean_by_key(right.astype(float), test.keys, seed))
        commonest = Counter(sorted(train.labels)).most_common(1)[0][0]
        chance = test.labels.count(commonest) / len(test.labels)
    classes = tuple(sorted(set(train.labels)))
    return ProbeResult(accuracy, chance, classes, len(train.labels), len(test.labels), strength)


def two_category_probe(
    train: ProbeExamples,
    test: ProbeExamples,
    seed: int,
    categories: tuple[str, str] | None = None,
) -> ProbeResult:
    """Train and test a probe that tells two categories apart; other examples are left out.

    Args:
        train: examples to train on.
        test: examples to test on, of other pictures.
        seed: seed of the choice of regularisation and of the interval.
        categories: the two categories. None for those that `confused_categories` finds in the
            training part; name them where arms are compared, as each arm may confuse others.

    Raises:
        ValueError: a part lacks one of the two categories, or `probe` raises.
    """
    chosen = confused_categories(train, seed) if categories is None else categories
    for name, part in (("training", train), ("test", test)):
        missing = set(chosen) - set(part.labels)
        if missing:
            raise ValueError(f"the {name} part has no {' and no '.join(sorted(missing))}")
    kept = [part.where(np.isin(part.labels, chosen)) for part in (train, test)]
    return probe(kept[0], kept[1], seed)


def confused_categories(train: ProbeExamples, seed: int) -> tuple[str, str]:
    """The two categories that a probe confuses most, by the mean of both error rates.

    Rates are taken on the half of the training pictures on which the regularisation is chosen, so
    test pictures have no influence. Categories with fewer than `LEAST_OF_A_CLASS` examples there
    are left out.

    Raises:
        ValueError: fewer than two categories are left.
    """
    fitted_half, choice_half = _halves(train, seed)
    guesses = _fit(fitted_half, _best_strength(train, seed)).predict(choice_half.features)
    truth = np.array(choice_half.labels)
    names = [
        name
        for name, count in sorted(Counter(choice_half.labels).items())
        if count >= LEAST_OF_A_CLASS
    ]
    if len(names) < 2:
        raise ValueError(
            f"{len(names)} categories have {LEAST_OF_A_CLASS} examples; a pair takes two"
        )

    def error_rate(categories: tuple[str, str]) -> float:
        first, second = categories
        as_second = np.mean(guesses[truth == first] == second)
        as_first = np.mean(guesses[truth == second] == first)
        return float((as_second + as_first) / 2)

    return max(combinations(names, 2), key=error_rate)


def _best_strength(train: ProbeExamples, seed: int, balanced: bool = False) -> float:
    fitted_half, choice_half = _halves(train, seed)
    truth = np.array(choice_half.labels)
    counts = Counter(choice_half.labels)
    weights = [1 / counts[label] if balanced else 1.0 for label in choice_half.labels]
    scores = [
        float(
            np.average(
                _fit(fitted_half, strength, balanced).predict(choice_half.features) == truth,
                weights=weights,
            )
        )
        for strength in STRENGTHS
    ]
    return STRENGTHS[scores.index(max(scores))]


def _halves(train: ProbeExamples, seed: int) -> tuple[ProbeExamples, ProbeExamples]:
    """Examples of half of the training pictures to fit on, and of the others to choose on.

    Raises:
        ValueError: the first half has one class only, or the second has no example.
    """
    keys = sorted(set(train.keys))
    first = generator(seed, "probe").permutation(len(keys))[: (len(keys) + 1) // 2]
    in_first = np.isin(train.keys, [keys[place] for place in first.tolist()])
    fitted_half, choice_half = train.where(in_first), train.where(~in_first)
    if len(set(fitted_half.labels)) < 2 or not choice_half.labels:
        raise ValueError(f"{len(keys)} training pictures are too few to choose a probe on")
    return fitted_half, choice_half


def _fit(train: ProbeExamples, strength: float, balanced: bool = False) -> Pipeline:
    from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

    weights = "balanced" if balanced else None
    classifier = LogisticRegression(C=strength, max_iter=_ITERATIONS, class_weight=weights)
    fitted = make_pipeline(StandardScaler(), classifier)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return fitted.fit(train.features, np.array(train.labels))


def _check_parts(train: ProbeExamples, test: ProbeExamples) -> None:
    in_both = sorted(set(train.keys) & set(test.keys))
    if in_both:
        raise ValueError(
            f"{len(in_both)} pictures are in both parts of a probe, such as {in_both[0]}"
        )
    for name, part in (("training", train), ("test", test)):
        if not part.labels:
            raise ValueError(f"the {name} part of a probe is empty")
        if not np.isfinite(part.features).all():
            raise ValueError(f"features of the {name} part of a probe are not finite")
    if len(set(train.labels)) < 2:
        raise ValueError(f"a probe needs two classes; all are {cut(train.labels[0], 40)}")
