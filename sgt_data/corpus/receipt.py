"""Receipts: the files that commit shards. A shard without a receipt does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.paths import index_path, quarantine_path, receipt_path, tar_path
from sgt_data.corpus.shard import EncodedShard
from sgt_data.errors import CorpusError, LeavesRoot
from sgt_data.files.file_signs import lfs_note
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.files.writing import delete, write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_folder, checked_shard
from sgt_data.value_text import cut

Receipt = dict[str, Any]

_FIELDS = {
    "version": int, "proxy": str, "shard": str, "source": str, "slice": str, "last": bool,
    "inputs": int, "samples": int, "damaged": int, "filtered": int, "segments": int,
    "source_bytes": int, "fingerprint": str, "tar": dict | None, "index": dict,
    "quarantine": dict,
}  # fmt: skip
RECEIPT_BYTES_MAX = 1 << 20
"""More bytes of a receipt are not read; ours have less than a thousandth of that."""

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
    return checked_receipt(receipt, where)


def checked_receipt(receipt: object, where: str) -> Receipt:
    """Check every field of a receipt, and return it.

    Args:
        receipt: as JSON gives it.
        where: what holds it, for messages.

    Raises:
        CorpusError: it is no receipt of this version.
    """
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


def read_receipt(root: str, proxy: str, shard: str) -> Receipt:
    """One receipt.

    Raises:
        SourceError: it does not exist, or cannot be read just now.
        CorpusError: it is damaged.
    """
    place = below(root, receipt_path(proxy, shard))
    return receipt_of(proxy, shard, read_bytes(place), place)


def receipt_of(proxy: str, shard: str, data: bytes, where: str) -> Receipt:
    """The receipt of a shard from its bytes.

    Raises:
        CorpusError: it is damaged, or that of another shard.
    """
    receipt = parse_receipt(data, where)
    if (receipt["proxy"], receipt["shard"]) != (proxy, shard):
        raise CorpusError(f"{where} is the receipt of {receipt['proxy']}/{receipt['shard']}")
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


def sum_totals(totals: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Totals of several parts of a corpus together, each as `add_up` makes them."""
    summed: dict[str, int] = {}
    for part in totals:
        for name, value in part.items():
            summed[name] = summed.get(name, 0) + value
    return summed
