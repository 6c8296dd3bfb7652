"""Headers that follow from another header: those of subsets, of copies, and of partial copies."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import orjson
import pyarrow as pa

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.identity import of_proxies, proxy_fingerprint
from sgt_data.corpus.receipt import Receipt, add_up, sum_totals

_Value = TypeVar("_Value")

_KEYS_AT_ONCE = 1 << 16
"""Keys that are texts of Python's at a time, each of which takes more than its letters."""


def subset_header(
    header: CorpusHeader,
    rule: Mapping[str, Any],
    parent: Mapping[str, Any],
    counts: Mapping[str, Mapping[str, int]],
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]],
) -> CorpusHeader:
    """The header of a subset: that of a copy of it, before anything is copied.

    Args:
        header: of the corpus.
        rule: what the choice of keys follows from.
        parent: what the subset states of where it comes from.
        counts: samples by folder and shard, of the shards that it has.
        source_totals: by folder and source.
    """
    identity = {**header.identity, "subset": dict(rule)}
    shards = {
        folder: tuple(shard for shard in header.shards[folder] if shard in by_shard)
        for folder, by_shard in counts.items()
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
        totals={
            folder: sum_totals(by_source.values()) for folder, by_source in source_totals.items()
        },
        source_totals=source_totals,
        parent=parent,
    )


def begun_header(header: CorpusHeader) -> CorpusHeader:
    """The header of a copy that has no shard yet.

    Args:
        header: of the complete copy.
    """
    return replace(header, complete=False, shards={}, samples={}, totals={}, source_totals={})


def finished_header(
    header: CorpusHeader, receipts: Mapping[str, Mapping[str, Receipt]]
) -> CorpusHeader:
    """The header of a copy, from what is committed of it: complete if that is all.

    Args:
        header: of what is copied.
        receipts: of the copy, by folder and shard.
    """
    shards = {
        folder: tuple(shard for shard in names if shard in receipts[folder])
        for folder, names in header.shards.items()
    }
    return replace(
        header,
        complete=shards == header.shards,
        shards=shards,
        samples={
            folder: tuple(receipts[folder][shard]["samples"] for shard in names)
            for folder, names in shards.items()
        },
        totals={folder: add_up(receipts[folder].values()) for folder in header.totals},
        source_totals={
            folder: {
                source: add_up(
                    receipt for receipt in receipts[folder].values() if receipt["source"] == source
                )
                for source in by_source
            }
            for folder, by_source in header.source_totals.items()
        },
    )


def header_without(header: CorpusHeader, folders: Collection[str]) -> CorpusHeader:
    """The header of a copy that leaves folders out.

    It is that of a build without these proxies, but for `left_out`; other folders keep their
    fingerprints.

    Args:
        header: of what is copied.
        folders: those that the copy lacks.
    """
    if not folders:
        return header

    def kept(by_folder: Mapping[str, _Value]) -> dict[str, _Value]:
        return {folder: value for folder, value in by_folder.items() if folder not in folders}

    proxies: list[dict[str, Any]] = [
        proxy for proxy in header.manifest["proxies"] if proxy["name"] not in folders
    ]
    return replace(
        header,
        manifest={**header.manifest, "proxies": proxies},
        identity=of_proxies(header.identity, [proxy["name"] for proxy in proxies]),
        fingerprints=kept(header.fingerprints),
        shards=kept(header.shards),
        samples=kept(header.samples),
        totals=kept(header.totals),
        source_totals=kept(header.source_totals),
        left_out=(*header.left_out, *folders),
    )


def keys_digest(keys: pa.StringArray) -> str:
    """SHA-256 over keys, in their order, with a line break between two."""
    digest = hashlib.sha256()
    for begin in range(0, len(keys), _KEYS_AT_ONCE):
        text = "\n".join(keys.slice(begin, _KEYS_AT_ONCE).to_pylist())
        digest.update(f"\n{text}".encode() if begin else text.encode())
    return digest.hexdigest()


def short_identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a build, with the digests of its long lists of input files in their place."""
    files = {
        source: hashlib.sha256(orjson.dumps(digests, option=orjson.OPT_SORT_KEYS)).hexdigest()
        for source, digests in identity.get("files", {}).items()
    }
    return {**identity, "files": files}
