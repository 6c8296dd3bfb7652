"""Which samples are in which batch: a pure function of component sizes, mixture, seed and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sgt_data.errors import RequestError
from sgt_data.stream.mixture import Mixture
from sgt_data.stream.order import Order

Last = Literal["carry", "drop", "pad"]
"""What becomes of an epoch's incomplete last batch: the next epoch fills it up (`carry`), it is
left out (`drop`), or it is filled with samples from the epoch's beginning (`pad`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One sample of a batch: its component, shard number and row."""

    component: str
    shard: int
    row: int


class Schedule:
    """All batches, by step. An epoch is one pass over the component `epoch_of`; the others go
    through their own at their own pace, each sample once in each."""

    def __init__(
        self, mixture: Mixture, orders: Mapping[str, Order], epoch_of: str, last: Last
    ) -> None:
        """
        Raises:
            RequestError: a component is empty, or policy and mixture do not fit.
        """
        for name, order in orders.items():
            if order.size == 0:
                raise RequestError(f"component {name} holds no sample")
        if epoch_of not in orders:
            raise RequestError(f"epoch_of: found {epoch_of!r}; allowed: {', '.join(orders)}")
        self._mixture, self._orders, self._last = mixture, dict(orders), last
        self._first = mixture.components.index(epoch_of)
        self._size = orders[epoch_of].size
        self._steps: int | None = None
        if last != "carry":
            if mixture.changes:
                raise RequestError(
                    f"last: {last} does not go with a mixture that changes; carry does"
                )
            self._steps = self._aligned_steps()
            if self._steps == 0:
                raise RequestError(
                    f"an epoch of {self._size} samples fills no batch of {mixture.batch_size}"
                )
        elif not mixture.before(1 + mixture.longest_wait(self._first))[self._first]:
            raise RequestError(f"epoch_of: {epoch_of} has no weight")

    def epoch_start(self, epoch: int) -> int:
        """The first step of an epoch."""
        if self._steps is not None:
            return epoch * self._steps
        return self._first_step_with(epoch * self._size)

    def epoch_at(self, step: int) -> int:
        """The epoch that a step belongs to."""
        if self._steps is not None:
            return step // self._steps
        # a batch belongs to the epoch of its first sample of that component
        epoch = int(self._mixture.before(step)[self._first]) // self._size
        while self.epoch_start(epoch + 1) <= step:
            epoch += 1
        while self.epoch_start(epoch) > step:
            epoch -= 1
        return epoch

    def batch(self, step: int) -> list[Place]:
        """The samples of a step's global batch, in order."""
        found: list[Place] = []
        for index, name in enumerate(self._mixture.components):
            for start, stop in self._positions(step, index):
                places = self._orders[name].places(start, stop)
                found += [
                    Place(name, shard, row)
                    for shard, row in zip(places.shards.tolist(), places.rows.tolist(), strict=True)
                ]
        return found

    def upcoming(self, step: int) -> list[tuple[str, int]]:
        """Components and shard numbers that a step and those soon after it take from, in the order
        in which they are needed: what is worth fetching."""
        found: list[tuple[str, int]] = []
        for index, name in enumerate(self._mixture.components):
            for start, _ in self._positions(step, index)[:1]:
                found += [(name, shard) for shard in self._orders[name].upcoming(start).tolist()]
        return found

    def _positions(self, step: int, index: int) -> Sequence[tuple[int, int]]:
        """Runs of positions in a component's order that a step takes."""
        if self._steps is None:
            before, after = self._mixture.before(step), self._mixture.before(step + 1)
            return [(int(before[index]), int(after[index]))]
        epoch, within = divmod(step, self._steps)
        before, after = self._mixture.before(within), self._mixture.before(within + 1)
        start, stop = int(before[index]), int(after[index])
        if index != self._first:
            passed = epoch * int(self._mixture.before(self._steps)[index])
            return [(passed + start, passed + stop)]
        base = epoch * self._size
        runs = [(base + start, base + min(stop, self._size))]
        left = stop - max(start, self._size) if stop > self._size else 0
        while left > 0:  # pad: from the epoch's beginning, as often as need be
            runs.append((base, base + min(left, self._size)))
            left -= self._size
        return [run for run in runs if run[0] < run[1]]

    def _aligned_steps(self) -> int:
        """Steps of an epoch whose beginning is a batch's."""
        full = self._first_step_with(self._size)
        if self._last == "pad":
            return full
        exact = int(self._mixture.before(full)[self._first]) == self._size
        return full if exact else full - 1

    def _first_step_with(self, samples: int) -> int:
        """The least step before which so many samples of the epoch's component have been given."""
        low, high = 0, 1
        while self._mixture.before(high)[self._first] < samples:
            low, high = high, 2 * high
        while low < high:
            middle = (low + high) // 2
            if self._mixture.before(middle)[self._first] < samples:
                low = middle + 1
            else:
                high = middle
        return low


def share_of(batch: Sequence[Place], rank: int, world: int) -> list[Place]:
    """The part of a global batch that one of `world` ranks takes: every `world`-th sample, so that
    all get alike of every component."""
    return [batch[at] for at in np.arange(rank, len(batch), world).tolist()]
