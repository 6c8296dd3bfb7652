"""Ranges in a manifest, and a value drawn from one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from pydantic import AfterValidator

_T = TypeVar("_T")
_STEPS = 1000


def within(low: float, high: float) -> AfterValidator:
    """Pydantic: a pair in order, inside `low` to `high`."""

    def check(pair: tuple[float, float]) -> tuple[float, float]:
        if not low <= pair[0] <= pair[1] <= high:
            raise ValueError(f"a range is least and most, in {low} to {high}; found {list(pair)}")
        return pair

    return AfterValidator(check)


def draw_fraction(rng: np.random.Generator, pair: tuple[float, float]) -> float:
    """One of 1001 evenly spaced values from least to most, to four decimals."""
    low, high = pair
    value = round(low + (high - low) * int(rng.integers(0, _STEPS + 1)) / _STEPS, 4)
    return min(max(value, low), high)


def draw_whole(rng: np.random.Generator, pair: tuple[int, int]) -> int:
    """A whole number from least to most, both included."""
    return int(rng.integers(pair[0], pair[1] + 1))


def draw_one(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """One of the options, each as likely as any other."""
    return options[int(rng.integers(0, len(options)))]
