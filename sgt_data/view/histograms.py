"""Histograms of values, with bounds that a person can read. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 24
_STEPS = (1, 2, 2.5, 5, 10)


def histogram(
    values: NDArray[np.float64], *, whole: bool = False, logarithmic: bool = False
) -> Any:
    """Counts of finite values by range, as JSON: `bins` of (from, to, count), and some quantiles.

    Args:
        values: `[n]`, in any order.
        whole: they are whole numbers: bounds are whole too, and `to` belongs to its range.
        logarithmic: ranges are equal in ratio; values of 0 have a range of their own.
    """
    finite = np.isfinite(values)
    values = values if finite.all() else values[finite]
    if not len(values):
        return {"bins": [], "n": 0}
    bounds = _log_bounds(values) if logarithmic else _bounds(values, whole)
    counts, _ = np.histogram(values, bounds)
    last = 1 if whole else 0
    bins = [
        [float(low), float(high) - last, int(count)]
        for low, high, count in zip(bounds[:-1], bounds[1:], counts, strict=True)
    ]
    low, tenth, middle, ninetieth, high = np.quantile(values, [0, 0.1, 0.5, 0.9, 1]).tolist()
    return {
        "bins": bins,
        "n": len(values),
        "min": low,
        "p10": tenth,
        "median": middle,
        "p90": ninetieth,
        "max": high,
    }


def _bounds(values: NDArray[np.float64], whole: bool) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    step = _step((high - low) / _BINS if high > low else abs(low) / _BINS)
    if whole:
        step = max(1.0, float(np.ceil(step)))
        high += 1  # a range ends before the next whole number
    begin = np.floor(low / step) * step
    count = max(1, int(np.ceil((high - begin) / step - 1e-9)))
    bounds: NDArray[np.float64] = begin + step * np.arange(count + 1)
    if bounds[-1] < high:
        bounds = np.append(bounds, bounds[-1] + step)
    return bounds


def _log_bounds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four ranges for each power of ten."""
    positive = values[values > 0]
    if not len(positive):
        return np.array([0.0, 1.0])
    first = np.floor(np.log10(positive.min()) * 4)
    last = max(np.ceil(np.log10(positive.max()) * 4), first + 1)
    bounds: NDArray[np.float64] = 10 ** (np.arange(first, last + 1) / 4)
    bounds[-1] = max(bounds[-1], positive.max())
    bounds[0] = min(bounds[0], positive.min())
    return np.append(0.0, bounds) if (values <= 0).any() else bounds


def _step(least: float) -> float:
    """The smallest round number that is not less."""
    if least <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9)))
