"""The order of one component's samples: a pure function of shard sizes, seed and epoch.

Each epoch permutes the shards and takes them in windows of a few shards; within a window it
permutes all samples. So each epoch gives every sample exactly once, the sample at any position is
computed without those before it, and only the shards of one window are in use at a time.

The price: samples of one shard come close together. With windows of W out of S shards, two samples
that follow each other are from the same shard with probability 1 / W, not 1 / S. The place of a
sample in an epoch is uniform nevertheless. `window=None` permutes all samples of an epoch at once;
then any shard may be needed at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.seeds import generator

Numbers = NDArray[np.int64]

WINDOW = 32
"""Shards per window by default."""


@dataclass(frozen=True, slots=True)
class SamplePlaces:
    """In which shards and rows n samples lie.

    Attributes:
        shards: [n] numbers of the shards, in the order of the component's shards.
        rows: [n] rows within these shards.
    """

    shards: Numbers
    rows: Numbers


class Order:
    """The order of a component's samples over all epochs.

    Position `epoch * size + k` is the k-th sample of an epoch.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        name: str,
        seed: int,
        window: int | None = WINDOW,
        shuffle: bool = True,
    ) -> None:
        """
        Args:
            counts: [S] samples per shard, in the order of the corpus.
            name: name of the component; each component has an order of its own.
            seed: seed of the stream.
            window: shards per window; None for one window of all shards.
            shuffle: False keeps the order of the corpus.
        """
        self._counts = np.asarray(counts, np.int64)
        self._name, self._seed = name, seed
        self._window = window or max(1, len(self._counts))
        self._shuffle = shuffle
        self._epoch = lru_cache(maxsize=2)(self._lay_out_epoch)
        self._places_of_window = lru_cache(maxsize=4)(self._permute_window)

    def __reduce__(self) -> tuple[type[Order], tuple[object, ...]]:
        # its arguments are enough: a copy computes again what this one has in its caches
        return Order, (self._counts, self._name, self._seed, self._window, self._shuffle)

    @property
    def size(self) -> int:
        """Number of samples per epoch."""
        return int(self._counts.sum())

    def places(self, start: int, stop: int) -> SamplePlaces:
        """The places of the samples at positions `start` to `stop - 1`, which may span epochs."""
        parts = []
        while start < stop:
            epoch, first = divmod(start, self.size)
            last = min(self.size, first + stop - start)
            parts.append(self._places_in_epoch(epoch, first, last))
            start += last - first
        empty = np.empty(0, np.int64)
        return SamplePlaces(
            np.concatenate([empty, *(part.shards for part in parts)]),
            np.concatenate([empty, *(part.rows for part in parts)]),
        )

    def upcoming_shards(self, position: int) -> Numbers:
        """Numbers of the shards that are worth fetching: those of the window at a position, and of
        the window after it, in the order of their windows."""
        epoch, first = divmod(position, self.size)
        layout = self._epoch(epoch)
        window = int(np.searchsorted(layout.window_ends, first, side="right"))
        return layout.shards[window * self._window : (window + 2) * self._window]

    def _places_in_epoch(self, epoch: int, start: int, stop: int) -> SamplePlaces:
        """The places at positions `start` to `stop - 1` of one epoch."""
        window_ends = self._epoch(epoch).window_ends
        window = int(np.searchsorted(window_ends, start, side="right"))
        shards, rows = [], []
        while start < stop:
            begin = int(window_ends[window - 1]) if window else 0
            end = min(stop, int(window_ends[window]))
            places = self._places_of_window(epoch, window)
            shards.append(places.shards[start - begin : end - begin])
            rows.append(places.rows[start - begin : end - begin])
            start, window = end, window + 1
        return SamplePlaces(np.concatenate(shards), np.concatenate(rows))

    def _lay_out_epoch(self, epoch: int) -> _Epoch:
        shards = np.flatnonzero(self._counts)
        if self._shuffle:
            shards = generator(self._seed, "shards", self._name, str(epoch)).permutation(shards)
        window_ends = np.cumsum(self._counts[shards])[self._window - 1 :: self._window]
        if len(shards) % self._window:
            window_ends = np.append(window_ends, self.size)
        return _Epoch(shards, window_ends)

    def _permute_window(self, epoch: int, window: int) -> SamplePlaces:
        shards = self._epoch(epoch).shards[window * self._window : (window + 1) * self._window]
        counts = self._counts[shards]
        shard_of_sample = np.repeat(shards, counts)
        rows = np.arange(len(shard_of_sample)) - np.repeat(np.cumsum(counts) - counts, counts)
        if self._shuffle:
            rng = generator(self._seed, "samples", self._name, str(epoch), str(window))
            permutation = rng.permutation(len(shard_of_sample))
            shard_of_sample, rows = shard_of_sample[permutation], rows[permutation]
        return SamplePlaces(shard_of_sample, rows)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """The shards of an epoch in their order.

    Attributes:
        shards: [S] numbers of the shards that hold samples.
        window_ends: [windows] the position after the last sample of each window.
    """

    shards: Numbers
    window_ends: Numbers = field(repr=False)
