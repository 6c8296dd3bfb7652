"""Hashes of the keys of shards, by which keys that two shards hold are noticed.

They take 8 bytes for each sample, once for all folders that hold the same keys of a shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
"""`[keys] uint64`."""


def hash_keys(keys: Sequence[str]) -> Hashes:
    """64-bit hashes (BLAKE2b) of keys: `[keys] uint64`."""
    digests = [hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)


class KeyHashes:
    """The hashes of the keys of shards, by shard and folder of the corpus."""

    def __init__(self) -> None:
        self._by_shard: dict[str, dict[str, Hashes]] = {}

    def add(self, folder: str, shard: str, hashes: Hashes) -> None:
        """Note the hashes of a shard's keys in a folder, in the order of its index."""
        by_folder = self._by_shard.setdefault(shard, {})
        same = (other for other in by_folder.values() if np.array_equal(other, hashes))
        by_folder[folder] = next(same, hashes)

    def forget(self, folder: str, shard: str) -> None:
        """Forget what was noted of a shard in a folder."""
        self._by_shard.get(shard, {}).pop(folder, None)

    def get(self, folder: str, shard: str) -> Hashes | None:
        """The hashes of a shard's keys in a folder; None where they are not noted."""
        return self._by_shard.get(shard, {}).get(folder)

    def union(self, shard: str, folders: Iterable[str]) -> Hashes:
        """The hashes of all keys that a shard has in these folders, each once.

        Raises:
            KeyError: those of a folder are not noted.
        """
        by_folder = self._by_shard[shard]
        different = {id(hashes): hashes for hashes in (by_folder[folder] for folder in folders)}
        several = list(different.values())
        return several[0] if len(several) == 1 else np.unique(np.concatenate(several))
