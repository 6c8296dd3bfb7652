"""Ranges of a manifest, and random values within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from pydantic import AfterValidator

_T = TypeVar("_T")
_STEPS = 1000


def within(low: float, high: float) -> AfterValidator:
    """Pydantic validator of a range (least, most) that lies within `low` to `high`."""

    def check(bounds: tuple[float, float]) -> tuple[float, float]:
        if not low <= bounds[0] <= bounds[1] <= high:
            raise ValueError(f"a range is least and most, in {low} to {high}; found {list(bounds)}")
        return bounds

    return AfterValidator(check)


def draw_fraction(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """One of 1001 evenly spaced values of a range (least, most), rounded to four decimals."""
    low, high = bounds
    value = round(low + (high - low) * int(rng.integers(0, _STEPS + 1)) / _STEPS, 4)
    return float(min(max(value, low), high))


def draw_integer(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """An integer of a range (least, most), both included."""
    return int(rng.integers(bounds[0], bounds[1] + 1))


def draw_option(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """An option, each with the same chance."""
    return options[int(rng.integers(0, len(options)))]
