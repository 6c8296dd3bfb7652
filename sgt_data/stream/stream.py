"""`Stream`: batches for trainers, in one order whatever the topology, and from any step on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sgt_data.corpus.reader import Corpus, open_corpus
from sgt_data.errors import CorpusError, RequestError, StreamError
from sgt_data.stream.mixture import Mixture, Weights
from sgt_data.stream.order import WINDOW, Order
from sgt_data.stream.reading import CorpusReader
from sgt_data.stream.samples import Sample
from sgt_data.stream.schedule import Last, Place, Schedule, share_of

if TYPE_CHECKING:
    _Dataset = object
else:
    try:
        from torch.utils.data import IterableDataset as _Dataset
    except ImportError:
        _Dataset = object

OnError = Literal["raise", "skip"]
State = dict[str, Any]


@dataclass(slots=True)
class Component:
    """One component of the mixture: shards of one or more corpora, one after the other."""

    name: str
    parts: list[tuple[CorpusReader, str, str]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, corpus: Corpus, reader: CorpusReader, proxy: str) -> None:
        """Append a proxy's shards."""
        if not corpus.header.complete:
            raise RequestError(f"{corpus.url} is not complete; build it to its end first")
        for shard, count in zip(corpus.shards(proxy), corpus.header.samples[proxy], strict=True):
            self.parts.append((reader, proxy, shard))
            self.counts.append(count)

    def read(self, place: Place) -> Sample:
        """Raises:
        CorpusError: the sample is not what the index says.
        """
        reader, proxy, shard = self.parts[place.shard]
        return reader.read(self.name, proxy, shard, place.row)


class Stream(_Dataset):
    """Global batches, each a pure function of corpora, mixture, seed and step; ranks and workers
    only divide them among themselves.

    Iterating gives one epoch, from where it stands to its end; the next iteration goes on. Each
    item is `{"step", "epoch", "samples"}`, the samples being this rank's, each through `transform`
    if there is one. Put it into `torch.utils.data.DataLoader` with `batch_size=None`; call
    `set_epoch` before each epoch where workers are started anew for it.
    """

    def __init__(
        self,
        corpora: Mapping[str, Sequence[str]],
        *,
        batch_size: int,
        mixture: Weights | Mapping[int, Weights] | None = None,
        seed: int = 0,
        transform: Callable[[Sample], Any] | None = None,
        shuffle: bool = True,
        window: int | None = WINDOW,
        last: Last = "carry",
        epoch_of: str | None = None,
        on_error: OnError = "raise",
        skip_max: float = 0.01,
        checksums: bool = True,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        """
        Args:
            corpora: by fsspec URL: the proxies to take. A proxy's name is its component; one that
                several corpora have is one component over all of them.
            batch_size: samples of a global batch, over all ranks.
            mixture: weights by component, or such by the step from which on they hold. None takes
                all components together, each sample once an epoch.
            seed: of the order.
            transform: of each sample, in the worker.
            shuffle: False keeps the order of the corpora.
            window: shards shuffled together (see `order`); None for all.
            last: what becomes of an epoch's incomplete last batch.
            epoch_of: the component whose pass is an epoch; the mixture's first by default.
            on_error: `raise`, or `skip` damaged samples: the same ones in every topology.
            skip_max: share of the samples read so far (0 to 1) above which skipping ends in an
                error all the same; the first is always forgiven.
            checksums: compare every member with its CRC-32.
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
        self.transform, self.on_error, self.skip_max = transform, on_error, skip_max
        self._components = _components(corpora, checksums, together=mixture is None)
        schedule = _by_step(mixture, self._components)
        weights = Mixture(schedule, batch_size)
        for name in weights.components:
            if name not in self._components:
                raise RequestError(
                    f"mixture: found {name!r}; allowed: {', '.join(self._components)}"
                )
        orders = {
            name: Order(np.array(self._components[name].counts), name, seed, window, shuffle)
            for name in weights.components
        }
        self._schedule = Schedule(weights, orders, epoch_of or weights.components[0], last)
        self._identity = {
            "seed": seed,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "window": window,
            "last": last,
            "mixture": {str(step): dict(weights) for step, weights in schedule.items()},
            "samples": {name: order.size for name, order in orders.items()},
        }
        self._next = 0
        self._exact_worker = False
        self.skipped: list[str] = []
        self._read = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker, workers = _worker()
        first = self._next if self._exact_worker else self._next + worker
        self._exact_worker = False
        end = self.epoch_end
        for step in range(first, end, workers):
            batch = self.batch(step)
            # before it is given away: a state taken while the consumer has it says what comes next
            self._next = step + workers if workers > 1 else step + 1
            self._exact_worker = workers > 1
            yield batch
        self._next, self._exact_worker = end, False

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
        self._next, self._exact_worker = self._schedule.epoch_start(epoch), False

    def batch(self, step: int) -> dict[str, Any]:
        """This rank's part of the batch of any step.

        Raises:
            CorpusError, SourceError: a sample cannot be read (`on_error` raise).
            StreamError: too many were skipped.
        """
        places = share_of(self._schedule.batch(step), self.rank, self.world)
        samples = [one for place in places for one in self._sample(place)]
        return {"step": step, "epoch": self._schedule.epoch_at(step), "samples": samples}

    def state_dict(self) -> State:
        """Where it stands: to be loaded into a stream over the same corpora, in any topology. Taken
        in a DataLoader's worker (as torchdata's StatefulDataLoader does) it is that worker's."""
        state: State = {"version": 1, "step": self._next, "stream": self._identity}
        if self._exact_worker:
            state["worker"] = True
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
        self._next, self._exact_worker = int(state["step"]), bool(state.get("worker"))

    def _sample(self, place: Place) -> Iterator[Any]:
        """The sample at a place, or nothing where it is skipped."""
        self._read += 1
        try:
            sample = self._components[place.component].read(place)
            yield sample if self.transform is None else self.transform(sample)
        except CorpusError as why:
            if self.on_error == "raise":
                raise
            self.skipped.append(str(why))
            if len(self.skipped) > max(1, self.skip_max * self._read):
                raise StreamError(
                    f"{len(self.skipped)} of {self._read} samples are damaged, more than "
                    f"skip_max={self.skip_max} allows; the last: {why}"
                ) from why


def _components(
    corpora: Mapping[str, Sequence[str]], checksums: bool, together: bool
) -> dict[str, Component]:
    found: dict[str, Component] = {}
    for url, proxies in corpora.items():
        corpus = open_corpus(url)
        reader = CorpusReader(corpus, checksums=checksums)
        if isinstance(proxies, str):
            raise RequestError(f"{url}: proxies are a list, found {proxies!r}")
        for proxy in proxies:
            if proxy not in corpus.proxies:
                raise RequestError(
                    f"{url} has no proxy {proxy!r}; it has {', '.join(corpus.proxies)}"
                )
            name = "all" if together else proxy
            found.setdefault(name, Component(name)).add(corpus, reader, proxy)
    if not found:
        raise RequestError("a stream needs at least one proxy of one corpus")
    return found


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
    if "torch" not in sys.modules:
        return 0, 1
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)
