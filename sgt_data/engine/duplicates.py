"""Keys that two shards hold: the first shard in corpus order keeps them.

Sources that know their keys beforehand cannot repeat one. Tars can, which shows only when all are
read. Then the later shard is revoked and built again without those keys, which its ledger names.
The result depends on the inputs alone, not on the order in which shards were built.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, MutableMapping, Sequence

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgt_data.corpus.paths import index_path
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below


def hash_keys(keys: Sequence[str]) -> NDArray[np.uint64]:
    """64-bit hashes (BLAKE2b) of keys: `[keys] uint64`."""
    digests = [hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys]
    return np.frombuffer(b"".join(digests), np.uint64)


def repeated_keys(
    root: str,
    folders_of: Mapping[str, Sequence[str]],
    hashes: MutableMapping[str, NDArray[np.uint64]],
) -> dict[str, dict[str, str]]:
    """By shard: its keys that an earlier shard holds, with the reason to leave each out.

    Args:
        root: of the corpus.
        folders_of: the shards to look at, in corpus order, with the folders that hold each.
        hashes: of the keys of each shard; those that are missing are read from indexes and added.

    Raises:
        SourceError: an index cannot be read just now.
    """
    for shard, folders in folders_of.items():
        if shard not in hashes:
            hashes[shard] = hash_keys(_keys_in(root, shard, folders))
    clashes = clashing_shards(list(folders_of), hashes)
    involved = {*clashes, *(shard for earlier in clashes.values() for shard in earlier)}
    keys = {shard: _keys_in(root, shard, folders_of[shard]) for shard in involved}
    return keys_to_exclude(keys, clashes)


def clashing_shards(
    order: Sequence[str], hashes: Mapping[str, NDArray[np.uint64]]
) -> dict[str, list[str]]:
    """Shards that hold a hash which an earlier shard holds, with those earlier shards.

    Args:
        order: all shards, in corpus order.
        hashes: of each shard's keys, no hash twice in one shard.
    """
    if not order:
        return {}
    everything = np.concatenate([hashes[shard] for shard in order])
    owner = np.repeat(np.arange(len(order)), [len(hashes[shard]) for shard in order])
    by_hash = np.argsort(everything, kind="stable")  # stable: earlier shards stay first
    again = np.flatnonzero(everything[by_hash][1:] == everything[by_hash][:-1]) + 1
    clashes: dict[str, list[str]] = {}
    for place in again.tolist():
        later, earlier = order[owner[by_hash[place]]], order[owner[by_hash[place - 1]]]
        earlier_shards = clashes.setdefault(later, [])
        if earlier not in earlier_shards:
            earlier_shards.append(earlier)
    return clashes


def keys_to_exclude(
    keys: Mapping[str, Sequence[str]], clashes: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    """For each clashing shard its repeated keys, with the reason (real keys, not hashes).

    Args:
        keys: of every shard that is involved.
        clashes: shards with the earlier shards that share a hash.
    """
    excluded: dict[str, dict[str, str]] = {}
    for shard, earlier_shards in clashes.items():
        for earlier in earlier_shards:
            for key in sorted(set(keys[shard]) & set(keys[earlier])):
                excluded.setdefault(shard, {}).setdefault(key, repeated_reason(earlier))
    return excluded


def repeated_reason(earlier: str) -> str:
    """Why a key that an earlier shard holds is left out."""
    return f"its key is in shard {earlier} already, which comes first"


def _keys_in(root: str, shard: str, folders: Sequence[str]) -> list[str]:
    """Keys of a committed shard over all its folders, each once, in order."""
    return sorted({key for folder in folders for key in _indexed_keys(root, folder, shard)})


def _indexed_keys(root: str, folder: str, shard: str) -> list[str]:
    data = io.BytesIO(read_bytes(below(root, index_path(folder, shard))))
    keys: list[str] = pq.read_table(data, columns=["key"])["key"].to_pylist()
    return keys
