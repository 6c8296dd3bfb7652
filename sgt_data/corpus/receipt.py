"""Receipts: the files that commit shards. A shard without a receipt does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.paths import index_path, quarantine_path, receipt_path, tar_path
from sgt_data.corpus.shard import EncodedShard
from sgt_data.errors import CorpusError, LeavesRoot
from sgt_data.files.file_signs import lfs_note
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import below, join
from sgt_data.files.writing import delete, write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.names import RECEIPTS, checked_folder, checked_shard
from sgt_data.value_text import cut

Receipt = dict[str, Any]

_THREADS = 16
_FIELDS = {
    "version": int, "proxy": str, "shard": str, "source": str, "slice": str, "last": bool,
    "inputs": int, "samples": int, "damaged": int, "filtered": int, "segments": int,
    "source_bytes": int, "fingerprint": str, "tar": dict | None, "index": dict,
    "quarantine": dict,
}  # fmt: skip
COUNTED = ("inputs", "samples", "damaged", "filtered", "segments")


def commit(root: str, encoded: EncodedShard) -> Receipt:
    """Write a shard's files, its receipt last."""
    receipt = encoded.summary
    proxy, shard = receipt["proxy"], receipt["shard"]
    if encoded.tar is not None:
        write_atomic(below(root, tar_path(proxy, shard)), encoded.tar)
    write_atomic(below(root, index_path(proxy, shard)), encoded.index)
    write_atomic(below(root, quarantine_path(proxy, shard)), encoded.quarantine)
    write_atomic(below(root, receipt_path(proxy, shard)), encoded.receipt)
    return receipt


def revoke(root: str, proxy: str, shard: str) -> None:
    """Take a shard out of the corpus: its receipt first."""
    for path in (receipt_path, tar_path, index_path, quarantine_path):
        delete(below(root, path(proxy, shard)))


def parse_receipt(data: bytes, where: str) -> Receipt:
    """A receipt from its bytes, every field checked.

    Args:
        data: the file.
        where: its URL, for messages.

    Raises:
        CorpusError: it is no receipt of this version.
    """
    try:
        receipt = loads_bounded(data)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{where} is not JSON: {in_words(why)}{lfs_note(data)}") from why
    if not isinstance(receipt, dict):
        raise CorpusError(f"{where} is not a receipt")
    for name, kind in _FIELDS.items():
        if name not in receipt or not isinstance(receipt[name], kind):
            raise CorpusError(f"{where}: field {name} is {cut(receipt.get(name), 40)}")
    for name in (*COUNTED, "notes", "lost"):
        if type(count := receipt.get(name, 0)) is not int or count < 0:
            raise CorpusError(f"{where}: field {name} is {cut(count, 40)}, not a number of inputs")
    for name in ("tar", "index", "quarantine"):
        stated = receipt[name]
        if stated is not None and not _is_digest(stated):
            raise CorpusError(f"{where}: field {name} is {cut(stated, 40)}, not bytes and sha256")
    try:
        checked_folder(receipt["proxy"])
        checked_shard(receipt["shard"])
    except ValueError as why:
        raise LeavesRoot(f"{where}: {in_words(why)}") from None
    return receipt


def _is_digest(stated: Mapping[str, Any]) -> bool:
    """Whether a receipt states size and digest of a file."""
    size = stated.get("bytes")
    return type(size) is int and size >= 0 and isinstance(stated.get("sha256"), str)


def read_receipts(root: str, proxies: Iterable[str]) -> dict[str, dict[str, Receipt]]:
    """All receipts by proxy and shard name.

    Raises:
        CorpusError: a receipt is damaged.
    """
    wanted = set(proxies)
    places = []
    for name in list_files(join(root, RECEIPTS)):
        proxy, _, shard = name.removesuffix(".json").partition("/")
        # file systems put files of their own (`._x.json`) beside receipts
        if proxy in wanted and name.endswith(".json") and not is_system_file(name):
            places.append((proxy, shard))
    with ThreadPoolExecutor(_THREADS) as threads:
        loaded = list(threads.map(lambda place: read_receipt(root, *place), places))
    receipts: dict[str, dict[str, Receipt]] = {proxy: {} for proxy in wanted}
    for (proxy, shard), receipt in zip(places, loaded, strict=True):
        receipts[proxy][shard] = receipt
    return receipts


def committed_receipts(root: str, fingerprints: Mapping[str, str]) -> dict[str, dict[str, Receipt]]:
    """All receipts of one build, by folder and shard.

    Args:
        root: of the corpus.
        fingerprints: of the build, by folder.

    Raises:
        CorpusError: a shard is of another build, or its receipt is damaged.
    """
    receipts = read_receipts(root, fingerprints)
    others = [
        f"{folder}/{shard}"
        for folder, by_shard in receipts.items()
        for shard, receipt in by_shard.items()
        if receipt["fingerprint"] != fingerprints[folder]
    ]
    if others:
        count = sum(map(len, receipts.values()))
        raise CorpusError(
            f"{root}: {len(others):,} of its {count:,} shards ({others[0]}, ...) were committed by "
            "another build: by another manifest, from other sources, or with other versions of the "
            "libraries that make the bytes. Use another --output; or put back the corpus.json of "
            "that build, which tells what differs"
        )
    return receipts


def read_receipt(root: str, proxy: str, shard: str) -> Receipt:
    """One receipt.

    Raises:
        SourceError: it does not exist, or cannot be read just now.
        CorpusError: it is damaged.
    """
    place = below(root, receipt_path(proxy, shard))
    receipt = parse_receipt(read_bytes(place), place)
    if (receipt["proxy"], receipt["shard"]) != (proxy, shard):
        raise CorpusError(f"{place} is the receipt of {receipt['proxy']}/{receipt['shard']}")
    return receipt


def add_up(receipts: Iterable[Receipt]) -> dict[str, int]:
    """Totals over receipts: inputs, samples, damaged, filtered, segments, shards, bytes of tars.

    Where there are any, also `notes`, and `lost`: the estimated number of inputs that tars lost and
    that nobody can name.
    """
    totals = dict.fromkeys((*COUNTED, "shards", "bytes"), 0)
    for receipt in receipts:
        for name in COUNTED:
            totals[name] += receipt[name]
        totals["shards"] += 1
        totals["bytes"] += receipt["tar"]["bytes"] if receipt["tar"] else 0
        for name in ("notes", "lost"):
            if count := receipt.get(name):
                totals[name] = totals.get(name, 0) + count
    return totals
