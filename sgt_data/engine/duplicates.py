"""Keys that two shards hold. The first in corpus order keeps them.

Sources that know their keys beforehand cannot clash. Tars can: only when all are read does it show.
Then the later shard is taken back and built again without those keys, which the ledger names. What
results depends on the inputs alone, not on the order in which shards were built.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgt_data.corpus.layout import index_path
from sgt_data.engine.work import hash_keys
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import join


def shard_keys(root: str, proxy: str, shard: str) -> list[str]:
    """Keys of a committed shard, from its index."""
    data = io.BytesIO(read_bytes(join(root, index_path(proxy, shard))))
    keys: list[str] = pq.read_table(data, columns=["key"])["key"].to_pylist()
    return keys


def held_keys(root: str, shard: str, proxies: Sequence[str]) -> list[str]:
    """Keys of a committed shard over all its proxies, each once, in order."""
    return sorted({key for proxy in proxies for key in shard_keys(root, proxy, shard)})


def committed_hashes(root: str, shard: str, proxies: Sequence[str]) -> NDArray[np.uint64]:
    """Key hashes of a shard that was committed earlier, over all its proxies."""
    return hash_keys(held_keys(root, shard, proxies))


def clashing_shards(
    order: Sequence[str], hashes: Mapping[str, NDArray[np.uint64]]
) -> dict[str, list[str]]:
    """Shards that hold a hash which an earlier one holds, with those earlier ones.

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
        others = clashes.setdefault(later, [])
        if earlier not in others:
            others.append(earlier)
    return clashes


def keys_to_exclude(
    keys: Mapping[str, Sequence[str]], clashes: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    """For each clashing shard its repeated keys, with the reason (real keys, not hashes)."""
    excluded: dict[str, dict[str, str]] = {}
    for shard, earlier in clashes.items():
        for other in earlier:
            for key in sorted(set(keys[shard]) & set(keys[other])):
                reason = f"its key is in shard {other} already, which comes first"
                excluded.setdefault(shard, {}).setdefault(key, reason)
    return excluded
