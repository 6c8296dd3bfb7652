"""`Stream`: batches for trainers, in one order whatever the topology, and from any step on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sgt_data.errors import CorpusError, RequestError, StreamError
from sgt_data.files.urls import absolute, is_local
from sgt_data.stream.batch import Batch
from sgt_data.stream.components import Component, open_components
from sgt_data.stream.instructions import ALLOWED, Instructions, instructed
from sgt_data.stream.mixture import Mixture, Weights
from sgt_data.stream.order import WINDOW, Order
from sgt_data.stream.schedule import (
    Last,
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

OnError = Literal["raise", "skip"]
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
        fraction: float | None = None,
        transform: Callable[[Any], Any] | None = None,
        instructions: Instructions = "stored",
        shuffle: bool = True,
        window: int | None = WINDOW,
        last: Last = "carry",
        epoch_of: str | None = None,
        on_error: OnError = "raise",
        skip_max: float = 0.01,
        checksums: bool = True,
        images: str | None = None,
        cache: str | None = None,
        cache_bytes: int = 50 << 30,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        """
        Args:
            sources: by fsspec URL: of a corpus, the proxies to take; of a `.jsonl` file in LLaVA's
                form, or of WebDataset `.tar` files of it, the name of their component. A proxy's
                name is its component; one that several corpora have is one component over all.
            batch_size: samples of a global batch, over all ranks.
            mixture: weights by component, or such by the step from which on they hold. None takes
                all components together, each sample once an epoch.
            seed: of the order.
            fraction: of the corpora, above 0 and at most 1: the keys that `sgt_data.subset` takes
                by default. Nested; conversations are not divided.
            transform: of each sample, in the worker.
            instructions: `stored`; `resampled`, a line of the train bank for each epoch; or
                `held-out`, for evaluation (see `instructions`).
            shuffle: False keeps the order of the corpora.
            window: shards shuffled together (see `order`); None for all.
            last: what becomes of an epoch's incomplete last batch.
            epoch_of: the component whose pass is an epoch; the mixture's first by default.
            on_error: `raise`, or `skip` damaged samples: the same ones in every topology.
            skip_max: share of the samples read so far (0 to 1) above which skipping ends in an
                error all the same; the first is always forgiven.
            checksums: compare every member with its CRC-32.
            images: folder of the JSONL files' pictures; by default their own.
            cache: a folder on a local disk where shards of corpora elsewhere are kept, for any
                number of processes; without it their samples are read by ranges.
            cache_bytes: that it may hold; the least recently used shards go.
            rank, world: of this process; by default torchrun's RANK and WORLD_SIZE, else 0 of 1.

        Raises:
            RequestError: corpora, proxies, mixture and sizes do not fit.
        """
        self.rank = int(os.environ.get("RANK", 0)) if rank is None else rank
        self.world = int(os.environ.get("WORLD_SIZE", 1)) if world is None else world
        if not 0 <= self.rank < self.world:
            raise RequestError(f"rank is {self.rank} of {self.world}")
        if batch_size < self.world:
            raise RequestError(
                f"batch_size is {batch_size}; {self.world} ranks need at least one sample each"
            )
        if instructions not in ALLOWED:
            raise RequestError(
                f"instructions: found {instructions!r}; allowed: {', '.join(ALLOWED)}"
            )
        self._instructions, self._seed = instructions, seed
        self.transform, self.on_error, self.skip_max = transform, on_error, skip_max
        self._cache = None if cache is None else ShardCache(absolute(cache), cache_bytes)
        self._components = open_components(
            sources, images, checksums, mixture is None, self._cache, fraction
        )
        self._remote = not all(map(is_local, sources)) or any(
            shard.tars for one in self._components.values() for shard in one.shards
        )
        schedule = _by_step(mixture, self._components)
        weights = Mixture(schedule, batch_size)
        for name in weights.components:
            if name not in self._components:
                raise RequestError(
                    f"mixture: found {name!r}; allowed: {', '.join(self._components)}"
                )
        orders = {
            name: Order(
                np.array([one.count for one in self._components[name].shards]),
                name,
                seed,
                window,
                shuffle,
            )
            for name in weights.components
        }
        self._schedule = Schedule(weights, orders, epoch_of or weights.components[0], last)
        self._identity = {
            "seed": seed,
            "fraction": fraction,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "window": window,
            "last": last,
            "epoch_of": epoch_of or weights.components[0],
            "instructions": instructions,
            "mixture": {str(step): dict(weights) for step, weights in schedule.items()},
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
        places = share_of(self._schedule.batch(step), self.rank, self.world)
        epoch = self._schedule.epoch_at(step)
        self._fetch_ahead(step)
        read = partial(self._sample, epoch=epoch)
        found = _threads(os.getpid()).map(read, places) if self._remote else map(read, places)
        samples = []
        for one in found:
            self._read += 1
            if isinstance(one, CorpusError):
                self._skip(one)
            else:
                samples.append(one)
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
            if state["stream"].get(name) != value:
                there = state["stream"].get(name)
                raise RequestError(
                    f"the state is of another stream: {name} is {there!r} there, {value!r} here"
                )
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
            sample = instructed(sample, self._instructions, self._seed, epoch)
            return sample if self.transform is None else self.transform(sample)
        except CorpusError as why:
            return why

    def _skip(self, why: CorpusError) -> None:
        if self.on_error == "raise":
            raise why
        self.skipped.append(str(why))
        if len(self.skipped) > max(1, self.skip_max * self._read):
            raise StreamError(
                f"{len(self.skipped)} of {self._read} samples are damaged, more than "
                f"skip_max={self.skip_max} allows; the last: {why}"
            ) from why


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
