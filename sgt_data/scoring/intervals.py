"""95 % intervals over pictures.

Questions about one picture are not independent. So the bootstrap draws pictures, not questions (a
cluster bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8),
and an interval runs from the 2.5 % to the 97.5 % quantile of the resampled statistic.

`scipy.stats.bootstrap` is not used: it draws other resamples, so published numbers would change,
and it has no weights of pictures, with which one matrix product computes 100 resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.seeds import generator

STRICT = ConfigDict(extra="forbid")
"""Configuration of all records that are read from JSON: unknown fields are errors."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""A function from weights [R, pictures] (how often each resample drew each picture) to values [R],
NaN where a resample has no value."""

RESAMPLES = 1000
TAIL = 0.025
"""Share of the values beyond each end of an interval."""

_BLOCK = 100


@checked(frozen=True, slots=True, config=STRICT)
class Estimate:
    """A number with its 95 % interval over pictures.

    Attributes:
        value: the number, over all pictures.
        low, high: ends of the interval; None where there is one picture only.
        count: number of pictures.
    """

    value: float
    low: float | None
    high: float | None
    count: int


def resamples(count: int, seed: int) -> Iterator[Floats]:
    """Weights of `RESAMPLES` bootstrap resamples of `count` pictures, in blocks [R, count]."""
    rng = generator(seed, "bootstrap", str(count))
    for start in range(0, RESAMPLES, _BLOCK):
        rows = min(_BLOCK, RESAMPLES - start)
        drawn = rng.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(float)


def bootstrap(statistic: Statistic, count: int, seed: int) -> Estimate:
    """A statistic of `count` pictures with its bootstrap interval.

    Raises:
        ValueError: there are no pictures, or the statistic has no value over all of them.
    """
    if count < 1:
        raise ValueError("there are no pictures to take a statistic of")
    value = float(statistic(np.ones((1, count)))[0])
    if not np.isfinite(value):
        raise ValueError(f"the statistic of all {count} pictures is {value}")
    if count == 1:
        return Estimate(value, None, None, 1)
    values = np.concatenate([statistic(weights) for weights in resamples(count, seed)])
    low, high = np.quantile(values[np.isfinite(values)], (TAIL, 1 - TAIL))
    return Estimate(value, float(low), float(high), count)


def finite_estimates(
    statistics: Mapping[str, Statistic], count: int, seed: int
) -> dict[str, Estimate]:
    """The statistics that have a value over all of `count` pictures, with their intervals."""
    everything = np.ones((1, count))
    return {
        name: bootstrap(statistic, count, seed)
        for name, statistic in statistics.items()
        if np.isfinite(statistic(everything)[0])
    }


def ratio_of_sums(numerators: Floats, denominators: Floats, seed: int) -> Estimate:
    """Sum of `numerators` [pictures] over sum of `denominators` [pictures], with its interval."""
    return bootstrap(
        lambda weights: divide_or_nan(weights @ numerators, weights @ denominators),
        len(numerators),
        seed,
    )


def mean_over_pictures(values: Floats, seed: int) -> Estimate:
    """Mean of one number per picture [pictures], with its interval."""
    return ratio_of_sums(values, np.ones(len(values)), seed)


def mean_by_key(values: Floats, keys: Sequence[str], seed: int) -> Estimate:
    """Mean of one number per question [n], with its interval over the pictures named by `keys`."""
    _, pictures = np.unique(np.array(keys), return_inverse=True)
    sums = np.bincount(pictures, weights=values).astype(np.float64)
    return ratio_of_sums(sums, np.bincount(pictures).astype(np.float64), seed)


def as_share(estimate: Estimate) -> Estimate:
    """An estimate of a share, with exact bounds where the share is 0 or 1.

    There the bootstrap has no width, so the bound of Clopper and Pearson over n pictures is taken:
    a share below `0.025 ** (1 / n)` would show no error in less than one of forty samples.
    The formula stands here because `scipy.stats.binomtest` differs from it in the last bit.
    """
    bound = TAIL ** (1 / estimate.count)
    if estimate.value == 1:
        return Estimate(1.0, bound, 1.0, estimate.count)
    if estimate.value == 0:
        return Estimate(0.0, 0.0, 1 - bound, estimate.count)
    return estimate


def divide_or_nan(numerators: Floats, denominators: Floats) -> Floats:
    """Quotients of two arrays of the same shape, NaN where the denominator is not positive."""
    quotients: Floats = np.divide(
        numerators,
        denominators,
        out=np.full(numerators.shape, np.nan),
        where=denominators > 0,
    )
    return quotients
