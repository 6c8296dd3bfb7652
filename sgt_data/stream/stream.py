"""`Stream`: batches for trainers, in one order whatever the topology, and from any step on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sgt_data.errors import CorpusError, RequestError, StreamError
from sgt_data.files.claim import Difference
from sgt_data.files.urls import absolute, is_local
from sgt_data.stream.batch import Batch
from sgt_data.stream.components import Component, open_components
from sgt_data.stream.instructions import instructed
from sgt_data.stream.mixture import Mixture, Weights
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.stream.order import Order
from sgt_data.stream.schedule import (
    Place,
    Schedule,
    share_of,
)
from sgt_data.stream.shard_cache import ShardCache

if TYPE_CHECKING:
    _Dataset = object
else:
    try:
        from torch.utils.data import IterableDataset as _Dataset
    except ImportError:
        _Dataset = object

State = dict[str, Any]

_FETCH_THREADS = 16
"""Samples of a batch that are fetched side by side where they are not on a local disk."""


class Stream(_Dataset):
    """Global batches, each a pure function of corpora, mixture, seed and step; ranks and workers
    only divide them among themselves.

    Iterating gives one epoch, from where it stands to its end; the next iteration goes on. Each
    item is a `Batch` of this rank's samples, each through `transform` if there is one. Put it into
    `torch.utils.data.DataLoader` with `batch_size=None`; call `set_epoch` before each epoch where
    workers are started anew for it.
    """

    def __init__(
        self,
        sources: Mapping[str, Sequence[str] | str],
        *,
        batch_size: int,
        mixture: Weights | Mapping[int, Weights] | None = None,
        seed: int = 0,
        transform: Callable[[Any], Any] | None = None,
        order: Ordering | None = None,
        reading: Reading | None = None,
        topology: Topology | None = None,
    ) -> None:
        """
        Args:
            sources: by fsspec URL: of a corpus, the proxies to take; of a `.jsonl` file in LLaVA's
                form, or of WebDataset `.tar` files of it, the name of their component. A proxy's
                name is its component; a proxy that several corpora have is one component.
            batch_size: samples of a global batch, over all ranks.
            mixture: weights by component, or such by the step from which on they hold. None takes
                all components together, each sample once an epoch.
            seed: of the order.
            transform: of each sample, in the worker.
            order: how samples are shuffled, and what an epoch is.
            reading: what is read of the sources, and what happens to damaged samples.
            topology: rank and number of processes; None asks torchrun's environment.

        Raises:
            RequestError: corpora, proxies, mixture and sizes do not fit.
        """
        order, self.reading = order or Ordering(), reading or Reading()
        self.topology = topology or Topology.of_torchrun()
        if batch_size < self.topology.world:
            raise RequestError(
                f"batch_size is {batch_size}; {self.topology.world} ranks need at least one "
                "sample each"
            )
        self.transform, self._seed = transform, seed
        self._cache = _cache_of(self.reading)
        self._components = open_components(sources, self.reading, self._cache, mixture is None)
        self._remote = not all(map(is_local, sources)) or any(
            shard.tars for component in self._components.values() for shard in component.shards
        )
        weights_by_step = _by_step(mixture, self._components)
        weights = Mixture(weights_by_step, batch_size)
        for name in weights.components:
            if name not in self._components:
                raise RequestError(
                    f"mixture: found {name!r}; allowed: {', '.join(self._components)}"
                )
        orders = {
            name: Order(
                np.array([shard.count for shard in self._components[name].shards]),
                name,
                seed,
                order.window,
                order.shuffle,
            )
            for name in weights.components
        }
        epoch_of = order.epoch_of or weights.components[0]
        self._schedule = Schedule(weights, orders, epoch_of, order.last)
        self._identity = {
            "seed": seed,
            "fraction": self.reading.fraction,
            "batch_size": batch_size,
            "shuffle": order.shuffle,
            "window": order.window,
            "last": order.last,
            "epoch_of": epoch_of,
            "instructions": self.reading.instructions,
            "mixture": {str(step): dict(weights) for step, weights in weights_by_step.items()},
            "samples": {name: order.size for name, order in orders.items()},
        }
        self._next = 0
        self._of_worker: int | None = None  # in a worker: the epoch that it is in
        self.skipped: list[str] = []
        self._read = 0

    def __iter__(self) -> Iterator[Batch]:
        worker, workers = _worker()
        resumed = self._of_worker is not None
        epoch = self.epoch if self._of_worker is None else self._of_worker
        first = self._next if resumed else self._next + worker
        end = self._schedule.epoch_start(epoch + 1)
        for step in range(first, end, workers):
            batch = self.batch(step)
            # before it is given away: a state taken while the consumer has it says what comes next
            self._next, self._of_worker = step + workers, epoch if workers > 1 else None
            yield batch
        self._next, self._of_worker = end, None

    def __len__(self) -> int:
        """Batches of the current epoch, from its beginning to its end: the same on every rank."""
        epoch = self.epoch
        return self._schedule.epoch_start(epoch + 1) - self._schedule.epoch_start(epoch)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self._schedule.epoch_at(self._next)

    @property
    def epoch_end(self) -> int:
        """The first step of the epoch after the current one."""
        return self._schedule.epoch_start(self.epoch + 1)

    def set_epoch(self, epoch: int) -> None:
        """Stand at the beginning of an epoch."""
        self._next, self._of_worker = self._schedule.epoch_start(epoch), None

    def batch(self, step: int) -> Batch:
        """This rank's part of the batch of any step.

        Raises:
            CorpusError, SourceError: a sample cannot be read (`on_error` raise).
            StreamError: too many were skipped.
        """
        topology = self.topology
        places = share_of(self._schedule.batch(step), topology.rank, topology.world)
        epoch = self._schedule.epoch_at(step)
        self._fetch_ahead(step)
        read = partial(self._sample, epoch=epoch)
        items = _threads(os.getpid()).map(read, places) if self._remote else map(read, places)
        samples = []
        for item in items:
            self._read += 1
            if isinstance(item, CorpusError):
                self._skip(item)
            else:
                samples.append(item)
        return Batch(step, epoch, samples)

    def state_dict(self) -> State:
        """Where it stands: to be loaded into a stream over the same corpora, in any topology. Taken
        in a DataLoader's worker (as torchdata's StatefulDataLoader does) it is that worker's."""
        state: State = {"version": 1, "step": self._next, "stream": self._identity}
        if self._of_worker is not None:
            state["of_worker"] = self._of_worker
        return state

    def load_state_dict(self, state: State) -> None:
        """Go on where a state was taken.

        Raises:
            RequestError: it is of another stream; names the field that differs.
        """
        if state.get("version") != 1 or not isinstance(state.get("stream"), dict):
            raise RequestError(f"no state of a stream: {str(state)[:80]}")
        for name, value in self._identity.items():
            stated = state["stream"].get(name)
            if stated != value:
                difference = Difference(name, stated, value)
                raise RequestError(f"the state is of another stream: {difference}")
        self._next, self._of_worker = int(state["step"]), state.get("of_worker")

    def _fetch_ahead(self, step: int) -> None:
        if self._cache is not None:
            upcoming = self._schedule.upcoming(step)
            shards = [self._components[name].shards[number] for name, number in upcoming]
            self._cache.want([tar for shard in shards for tar in shard.tars])

    def _sample(self, place: Place, epoch: int) -> Any:
        """The sample at a place, through the transform, or what is wrong with it."""
        shard = self._components[place.component].shards[place.shard]
        try:
            sample = shard.read(place.component, place.row)
            sample = instructed(sample, self.reading.instructions, self._seed, epoch)
            return sample if self.transform is None else self.transform(sample)
        except CorpusError as why:
            return why

    def _skip(self, why: CorpusError) -> None:
        if self.reading.on_error == "raise":
            raise why
        self.skipped.append(str(why))
        if len(self.skipped) > max(1, self.reading.skip_max * self._read):
            raise StreamError(
                f"{len(self.skipped)} of {self._read} samples are damaged, more than "
                f"skip_max={self.reading.skip_max} allows; the last: {why}"
            ) from why


def _cache_of(reading: Reading) -> ShardCache | None:
    if reading.cache is None:
        return None
    return ShardCache(absolute(reading.cache), reading.cache_bytes)


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Threads that fetch remote samples, of this process: a fork does not inherit its parent's."""
    return ThreadPoolExecutor(_FETCH_THREADS)


def _by_step(
    mixture: Weights | Mapping[int, Weights] | None, components: Mapping[str, Component]
) -> dict[int, Weights]:
    if mixture is None:
        return {0: dict.fromkeys(components, 1)}
    if all(isinstance(step, int) for step in mixture):
        return dict(mixture)  # type: ignore[arg-type]
    return {0: mixture}  # type: ignore[dict-item]


def _worker() -> tuple[int, int]:
    """Number of this DataLoader worker, and how many there are; 0 of 1 outside of workers."""
    if sys.modules.get("torch") is None:
        return 0, 1
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)
