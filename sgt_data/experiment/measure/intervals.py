"""How sure a number is: 95 % intervals over pictures, over seeds, and of a difference.

Questions about one picture are not independent, so pictures are what is drawn again (a cluster
bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8), and
intervals are the 2.5 % and 97.5 % quantiles of what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.seeds import generator

RECORD = ConfigDict(extra="forbid")
Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From weights [R, pictures] (how often each picture was drawn) to values [R], NaN where none."""

REPLICATES = 1000
_TAIL = 0.025
_CHUNK = 100


@checked(frozen=True, slots=True, config=RECORD)
class Estimate:
    """A number with its 95 % interval over pictures.

    Attributes:
        value: over all pictures.
        low, high: of the interval; None where there are too few pictures to tell.
        count: pictures.
    """

    value: float
    low: float | None
    high: float | None
    count: int


@checked(frozen=True, slots=True, config=RECORD)
class SeedMean:
    """A number over seeds.

    Attributes:
        mean: of the seeds.
        error: standard error of the mean; None for one seed.
        low, high: Student's t interval, 95 %; None for one seed.
        values: of the seeds.
    """

    mean: float
    error: float | None
    low: float | None
    high: float | None
    values: tuple[float, ...]


def resamples(count: int, seed: int) -> Iterator[Floats]:
    """Weights of `REPLICATES` resamples of `count` pictures, in blocks [R, count]."""
    rng = generator(seed, "bootstrap", str(count))
    for start in range(0, REPLICATES, _CHUNK):
        rows = min(_CHUNK, REPLICATES - start)
        drawn = rng.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(float)


def bootstrap(statistic: Statistic, count: int, seed: int) -> Estimate:
    """A statistic of `count` pictures with its interval.

    Raises:
        ValueError: there are no pictures, or the statistic has no value over them.
    """
    if count < 1:
        raise ValueError("there are no pictures to take a statistic of")
    value = float(statistic(np.ones((1, count)))[0])
    if not np.isfinite(value):
        raise ValueError(f"the statistic of all {count} pictures is {value}")
    if count == 1:
        return Estimate(value, None, None, 1)
    drawn = np.concatenate([statistic(weights) for weights in resamples(count, seed)])
    low, high = np.quantile(drawn[np.isfinite(drawn)], (_TAIL, 1 - _TAIL))
    return Estimate(value, float(low), float(high), count)


def ratio(above: Floats, below: Floats, seed: int) -> Estimate:
    """Sum of `above` [pictures] over the sum of `below`, as of right answers over questions."""
    return bootstrap(lambda weights: divided(weights @ above, weights @ below), len(above), seed)


def mean(values: Floats, seed: int) -> Estimate:
    """Mean of one number per picture [pictures]."""
    return ratio(values, np.ones(len(values)), seed)


def mean_by_key(values: Floats, keys: Sequence[str], seed: int) -> Estimate:
    """Mean of one number per question or example [n], whose pictures are `keys`."""
    _, owners = np.unique(np.array(keys), return_inverse=True)
    sums = np.bincount(owners, weights=values).astype(np.float64)
    return ratio(sums, np.bincount(owners).astype(np.float64), seed)


def as_share(found: Estimate) -> Estimate:
    """The same, where it is a share: pictures that are all right (or all wrong) give the bootstrap
    no width, so Clopper and Pearson's bound over pictures takes its place: with n of them, a share
    below `0.025 ** (1 / n)` would show no error less often than once in forty times."""
    bound = _TAIL ** (1 / found.count)
    if found.value == 1:
        return Estimate(1.0, bound, 1.0, found.count)
    if found.value == 0:
        return Estimate(0.0, 0.0, 1 - bound, found.count)
    return found


def divided(above: Floats, below: Floats) -> Floats:
    """`above / below`, NaN where there is nothing to divide by."""
    shares: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return shares


def over_seeds(values: Sequence[float]) -> SeedMean:
    """Mean, standard error and t interval of one value per seed."""
    count = len(values)
    middle = float(np.mean(values))
    if count == 1:
        return SeedMean(middle, None, None, None, tuple(values))
    error = float(np.std(values, ddof=1)) / count**0.5
    reach = t_quantile(count - 1) * error
    return SeedMean(middle, error, middle - reach, middle + reach, tuple(values))


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t with so many degrees of freedom."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(freedom, 1 - _TAIL))
