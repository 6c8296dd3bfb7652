"""Linear probes: what can be read off frozen features by a plane (Alain and Bengio, 2016).

Multinomial logistic regression on standardised features. Its strength of regularisation is chosen
on half of the training pictures, after fitting on the other half; test pictures are read once.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.experiment.measure.intervals import as_share, mean_by_key
from sgt_data.experiment.measure.probe_examples import Examples
from sgt_data.experiment.measure.results import ProbeResult
from sgt_data.seeds import generator

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C, the inverse of the penalty's weight; the first of the best is taken."""

LEAST_OF_A_CLASS = 5
_ITERATIONS = 2000


def probe(train: Examples, test: Examples, seed: int) -> ProbeResult:
    """Train a probe on some pictures and test it on others.

    Raises:
        ValueError: a picture is in both parts, a part is empty, or the training part has but one
            class.
    """
    _check(train, test)
    strength = _strength(train, seed)
    right = _fit(train, strength).predict(test.features) == np.array(test.labels)
    commonest = Counter(sorted(train.labels)).most_common(1)[0][0]
    return ProbeResult(
        as_share(mean_by_key(right.astype(float), test.keys, seed)),
        test.labels.count(commonest) / len(test.labels),
        tuple(sorted(set(train.labels))),
        len(train.labels),
        len(test.labels),
        strength,
    )


def pair_probe(
    train: Examples, test: Examples, seed: int, pair: tuple[str, str] | None = None
) -> ProbeResult:
    """A probe that tells two categories apart, others left out; `classes` says which.

    Args:
        train, test, seed: as of `probe`.
        pair: the two; by default those that `confused_pair` finds in the training part. Name them
            where arms are compared, for each arm may confuse others.

    Raises:
        ValueError: as of `probe`; or a part lacks one of the two.
    """
    chosen = confused_pair(train, seed) if pair is None else pair
    for name, part in (("training", train), ("test", test)):
        missing = set(chosen) - set(part.labels)
        if missing:
            raise ValueError(f"the {name} part has no {' and no '.join(sorted(missing))}")
    kept = [part.where(np.isin(part.labels, chosen)) for part in (train, test)]
    return probe(kept[0], kept[1], seed)


def confused_pair(train: Examples, seed: int) -> tuple[str, str]:
    """The two categories that a probe takes most often for each other, on the half of the training
    pictures on which its strength is chosen: by the mean of both rates of error. Test pictures have
    no say. Categories with fewer than `LEAST_OF_A_CLASS` examples there are left out.

    Raises:
        ValueError: fewer than two categories are left.
    """
    fitted, chosen_on = _halves(train, seed)
    guesses = _fit(fitted, _strength(train, seed)).predict(chosen_on.features)
    truth = np.array(chosen_on.labels)
    names = [
        name
        for name, count in sorted(Counter(chosen_on.labels).items())
        if count >= LEAST_OF_A_CLASS
    ]
    if len(names) < 2:
        raise ValueError(
            f"{len(names)} categories have {LEAST_OF_A_CLASS} examples; a pair takes two"
        )
    rates = {
        (a, b): (np.mean(guesses[truth == a] == b) + np.mean(guesses[truth == b] == a)) / 2
        for place, a in enumerate(names)
        for b in names[place + 1 :]
    }
    return max(rates, key=lambda pair: float(rates[pair]))


def _strength(train: Examples, seed: int) -> float:
    fitted, chosen_on = _halves(train, seed)
    truth = np.array(chosen_on.labels)
    scores = [
        float(np.mean(_fit(fitted, one).predict(chosen_on.features) == truth)) for one in STRENGTHS
    ]
    return STRENGTHS[scores.index(max(scores))]


def _halves(train: Examples, seed: int) -> tuple[Examples, Examples]:
    """The training pictures in two halves.

    Raises:
        ValueError: the first half has but one class, or the second nothing.
    """
    keys = sorted(set(train.keys))
    first = generator(seed, "probe").permutation(len(keys))[: (len(keys) + 1) // 2]
    inside = np.isin(train.keys, [keys[place] for place in first.tolist()])
    fitted, chosen_on = train.where(inside), train.where(~inside)
    if len(set(fitted.labels)) < 2 or not chosen_on.labels:
        raise ValueError(f"{len(keys)} training pictures are too few to choose a probe on")
    return fitted, chosen_on


class _Fitted:
    """Standardisation and planes; features that do not vary are left at 0."""

    def __init__(self, model: Any, middle: NDArray[np.float64], spread: NDArray[np.float64]):
        self._model, self._middle, self._spread = model, middle, spread

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.str_]:
        return np.asarray(self._model.predict((features - self._middle) / self._spread), np.str_)


def _fit(train: Examples, strength: float) -> _Fitted:
    from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    middle, spread = train.features.mean(axis=0), train.features.std(axis=0)
    spread = np.where(spread > 1e-9 * (1 + np.abs(middle)), spread, 1.0)
    model = LogisticRegression(C=strength, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit((train.features - middle) / spread, np.array(train.labels))
    return _Fitted(model, middle, spread)


def _check(train: Examples, test: Examples) -> None:
    both = sorted(set(train.keys) & set(test.keys))
    if both:
        raise ValueError(f"{len(both)} pictures are in both parts of a probe, such as {both[0]}")
    for name, part in (("training", train), ("test", test)):
        if not part.labels:
            raise ValueError(f"the {name} part of a probe is empty")
        if not np.isfinite(part.features).all():
            raise ValueError(f"features of the {name} part of a probe are not finite")
    if len(set(train.labels)) < 2:
        raise ValueError(f"a probe needs two classes; all are {train.labels[0]!r:.40}")
