"""How many samples of each component are in each batch: exact, never drawn by chance.

Put the samples of all batches in one row of slots 0, 1, 2 ... A component with weight w, where all
weights add up to W, has n * w / W of the first n slots, to within one. So a batch of 24 with
weights 2 : 1 always has 16 and 8 samples; batches of 10 have 7 and 3, or 6 and 4; and over any run
of batches the shares hold to within two samples. Within a batch, the components come in the order
of the mixture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import RequestError

DENOMINATOR_MAX = 1000
"""Weights are rounded to fractions with denominators up to this."""

_PERIOD_MAX = 10_000_000

Weights = Mapping[str, float]
"""Weight of each component, from 0 on; only their ratios count."""


class Mixture:
    """The number of samples of each component in every batch: a pure function of weights and step.

    Attributes:
        components: names of the components, in the order that they have in a batch.
        batch_size: samples of a global batch.
        cycle: an epoch without a carried rest is a multiple of so many steps: any number.
    """

    cycle = 1

    def __init__(self, schedule: Mapping[int, Weights], batch_size: int) -> None:
        """
        Args:
            schedule: weights by the step from which on they hold. There must be weights for step 0,
                and all steps must name the same components.
            batch_size: samples of a global batch.

        Raises:
            RequestError: a weight is negative or not a number, or all are zero; steps or
                components do not fit.
        """
        if 0 not in schedule:
            raise RequestError("mixture: the schedule must begin at step 0")
        self.components = tuple(schedule[0])
        self.batch_size = batch_size
        self._phases: list[_Phase] = []
        for step in sorted(schedule):
            weights = schedule[step]
            if step < 0 or set(weights) != set(self.components):
                raise RequestError(
                    f"mixture at step {step}: found {', '.join(weights)}; each step names "
                    f"{', '.join(self.components)}"
                )
            ratio = _whole_number_ratio([weights[name] for name in self.components], step)
            self._phases.append(_Phase(step, _slots_by_component(ratio)))

    @property
    def is_constant(self) -> bool:
        """Whether the weights are the same for all steps."""
        return len(self._phases) == 1

    @property
    def steps_until_all_come(self) -> int:
        """A number of steps within which every component whose last weight is above 0 has had a
        sample."""
        last = self._phases[-1]
        return last.first_step + -(-last.period // self.batch_size)

    def counts_before(self, step: int) -> NDArray[np.int64]:
        """Number of samples of each component [C] in all batches before a step."""
        total = np.zeros(len(self.components), np.int64)
        for phase, following in zip(self._phases, [*self._phases[1:], None], strict=True):
            if phase.first_step >= step:
                break
            end = step if following is None else min(step, following.first_step)
            total += phase.counts((end - phase.first_step) * self.batch_size)
        return total

    def counts(self, step: int) -> NDArray[np.int64]:
        """Number of samples of each component [C] in the batch of a step; they add up to
        `batch_size`."""
        counts: NDArray[np.int64] = self.counts_before(step + 1) - self.counts_before(step)
        return counts


@dataclass(frozen=True, slots=True)
class _Phase:
    """A run of steps with the same weights.

    Attributes:
        first_step: the step from which on the weights hold.
        slots: [period + 1, C] slots of each component among the first n slots of a period.
    """

    first_step: int
    slots: NDArray[np.int64]

    @property
    def period(self) -> int:
        """Number of slots after which their order repeats."""
        return len(self.slots) - 1

    def counts(self, slots: int) -> NDArray[np.int64]:
        """Slots of each component [C] among the first `slots` slots of the phase."""
        periods, rest = divmod(slots, self.period)
        counts: NDArray[np.int64] = periods * self.slots[-1] + self.slots[rest]
        return counts


def _whole_number_ratio(weights: Sequence[float], step: int) -> list[int]:
    """The smallest whole numbers that have the ratio of the weights."""
    fractions = []
    for weight in weights:
        if not 0 <= weight < float("inf"):
            raise RequestError(f"mixture at step {step}: found weight {weight}; from 0 on")
        fractions.append(Fraction(weight).limit_denominator(DENOMINATOR_MAX))
    scale = lcm(*(fraction.denominator for fraction in fractions))
    numbers = [int(fraction * scale) for fraction in fractions]
    divisor = gcd(*numbers)
    if divisor == 0:
        raise RequestError(f"mixture at step {step}: all weights are 0")
    if sum(numbers) // divisor > _PERIOD_MAX:
        raise RequestError(f"mixture at step {step}: the weights differ too much: {list(weights)}")
    return [number // divisor for number in numbers]


def _slots_by_component(weights: Sequence[int]) -> NDArray[np.int64]:
    """Slots of each component among the first n, for n from 0 to the period W: [W + 1, C].

    Each slot goes to the component with the earliest deadline among those that are not ahead of
    their share (Tijdeman's chairman assignment), which keeps every count within one of its share.
    """
    period = sum(weights)
    shares = np.array(weights, np.int64)
    slots = np.zeros((period + 1, len(weights)), np.int64)
    taken = np.zeros(len(weights), np.int64)
    never = np.iinfo(np.int64).max
    for slot in range(period):
        eligible = (shares > 0) & (taken * period < shares * (slot + 1))
        # the deadline is the last slot at which the next sample of a component may come
        deadlines = np.where(eligible, ((taken + 1) * period - 1) // np.maximum(shares, 1), never)
        taken[int(deadlines.argmin())] += 1
        slots[slot + 1] = taken
    return slots
