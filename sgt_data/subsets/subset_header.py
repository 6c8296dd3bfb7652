"""The header of a subset, from that of the corpus it is taken from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.identity import proxy_fingerprint


def subset_header(
    header: CorpusHeader,
    rule: Mapping[str, Any],
    parent: Mapping[str, Any],
    counts: Mapping[str, Mapping[str, int]],
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]],
) -> CorpusHeader:
    """The header of a subset.

    Args:
        header: of the corpus.
        rule: what the choice follows from.
        parent: what the subset states of where it comes from.
        counts: samples by folder and shard, of the shards it has.
        source_totals: by folder and source.
    """
    identity = {**header.identity, "subset": dict(rule)}
    shards = {
        folder: tuple(shard for shard in header.shards[folder] if shard in held)
        for folder, held in counts.items()
    }
    return replace(
        header,
        identity=identity,
        fingerprints={folder: proxy_fingerprint(identity, folder) for folder in counts},
        shards=shards,
        samples={
            folder: tuple(counts[folder][shard] for shard in names)
            for folder, names in shards.items()
        },
        totals={folder: _summed(by_source.values()) for folder, by_source in source_totals.items()},
        source_totals=source_totals,
        parent=parent,
    )


def keys_digest(keys: pa.StringArray) -> str:
    """SHA-256 over keys, in their order."""
    return hashlib.sha256("\n".join(keys.to_pylist()).encode()).hexdigest()


def made_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity in few words: its long lists of input files as their digests."""
    files = {
        source: hashlib.sha256(orjson.dumps(listed, option=orjson.OPT_SORT_KEYS)).hexdigest()
        for source, listed in identity.get("files", {}).items()
    }
    return {**identity, "files": files}


def _summed(totals: Iterable[Mapping[str, int]]) -> dict[str, int]:
    summed: dict[str, int] = {}
    for one in totals:
        for name, value in one.items():
            summed[name] = summed.get(name, 0) + value
    return summed
