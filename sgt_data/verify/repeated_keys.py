"""Keys that two shards of a folder hold, found with eight bytes per key.

Only hashes of keys are kept, of each shard once for all folders. Where two are equal, the keys of
those shards are read again and compared themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.value_text import counted
from sgt_data.verify.findings import Finding

_NAMED = 8
"""Repeated keys of a shard that are named; of more, their number."""

_COMPARED_AT_ONCE = 1 << 18
"""Keys with equal hashes that are compared at a time, so that any number of them fits into memory:
a corpus with all its shards twice is read again several times."""

Folders = Sequence[str]
KeysOf = Callable[[str, str], Sequence[str]]
"""The keys of a folder's shard, by folder and shard."""


class SeenKeys:
    """The hashes of all keys of a corpus, shard by shard."""

    def __init__(self) -> None:
        self._shards: list[tuple[str, Folders]] = []
        self._hashes: list[NDArray[np.int64]] = []

    def add(self, shard: str, folders: Folders, keys: Sequence[str]) -> None:
        """Take note of a shard.

        Args:
            shard: its name.
            folders: those that hold it.
            keys: of all these folders together, each once.
        """
        self._shards.append((shard, folders))
        self._hashes.append(_hashes_of(keys))

    def repeated(self, keys_of: KeysOf) -> Iterator[Finding]:
        """A finding for each key that an earlier shard of the same folder holds.

        Args:
            keys_of: reads the keys of a shard again.
        """
        equal = self._equal_hashes()
        further: dict[tuple[str, str], int] = {}  # how many a shard has beyond those that are named
        named: dict[tuple[str, str], int] = {}
        for first in range(0, len(equal), _COMPARED_AT_ONCE):
            looked_for = equal[first : first + _COMPARED_AT_ONCE]
            for folder, shard, key, earlier in self._among(looked_for, keys_of):
                named[folder, shard] = named.get((folder, shard), 0) + 1
                if named[folder, shard] <= _NAMED:
                    yield Finding(f"{folder}/{shard}", f"key {key} is in {earlier} as well")
                else:
                    further[folder, shard] = named[folder, shard] - _NAMED
        for (folder, shard), count in further.items():
            yield Finding(
                f"{folder}/{shard}", f"{counted(count, 'further key')} of it in other shards"
            )

    def _equal_hashes(self) -> NDArray[np.int64]:
        """The hashes that two shards have, in order, each once."""
        ordered = np.concatenate([np.empty(0, np.int64), *self._hashes])
        ordered.sort()
        again = ordered[1:][ordered[1:] == ordered[:-1]]
        return np.unique(again)

    def _among(
        self, looked_for: NDArray[np.int64], keys_of: KeysOf
    ) -> Iterator[tuple[str, str, str, str]]:
        """Folder, shard, key, and earlier shard, of the repeated keys among those with some
        hashes."""
        shard_of: dict[tuple[str, str], str] = {}
        for (shard, folders), hashes in zip(self._shards, self._hashes, strict=True):
            if not _are_among(hashes, looked_for).any():
                continue
            for folder in folders:
                keys = keys_of(folder, shard)
                places = np.flatnonzero(_are_among(_hashes_of(keys), looked_for))
                for key in (keys[place] for place in places.tolist()):
                    earlier = shard_of.setdefault((folder, key), shard)
                    if earlier != shard:
                        yield folder, shard, key, earlier


def _hashes_of(keys: Sequence[str]) -> NDArray[np.int64]:
    """Python's own hashes, which hold in this process alone: nobody can prepare equal ones."""
    return np.fromiter(map(hash, keys), np.int64, len(keys))


def _are_among(hashes: NDArray[np.int64], ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    among: NDArray[np.bool_] = ordered[places] == hashes
    return among
