"""Keys that two shards hold: the first shard in corpus order keeps them.

Sources that know their keys beforehand cannot repeat one. Tars can, which shows only when all are
read. Then the later shard is revoked and built again without those keys, which its ledger names.
The result depends on the inputs alone, not on the order in which shards were built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sgt_data.corpus.committed_shards import Announce
from sgt_data.corpus.index import parse_index
from sgt_data.corpus.key_hashes import Hashes, KeyHashes, hash_keys
from sgt_data.corpus.mending import read_committed
from sgt_data.corpus.paths import index_path
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.urls import join

_TOLD_EVERY = 1000

Place = tuple[str, str]
"""Folder of the corpus, and shard."""


def repeated_keys(
    root: str,
    folders_of: Mapping[str, Sequence[str]],
    hashes: KeyHashes,
    announce: Announce = lambda _, __: None,
) -> dict[str, dict[str, str]]:
    """By shard: its keys that an earlier shard holds, with the reason to leave each out.

    Args:
        root: of the corpus.
        folders_of: the shards to look at, in corpus order, with the folders that hold each.
        hashes: of the keys of each shard; those that are missing are read from indexes and added.
        announce: called with how far that is.

    Raises:
        CorpusError: an index is damaged, or missing.
        SourceError: an index cannot be read just now.
    """
    _read_missing(root, folders_of, hashes, announce)
    of_shards = {shard: hashes.union(shard, folders) for shard, folders in folders_of.items()}
    clashes = clashing_shards(list(folders_of), of_shards)
    involved = {*clashes, *(shard for earlier in clashes.values() for shard in earlier)}
    places = [(folder, shard) for shard in sorted(involved) for folder in folders_of[shard]]
    keys: dict[str, list[str]] = {shard: [] for shard in involved}
    for (_, shard), of_folder in zip(places, _indexed_keys(root, places), strict=True):
        keys[shard] += of_folder
    return keys_to_exclude(keys, clashes)


def _read_missing(
    root: str,
    folders_of: Mapping[str, Sequence[str]],
    hashes: KeyHashes,
    announce: Announce,
) -> None:
    """Add the hashes that are missing; they are read from indexes."""
    missing = [
        (folder, shard)
        for shard, folders in folders_of.items()
        for folder in folders
        if hashes.get(folder, shard) is None
    ]
    indexed = _indexed_keys(root, missing)
    for done, ((folder, shard), keys) in enumerate(zip(missing, indexed, strict=True)):
        if done % _TOLD_EVERY == 0:
            announce("reading the keys of shards", f"{done:,} of {len(missing):,}")
        hashes.add(folder, shard, hash_keys(keys))


def clashing_shards(order: Sequence[str], hashes: Mapping[str, Hashes]) -> dict[str, list[str]]:
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


def _indexed_keys(root: str, places: Iterable[Place]) -> Iterator[list[str]]:
    """The keys of committed shards, each in the order of its index."""

    def read(place: Place) -> list[str]:
        path = index_path(*place)
        index = parse_index(read_committed(root, path), join(root, path), ["key"])
        keys: list[str] = index["key"].to_pylist()
        return keys

    return read_ahead(read, places, threads_for(root))
