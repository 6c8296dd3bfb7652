"""The order of one component's samples: a pure function of shard sizes, seed and epoch.

A windowed shard shuffle: the shards of an epoch are permuted and taken in windows of a few; within
a window all samples are permuted. So the samples of an epoch come each exactly once, any position
can be computed without those before it, and only a window's shards are in use at a time.

The price is that two samples of one shard always come within one window: two samples of a batch
come from one shard with probability 1 / W instead of 1 / S, with windows of W of S shards. Where in
an epoch a sample comes is uniform all the same. `window=None` permutes all samples at once; any
shard may then be needed at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.seeds import generator

Positions = NDArray[np.int64]

WINDOW = 32
"""Shards per window by default."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where samples lie: shard numbers and rows within them, [n] each."""

    shards: Positions
    rows: Positions


class Order:
    """The order of a component's samples over all epochs: position `epoch * size + k` is the
    k-th sample of an epoch."""

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
            counts: samples per shard [S], in corpus order.
            name: of the component; components of one seed are shuffled apart.
            seed: of the stream.
            window: shards per window; None for one window of all.
            shuffle: False keeps the order of the corpus.
        """
        self._counts = np.asarray(counts, np.int64)
        self._name, self._seed = name, seed
        self._window = window or max(1, len(self._counts))
        self._shuffle = shuffle
        self._epoch = lru_cache(maxsize=2)(self._lay_out)
        self._permuted = lru_cache(maxsize=4)(self._permute)

    def __reduce__(self) -> tuple[type[Order], tuple[object, ...]]:
        """Its arguments: what it keeps in memory is found again."""
        return Order, (self._counts, self._name, self._seed, self._window, self._shuffle)

    @property
    def size(self) -> int:
        """Samples per epoch."""
        return int(self._counts.sum())

    def places(self, start: int, stop: int) -> Places:
        """Where the samples at positions [start, stop) lie, over all epochs."""
        parts = []
        while start < stop:
            epoch, first = divmod(start, self.size)
            last = min(self.size, first + stop - start)
            parts.append(self._within(epoch, first, last))
            start += last - first
        empty = np.empty(0, np.int64)
        return Places(
            np.concatenate([empty, *(part.shards for part in parts)]),
            np.concatenate([empty, *(part.rows for part in parts)]),
        )

    def upcoming(self, position: int) -> Positions:
        """The shards of the window at a position, and of the one after it, in the order in which
        they are first needed: what is worth fetching."""
        epoch, first = divmod(position, self.size)
        layout = self._epoch(epoch)
        window = int(np.searchsorted(layout.ends, first, side="right"))
        return layout.shards[window * self._window : (window + 2) * self._window]

    def _within(self, epoch: int, start: int, stop: int) -> Places:
        """Positions of one epoch."""
        layout = self._epoch(epoch)
        window = int(np.searchsorted(layout.ends, start, side="right"))
        shards, rows = [], []
        while start < stop:
            begin = int(layout.ends[window - 1]) if window else 0
            end = min(stop, int(layout.ends[window]))
            places = self._permuted(epoch, window)
            shards.append(places.shards[start - begin : end - begin])
            rows.append(places.rows[start - begin : end - begin])
            start, window = end, window + 1
        return Places(np.concatenate(shards), np.concatenate(rows))

    def _lay_out(self, epoch: int) -> _Epoch:
        held = np.flatnonzero(self._counts)
        if self._shuffle:
            held = generator(self._seed, "shards", self._name, str(epoch)).permutation(held)
        ends = np.cumsum(self._counts[held])[self._window - 1 :: self._window]
        if len(held) % self._window:
            ends = np.append(ends, self.size)
        return _Epoch(held, ends)

    def _permute(self, epoch: int, window: int) -> Places:
        shards = self._epoch(epoch).shards[window * self._window : (window + 1) * self._window]
        counts = self._counts[shards]
        of_each = np.repeat(shards, counts)
        rows = np.arange(len(of_each)) - np.repeat(np.cumsum(counts) - counts, counts)
        if self._shuffle:
            rng = generator(self._seed, "samples", self._name, str(epoch), str(window))
            chosen = rng.permutation(len(of_each))
            of_each, rows = of_each[chosen], rows[chosen]
        return Places(of_each, rows)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """An epoch's shards in order, and the positions at which its windows end."""

    shards: Positions
    ends: Positions = field(repr=False)
