"""Which samples are in which batch: a pure function of component sizes, mixture, seed and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sgt_data.errors import RequestError
from sgt_data.stream.mixture import Mixture
from sgt_data.stream.order import Order
from sgt_data.stream.pattern import Pattern
from sgt_data.suggestions import not_among
from sgt_data.value_text import counted

LastBatch = Literal["carry", "drop", "pad"]
"""What happens to an epoch's incomplete last batch: samples of the next epoch fill it up (`carry`),
it is left out (`drop`), or samples from the beginning of the same epoch fill it up (`pad`)."""

LAST_BATCHES: tuple[LastBatch, ...] = ("carry", "drop", "pad")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one sample of a batch lies.

    Attributes:
        component: name of its component.
        shard: number of its shard within the component.
        row: its row within the shard.
        visit: how many passes over the component came before; 0 in the first one.
    """

    component: str
    shard: int
    row: int
    visit: int = 0


class Schedule:
    """The samples of every global batch, by step.

    An epoch is one pass over the component `epoch_of`. Every other component has passes of its own,
    which begin wherever the one before ends; each pass gives each of its samples once.
    """

    def __init__(
        self,
        mixture: Mixture | Pattern,
        orders: Mapping[str, Order],
        epoch_of: str,
        last: LastBatch,
    ) -> None:
        """
        Args:
            mixture: how many samples of each component are in each batch.
            orders: the order of each component's samples.
            epoch_of: name of the component whose pass is an epoch.
            last: what happens to an epoch's incomplete last batch.

        Raises:
            RequestError: a component is empty, or `last`, `epoch_of` and mixture do not fit.
        """
        for name, order in orders.items():
            if order.size == 0:
                raise RequestError(f"component {name} holds no sample")
        if epoch_of not in orders:
            raise RequestError(f"epoch_of: {not_among(epoch_of, orders)}")
        self._mixture, self._orders, self._last = mixture, dict(orders), last
        self._main = mixture.components.index(epoch_of)
        self._epoch_size = orders[epoch_of].size
        self._steps_per_epoch: int | None = None  # None where epochs begin within batches
        if last != "carry":
            if not mixture.is_constant:
                raise RequestError(
                    f"last: {last} does not go with a mixture that changes; carry does"
                )
            self._steps_per_epoch = self._whole_batches()
            if self._steps_per_epoch == 0:
                raise RequestError(
                    f"an epoch of {counted(self._epoch_size, 'sample')} fills no batch of "
                    f"{mixture.batch_size}" + _in_a_pattern(mixture.cycle)
                )
        elif not mixture.counts_before(1 + mixture.steps_until_all_come)[self._main]:
            raise RequestError(f"epoch_of: {epoch_of} has no weight")
        self._last_epoch = (0, 0, 0)  # number, first step and end of the one last asked for

    def epoch_start(self, epoch: int) -> int:
        """The first step of an epoch."""
        if self._steps_per_epoch is not None:
            return epoch * self._steps_per_epoch
        return self._first_step_after(epoch * self._epoch_size)

    def epoch_at(self, step: int) -> int:
        """The epoch that a step belongs to."""
        if self._steps_per_epoch is not None:
            return step // self._steps_per_epoch
        epoch, start, end = self._last_epoch
        if start <= step < end:
            return epoch
        # a batch belongs to the epoch of its first sample of the component `epoch_of`
        epoch = int(self._mixture.counts_before(step)[self._main]) // self._epoch_size
        while self.epoch_start(epoch + 1) <= step:
            epoch += 1
        while self.epoch_start(epoch) > step:
            epoch -= 1
        self._last_epoch = (epoch, self.epoch_start(epoch), self.epoch_start(epoch + 1))
        return epoch

    def batch(self, step: int) -> list[Place]:
        """The places of the samples of a step's global batch, in order."""
        batch: list[Place] = []
        for index, name in enumerate(self._mixture.components):
            for start, stop in self._position_ranges(step, index):
                order = self._orders[name]
                places, visits = order.places(start, stop), np.arange(start, stop) // order.size
                batch += [
                    Place(name, shard, row, visit)
                    for shard, row, visit in zip(
                        places.shards.tolist(), places.rows.tolist(), visits.tolist(), strict=True
                    )
                ]
        return batch

    def upcoming_shards(self, step: int) -> list[tuple[str, int]]:
        """The shards that are worth fetching for a step and those soon after it: names of
        components and numbers of shards, for each component in the order of its windows."""
        upcoming: list[tuple[str, int]] = []
        for index, name in enumerate(self._mixture.components):
            for start, _ in self._position_ranges(step, index)[:1]:
                shards = self._orders[name].upcoming_shards(start)
                upcoming += [(name, shard) for shard in shards.tolist()]
        return upcoming

    def _position_ranges(self, step: int, index: int) -> Sequence[tuple[int, int]]:
        """Ranges (start, stop) of positions in a component's order that a step takes: at least one,
        which may be empty."""
        if self._steps_per_epoch is None:
            before = self._mixture.counts_before(step)
            after = self._mixture.counts_before(step + 1)
            return [(int(before[index]), int(after[index]))]
        epoch, step_in_epoch = divmod(step, self._steps_per_epoch)
        before = self._mixture.counts_before(step_in_epoch)
        after = self._mixture.counts_before(step_in_epoch + 1)
        start, stop = int(before[index]), int(after[index])
        if index != self._main:
            per_epoch = int(self._mixture.counts_before(self._steps_per_epoch)[index])
            return [(epoch * per_epoch + start, epoch * per_epoch + stop)]
        first, size = epoch * self._epoch_size, self._epoch_size
        ranges = [(first + start, first + min(stop, size))] if start < size else []
        missing = stop - max(start, size)
        while missing > 0:  # pad from the beginning of the epoch, as often as is necessary
            ranges.append((first, first + min(missing, size)))
            missing -= size
        # a step that takes nothing says all the same where it stands, for what is fetched ahead
        return ranges or [(first + size, first + size)]

    def _whole_batches(self) -> int:
        """Steps of an epoch that begins and ends with a batch, and with a whole pattern."""
        cycle = self._mixture.cycle
        steps = -(-self._first_step_after(self._epoch_size) // cycle) * cycle
        if self._last == "pad":
            return steps
        exact = int(self._mixture.counts_before(steps)[self._main]) == self._epoch_size
        return steps if exact else steps - cycle

    def _first_step_after(self, samples: int) -> int:
        """The first step before which at least so many samples of `epoch_of` have come."""
        low, high = 0, 1
        while self._mixture.counts_before(high)[self._main] < samples:
            low, high = high, 2 * high
        while low < high:
            middle = (low + high) // 2
            if self._mixture.counts_before(middle)[self._main] < samples:
                low = middle + 1
            else:
                high = middle
        return low


def _in_a_pattern(cycle: int) -> str:
    """What an epoch must fill beside a batch: the end of a message."""
    return f" in each step of the pattern of {cycle} that is its own" if cycle > 1 else ""


def share_of(batch: Sequence[Place], rank: int, world: int) -> list[Place]:
    """The part of a global batch that one of `world` ranks takes.

    It is every `world`-th sample, so that all ranks get about as many of every component.
    """
    return [batch[number] for number in np.arange(rank, len(batch), world).tolist()]
