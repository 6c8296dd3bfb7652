"""`Stream`: batches for trainers, in one order for every topology, and from any step on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sgt_data import checks
from sgt_data.errors import CorpusError, RequestError, StreamError
from sgt_data.files.claim import Difference
from sgt_data.files.urls import absolute, is_local
from sgt_data.notebook_html import heading, table
from sgt_data.stream.batch import Batch, Origin
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.instructions import with_instruction
from sgt_data.stream.loader_worker import LoaderWorker, current_worker, loader_worker
from sgt_data.stream.mixture import Weights
from sgt_data.stream.mixture_components import CorpusShard, open_components
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.stream.order import Order
from sgt_data.stream.position import Position
from sgt_data.stream.schedule import Place, Schedule, share_of
from sgt_data.stream.shard_cache import ShardCache
from sgt_data.stream.stream_arguments import (
    batch_contents,
    check_one_of,
    given,
    is_state,
    named_sources,
    weights_by_step,
)
from sgt_data.value_text import counted, cut

if TYPE_CHECKING:
    _Dataset = object
else:
    try:
        from torch.utils.data import IterableDataset as _Dataset
    except ImportError:
        _Dataset = object

State = dict[str, Any]
"""Where a stream stands, as plain JSON."""

_FETCH_THREADS = 16
"""Number of remote samples that are fetched at the same time."""


class Stream(_Dataset):
    """Batches of samples from corpora and instruction data.

    The global batch of every step is a pure function of sources, mixture, seed and step; ranks and
    workers only divide it. Iterating gives the rest of the current epoch; the next iteration gives
    the next epoch. Each item is a `Batch` with this rank's samples.

    In torch, use `DataLoader(stream, batch_size=None, num_workers=...)`. Workers read ahead; the
    stream goes on after the last batch of which a field was read, in new workers as in persistent
    ones, and its `state_dict` says so. Where a `collate_fn` reads the batches in the workers, call
    `set_epoch` before each iteration: without it, the second one raises a `StreamError`.

    Attributes:
        batch_size: samples of a global batch, over all ranks.
        sizes: number of samples of each component.
        transform: applied to each sample, in the worker; None for none.
        reading: what is read of the sources, and what happens to damaged samples.
        topology: rank and number of processes.
        skipped: messages of the samples that were skipped because they are damaged.
    """

    def __init__(
        self,
        sources: Mapping[str, Sequence[str] | str] | Mapping[Path, Sequence[str] | str],
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
            sources: by fsspec URL or path: for a corpus, names of the proxies to take; for a
                `.jsonl` or `.json` file in LLaVA's form, or for WebDataset `.tar` files of such
                data, the name of the component. A proxy's name is its component; a proxy that
                several corpora have is one component.
            batch_size: samples of a global batch, over all ranks.
            mixture: weights by component; or, by the step from which on they hold, such weights.
                None puts everything into one component, so an epoch gives each sample once.
            seed: seed of the order.
            transform: applied to each sample, in the worker.
            order: how samples are shuffled, what an epoch is, and, in place of a mixture, a
                pattern of one component a step.
            reading: what is read of the sources, and what happens to damaged samples.
            topology: rank and number of processes; None takes them from torchrun's environment.

        Raises:
            RequestError: an option has a value that it cannot have, or sources, proxies, mixture
                and sizes do not fit; names the option.
            CorpusError: conversations are damaged, or their pictures do not exist, `on_error` is
                `raise`, and `check_first` is not False.
        """
        named = named_sources(sources)
        batch_size = checks.whole_number("batch_size", batch_size, 1)
        seed = checks.whole_number("seed", seed)
        if transform is not None and not callable(transform):
            raise checks.wrong("transform", transform, "a function of a sample, or None")
        order = given("order", order, Ordering) or Ordering()
        check_one_of(mixture, order.pattern)
        self.reading = given("reading", reading, Reading) or Reading()
        self.topology = given("topology", topology, Topology) or Topology.of_torchrun()
        if batch_size < self.topology.world:
            raise RequestError(
                f"batch_size is {batch_size}; {self.topology.world} ranks need at least one "
                "sample each"
            )
        self.batch_size, self.transform, self._seed = batch_size, transform, seed
        self._cache = _cache_of(self.reading)
        merged = mixture is None and order.pattern is None
        self._components = open_components(named, self.reading, self._cache, merged)
        self._remote = not all(map(is_local, named)) or any(
            shard.tars for component in self._components.values() for shard in component.shards
        )
        weights = weights_by_step(mixture, self._components) if order.pattern is None else None
        self._mixture = batch_contents(weights, order.pattern, batch_size, self._components)
        orders = {
            name: Order(
                np.array([shard.count for shard in self._components[name].shards]),
                name,
                seed,
                order.window,
                order.shuffle,
            )
            for name in self._mixture.components
        }
        epoch_of = order.epoch_of or self._mixture.components[0]
        self._schedule = Schedule(self._mixture, orders, epoch_of, order.last)
        self.sizes = {name: order.size for name, order in orders.items()}
        self._identity: dict[str, Any] = {
            "seed": seed,
            "fraction": self.reading.fraction,
            "batch_size": batch_size,
            "shuffle": order.shuffle,
            "window": order.window,
            "last": order.last,
            "epoch_of": epoch_of,
            "instructions": self.reading.instructions,
            "mixture": None if weights is None else _by_text(weights),
            "pattern": None if order.pattern is None else list(order.pattern),
            "samples": self.sizes,
        }
        self._position = Position()
        self._step_of_worker: int | None = None  # in a worker, which reads ahead of the position
        self._worker_epoch: int | None = None  # in one of several workers, the epoch that it is in
        self._is_restored = False  # in a worker, whether a state of its own was loaded
        self.skipped: list[str] = []
        self._read_count = 0

    def __iter__(self) -> Iterator[Batch]:
        worker = current_worker()
        if worker is None:
            return self._batches(None)
        try:
            return self._batches(self._begin_in_worker(worker))
        except StreamError as why:
            # a DataLoader passes on what a batch raises, and breaks where an iterator does
            return _raising(why)

    def _begin_in_worker(self, worker: LoaderWorker) -> Origin:
        """Settle where an iteration of a DataLoader begins in one of its workers."""
        if self._is_restored:
            iteration = self._position.begin_elsewhere(worker, self._next_step)
        else:
            iteration, self._next_step = self._position.begin(worker)
            self._worker_epoch = None
        self._is_restored = False
        return self._position.name, iteration

    def _batches(self, origin: Origin | None) -> Iterator[Batch]:
        worker, workers = loader_worker()
        resumed = self._worker_epoch is not None
        epoch = self.epoch if self._worker_epoch is None else self._worker_epoch
        first = self._next_step if resumed else self._next_step + worker
        end = self._schedule.epoch_start(epoch + 1)
        for step in range(first, end, workers):
            batch = self._batch(step, origin)
            # set before the batch is given away: a state that is taken while the consumer has the
            # batch must name the step after it
            self._next_step = step + workers
            self._worker_epoch = epoch if workers > 1 else None
            yield batch
            del batch  # its memory serves the next one, if the consumer has dropped it as well
        self._next_step, self._worker_epoch = end, None

    def __len__(self) -> int:
        """Number of batches of the current epoch, from its beginning to its end, on every rank."""
        epoch = self.epoch
        return self._schedule.epoch_start(epoch + 1) - self._schedule.epoch_start(epoch)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{size:,} of {name}" for name, size in self.sizes.items())
        return (
            f"<Stream of {sizes}: {counted(self._mixture.batch_size, 'sample')} per batch, "
            f"{counted(len(self), 'batch')} in epoch {self.epoch}, next is step "
            f"{self._next_step:,}>"
        )

    def _repr_html_(self) -> str:
        """Its components and where it stands, as a notebook shows them."""
        counts = self._mixture.counts(self._next_step).tolist()
        rows = zip(self._mixture.components, self.sizes.values(), counts, strict=True)
        state = (
            f"epoch {self.epoch}, {counted(len(self), 'batch')}, next is step {self._next_step:,}"
        )
        return heading("Stream", state) + table(("component", "samples", "in a batch"), rows)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self._schedule.epoch_at(self._next_step)

    def epoch_start(self, epoch: int) -> int:
        """The first step of an epoch, from 0 on.

        Raises:
            RequestError: the epoch is no whole number from 0 on.
        """
        return self._schedule.epoch_start(checks.whole_number("epoch", epoch, 0))

    def set_epoch(self, epoch: int) -> None:
        """Go to the first batch of an epoch, as do a DataLoader's workers when they begin again.

        Raises:
            RequestError: it is no whole number from 0 on.
        """
        self._go_to(self.epoch_start(epoch), None)

    def batch(self, step: int) -> Batch:
        """This rank's part of the global batch of any step.

        Raises:
            CorpusError: a sample is damaged, and `on_error` is `raise`.
            SourceError: a sample cannot be read just now.
            StreamError: more samples were skipped than `skip_max` allows.
        """
        return self._batch(step, None)

    def _batch(self, step: int, origin: Origin | None) -> Batch:
        topology = self.topology
        places = share_of(self._schedule.batch(step), topology.rank, topology.world)
        epoch = self._schedule.epoch_at(step)
        self._fetch_ahead(step)
        read = partial(self._sample, epoch=epoch)
        results = _threads(os.getpid()).map(read, places) if self._remote else map(read, places)
        samples = []
        for result in results:
            self._read_count += 1
            if isinstance(result, CorpusError):
                self._skip(result)
            else:
                samples.append(result)
        return Batch(step, epoch, samples, origin)

    def state_dict(self) -> State:
        """Where the stream stands, for `load_state_dict` of a stream over the same sources.

        The topology may be another one then. While a DataLoader's workers read ahead, it names the
        step after the last batch that was read. In a worker, where torchdata's StatefulDataLoader
        takes it, it is the state of that worker.
        """
        state: State = {"version": 1, "step": self._next_step, "stream": self._identity}
        if self._worker_epoch is not None:
            state["of_worker"] = self._worker_epoch
        return state

    def load_state_dict(self, state: State) -> None:
        """Go to where the stream stood when a state was taken.

        Raises:
            RequestError: the state is of another stream; names the field that differs.
        """
        if not is_state(state):
            raise RequestError(
                f"no state of a stream: found {cut(state)}; allowed: what state_dict gives"
            )
        for name, value in self._identity.items():
            stated = state["stream"].get(name)
            if stated != value:
                difference = Difference(name, stated, value)
                raise RequestError(f"the state is of another stream: {difference}")
        self._go_to(state["step"], state.get("of_worker"))

    def _go_to(self, step: int, worker_epoch: int | None) -> None:
        self._next_step, self._worker_epoch = step, worker_epoch
        self._is_restored = current_worker() is not None

    @property
    def _next_step(self) -> int:
        """The step that is made next: in a worker, ahead of what has been read."""
        return self._position.step if self._step_of_worker is None else self._step_of_worker

    @_next_step.setter
    def _next_step(self, step: int) -> None:
        if current_worker() is None:
            self._position.move(step)
        else:
            self._step_of_worker = step

    def _fetch_ahead(self, step: int) -> None:
        if self._cache is not None:
            upcoming = self._schedule.upcoming_shards(step)
            shards = [self._components[name].shards[number] for name, number in upcoming]
            self._cache.request([tar for shard in shards for tar in shard.tars])

    def _sample(self, place: Place, epoch: int) -> Any:
        """The sample at a place, after the transform; the error of a damaged sample."""
        shard = self._components[place.component].shards[place.shard]
        try:
            sample = shard.read(place.component, place.row)
            if place.visit and isinstance(sample, Conversation):
                sample = replace(sample, visit=place.visit)
            bank = shard.bank if isinstance(shard, CorpusShard) else None
            how = self.reading.instructions
            sample = with_instruction(sample, how, self._seed, epoch, bank)
            return sample if self.transform is None else self.transform(sample)
        except CorpusError as why:
            return why

    def _skip(self, why: CorpusError) -> None:
        if self.reading.on_error == "raise":
            raise why
        self.skipped.append(str(why))
        if len(self.skipped) > max(1, self.reading.skip_max * self._read_count):
            raise StreamError(
                f"{len(self.skipped)} of {self._read_count} samples are damaged, more than "
                f"skip_max={self.reading.skip_max} allows; the last: {why}"
            ) from why


def _by_text(weights: Mapping[int, Weights]) -> dict[str, dict[str, float]]:
    """Weights by step as JSON holds them."""
    return {str(step): dict(shares) for step, shares in weights.items()}


def _raising(why: StreamError) -> Iterator[Batch]:
    """An iterator that raises an error in place of the first batch."""
    raise why
    yield


def _cache_of(reading: Reading) -> ShardCache | None:
    if reading.cache is None:
        return None
    return ShardCache(absolute(reading.cache), reading.cache_bytes)


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Threads of this process that fetch remote samples; a fork does not inherit its parent's."""
    return ThreadPoolExecutor(_FETCH_THREADS)
