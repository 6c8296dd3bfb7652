"""The headers of a copy: as it begins, when it is done, and where folders stay behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.identity import of_proxies
from sgt_data.corpus.receipt import Receipt, add_up

_Value = TypeVar("_Value")


def begun_header(header: CorpusHeader) -> CorpusHeader:
    """The header of a copy that has nothing yet."""
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
            folder: tuple(receipts[folder][one]["samples"] for one in names)
            for folder, names in shards.items()
        },
        totals={folder: add_up(receipts[folder].values()) for folder in header.totals},
        source_totals={
            folder: {
                source: add_up(one for one in receipts[folder].values() if one["source"] == source)
                for source in by_source
            }
            for folder, by_source in header.source_totals.items()
        },
    )


def header_without(header: CorpusHeader, folders: Collection[str]) -> CorpusHeader:
    """The header of a copy that leaves folders out: that of a build without these proxies, but for
    `left_out`. What is left keeps its fingerprints."""
    if not folders:
        return header

    def kept(by_folder: Mapping[str, _Value]) -> dict[str, _Value]:
        return {folder: one for folder, one in by_folder.items() if folder not in folders}

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
