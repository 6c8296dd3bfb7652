"""How many samples of each component are in each batch: exact, carried, never sampled.

The samples of all batches, one after the other, are slots 0, 1, 2 ...; a component with weight w
of W in all has had within one of n * w / W of the first n slots. So a batch of 24 at 2 : 1 always
has 16 and 8, batches of 10 have 7 and 3 or 6 and 4, and over any stretch the shares hold to within
two samples. Within a batch the components stand in the order of the mixture.
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
"""Weights are taken as fractions with denominators up to this."""

_PERIOD_MAX = 10_000_000

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Phase:
    """From which step on, and slot shares: `prefix[n]` [C] counts each component's slots among the
    first n of a period; `total` is a whole period's."""

    step: int
    prefix: NDArray[np.int64]

    def taken(self, slots: int) -> NDArray[np.int64]:
        """Slots of each component [C] among the first `slots` of the phase."""
        periods, rest = divmod(slots, len(self.prefix) - 1)
        found: NDArray[np.int64] = periods * self.prefix[-1] + self.prefix[rest]
        return found


class Mixture:
    """The counts of all batches, by step: a pure function of weights and batch size."""

    def __init__(self, schedule: Mapping[int, Weights], batch_size: int) -> None:
        """
        Args:
            schedule: weights by the step from which on they hold; step 0 must be there, and each
                names the same components.
            batch_size: samples per global batch.

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
            whole = _whole([weights[name] for name in self.components], step)
            self._phases.append(_Phase(step, _prefix(whole)))

    @property
    def changes(self) -> bool:
        """Whether the weights change at some step."""
        return len(self._phases) > 1

    def longest_wait(self, component: int) -> int:
        """A number of steps after which a component with any weight has had a sample."""
        last = self._phases[-1]
        return last.step + -(-(len(last.prefix) - 1) // self.batch_size)

    def before(self, step: int) -> NDArray[np.int64]:
        """How many samples of each component [C] all batches before `step` hold."""
        total = np.zeros(len(self.components), np.int64)
        for phase, following in zip(self._phases, [*self._phases[1:], None], strict=True):
            if phase.step >= step:
                break
            end = step if following is None else min(step, following.step)
            total += phase.taken((end - phase.step) * self.batch_size)
        return total

    def counts(self, step: int) -> NDArray[np.int64]:
        """Samples of each component [C] in the batch of a step; they add up to the batch size."""
        found: NDArray[np.int64] = self.before(step + 1) - self.before(step)
        return found


def _whole(weights: Sequence[float], step: int) -> list[int]:
    """The smallest whole numbers in the same proportion."""
    fractions = []
    for weight in weights:
        if not 0 <= weight < float("inf"):
            raise RequestError(f"mixture at step {step}: found weight {weight}; from 0 on")
        fractions.append(Fraction(weight).limit_denominator(DENOMINATOR_MAX))
    scale = lcm(*(one.denominator for one in fractions))
    whole = [int(one * scale) for one in fractions]
    shared = gcd(*whole)
    if shared == 0:
        raise RequestError(f"mixture at step {step}: all weights are 0")
    if sum(whole) // shared > _PERIOD_MAX:
        raise RequestError(f"mixture at step {step}: the weights differ too much: {list(weights)}")
    return [one // shared for one in whole]


def _prefix(weights: Sequence[int]) -> NDArray[np.int64]:
    """Slots of each component among the first n, for n of 0 to a whole period: [W + 1, C].

    Each slot goes to the component that is due first among those not ahead of their share (the
    earliest deadline first of Tijdeman's chairman assignment), which keeps every count within one
    of its share.
    """
    total = sum(weights)
    shares = np.array(weights, np.int64)
    prefix = np.zeros((total + 1, len(weights)), np.int64)
    taken = np.zeros(len(weights), np.int64)
    far = np.iinfo(np.int64).max
    for slot in range(total):
        # due: the last slot at which the next sample of a component may come
        eligible = (shares > 0) & (taken * total < shares * (slot + 1))
        due = np.where(eligible, ((taken + 1) * total - 1) // np.maximum(shares, 1), far)
        taken[int(due.argmin())] += 1
        prefix[slot + 1] = taken
    return prefix
