"""The mean of one number per seed, with its 95 % interval (Student's t)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic.dataclasses import dataclass as checked

from sgt_data.scoring.intervals import STRICT, TAIL


@checked(frozen=True, slots=True, config=STRICT)
class SeedMean:
    """The mean of one number per seed.

    Attributes:
        mean: mean of the values.
        error: standard error of the mean; None for one seed.
        low, high: ends of the 95 % interval (Student's t); None for one seed.
        values: the number of each seed.
    """

    mean: float
    error: float | None
    low: float | None
    high: float | None
    values: tuple[float, ...]

    @property
    def reach(self) -> float:
        """Half the 95 % interval; 0 for one seed, which has none."""
        return 0.0 if self.high is None else self.high - self.mean


def mean_over_seeds(values: Sequence[float]) -> SeedMean:
    """Mean, standard error and 95 % t interval of one value per seed."""
    from scipy.stats import sem  # type: ignore[import-untyped]

    mean = float(np.mean(values))
    if len(values) == 1:
        return SeedMean(mean, None, None, None, tuple(values))
    error = float(sem(values))
    reach = t_quantile(len(values) - 1) * error  # `scipy.stats.t.interval` is NaN for error 0
    return SeedMean(mean, error, mean - reach, mean + reach, tuple(values))


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t distribution with `freedom` degrees of freedom."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(freedom, 1 - TAIL))
