"""Many small random draws from one numpy generator, without a numpy call for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")
_BLOCK = 256


class Dice:
    """Uniform draws in a fixed order; numbers are taken from `rng` in blocks of 256."""

    __slots__ = ("_draws", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._draws: Iterator[float] = iter(())

    def chance(self) -> float:
        """A number in [0, 1)."""
        for value in self._draws:
            return value
        self._draws = iter(self._rng.random(_BLOCK).tolist())
        return next(self._draws)

    def within(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.chance()

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return int(count * self.chance())

    def choice(self, options: Sequence[_T]) -> _T:
        """An option, each as likely as any other."""
        return options[self.below(len(options))]

    def shuffle(self, options: Sequence[_T]) -> list[_T]:
        """The options in a new order, each order as likely as any other."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in options]
