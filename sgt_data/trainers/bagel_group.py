"""What a data set group of BAGEL has besides its samples: an order without end, and a place in it.

BAGEL's `PackedDataset` builds the classes of its registry with keywords, calls `set_epoch` and
iterates; it does not look at their base class, so nothing of BAGEL is imported.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count as count_from
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.seeds import generator
from sgt_data.stream.loader_worker import loader_worker
from sgt_data.stream.mixture_components import Item, Shard
from sgt_data.stream.order import Order
from sgt_data.stream.shard_cache import ShardCache

DEFAULT_SEED = 42
"""Seed of the order until `set_epoch` is called, as in BAGEL's own data sets."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Which samples of a group a process reads, and where it goes on.

    Attributes:
        rank: rank of this process, from 0.
        world: number of processes.
        workers: number of the DataLoader's workers, at least 1.
        last_counts: this rank's last count by worker, from `data_indexes`; empty at the beginning.
    """

    rank: int = 0
    world: int = 1
    workers: int = 1
    last_counts: Mapping[int, int] = field(default_factory=dict)

    def check(self, group: str) -> None:
        """Check that ranks, workers and counts fit.

        Raises:
            RequestError: there is no such rank, or a count is of a worker that does not exist.
        """
        if not 0 <= self.rank < self.world:
            raise RequestError(f"{group}: rank is {self.rank} of {self.world}")
        beyond = [worker for worker in self.last_counts if worker >= self.workers]
        if beyond:
            raise RequestError(
                f"{group}: data_status has a worker {beyond[0]}, num_workers is {self.workers}; "
                "resume with as many workers as before"
            )


@dataclass(frozen=True, slots=True)
class UsedShard:
    """The samples of one shard that are used.

    Attributes:
        shard: the shard.
        rows: [n] their numbers in the shard.
    """

    shard: Shard
    rows: NDArray[np.int64]

    def read(self, group: str, number: int) -> Item:
        """The used sample of this number, from 0; errors as those of `Shard.read`."""
        return self.shard.read(group, int(self.rows[number]))


class BagelGroup(ABC):
    """Samples for one of BAGEL's data set groups, without end.

    A seed decides the order; over all ranks and workers together, every epoch gives every sample
    once, also where there are fewer samples than workers.

    Each worker gives every `world_size * workers`-th sample and counts its samples in
    `data_indexes`, through all epochs. BAGEL keeps these counts by worker as `data_status`; with
    them the data set resumes after exactly that sample, given as many ranks and workers as before.
    (BAGEL's packing may hold samples back in a buffer of its own; at a checkpoint these are lost.)
    """

    def __init__(
        self,
        dataset_name: str,
        shards: Sequence[UsedShard],
        reader: Reader,
        cache: ShardCache | None = None,
    ) -> None:
        """
        Args:
            dataset_name: name of the group; each group has an order of its own.
            shards: what it gives.
            reader: which part of it this process reads.
            cache: keeps local copies of remote tars; None for no copies.

        Raises:
            RequestError: rank and workers do not fit, or there is no sample.
        """
        reader.check(dataset_name)
        self.dataset_name = dataset_name
        self._shards, self._reader, self._cache = list(shards), reader, cache
        self.set_epoch(DEFAULT_SEED)
        if not len(self):
            raise RequestError(f"{dataset_name}: no sample is left to use")

    def __len__(self) -> int:
        """Number of samples of an epoch, over all ranks."""
        return sum(len(shard.rows) for shard in self._shards)

    def set_epoch(self, seed: int = DEFAULT_SEED) -> None:
        """Choose another order, before iterating; BAGEL calls it once, with its data seed."""
        self._seed = seed

    @abstractmethod
    def packed(self, sample: Any) -> dict[str, Any]:
        """A sample in the form that BAGEL packs, without its `data_indexes`."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # BAGEL makes the iterator before it sets the seed and starts workers, so all of this must
        # wait until the first sample is asked for
        reader = self._reader
        worker, workers = loader_worker()
        if workers != reader.workers:
            raise RequestError(
                f"{self.dataset_name}: num_workers is {reader.workers}, the DataLoader has "
                f"{workers}"
            )
        counts = np.array([len(shard.rows) for shard in self._shards])
        order = Order(counts, self.dataset_name, self._seed)
        for number in count_from(reader.last_counts.get(worker, -1) + 1):
            position = (number * workers + worker) * reader.world + reader.rank
            self._fetch_ahead(order, position)
            places = order.places(position, position + 1)
            shard, row = self._shards[int(places.shards[0])], int(places.rows[0])
            yield {
                **self.packed(shard.read(self.dataset_name, row)),
                "data_indexes": {
                    "data_indexes": number,
                    "worker_id": worker,
                    "dataset_name": self.dataset_name,
                },
            }

    def _fetch_ahead(self, order: Order, position: int) -> None:
        if self._cache is not None:
            shards = [self._shards[number].shard for number in order.upcoming_shards(position)]
            self._cache.request([tar for shard in shards for tar in shard.tars])


def used_shards(shards: Sequence[Shard], number: int | None, source: str) -> list[UsedShard]:
    """The samples of a source that are used: those of a smaller number are among those of a larger
    one, for any seed.

    Args:
        shards: all of the source.
        number: how many samples; None, or a number above their size, means all.
        source: its URL, for messages.

    Raises:
        RequestError: the number is below 1.
    """
    if number is not None and number < 1:
        raise RequestError(f"num_used_data: found {number} for {source}; from 1 on")
    rows_of_shards = _used_rows([shard.count for shard in shards], number)
    return [UsedShard(shard, rows) for shard, rows in zip(shards, rows_of_shards, strict=True)]


def numbers_for(
    numbers: Sequence[int] | None, sources: Sequence[str], group: str
) -> list[int | None]:
    """How many samples to use of each source; None for all.

    Raises:
        RequestError: there are more numbers than sources, or fewer.
    """
    if numbers is None:
        return [None] * len(sources)
    if len(numbers) != len(sources):
        raise RequestError(
            f"{group}: num_used_data has {len(numbers)} numbers for {len(sources)} sources"
        )
    return list(numbers)


def _used_rows(counts: Sequence[int], number: int | None) -> list[NDArray[np.int64]]:
    """Rows to use of each shard: those of the first `number` samples in one fixed permutation of
    all."""
    total = sum(counts)
    used = np.ones(total, np.bool_)
    if number is not None and number < total:
        used[generator(0, "num_used_data").permutation(total)[number:]] = False
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    starts = [0, *ends]
    return [np.flatnonzero(used[start:end]) for start, end in zip(starts, ends, strict=False)]
