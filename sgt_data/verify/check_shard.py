"""Check one shard: its receipt, index and ledger against one another and against its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.header import LEDGER_HOLDS_SECRET
from sgt_data.corpus.index import parse_index
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.own_banks import own_bank
from sgt_data.corpus.paths import (
    INPUT,
    index_path,
    quarantine_path,
    receipt_path,
    tar_path,
)
from sgt_data.corpus.receipt import Receipt, parse_receipt
from sgt_data.corpus.shard import file_digest
from sgt_data.errors import SgtDataError
from sgt_data.files.reading import read_bytes, size_of
from sgt_data.files.urls import below
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.redaction import has_secrets
from sgt_data.value_text import counted
from sgt_data.verify.check_reversed import base_pictures, type_of
from sgt_data.verify.check_samples import TarToCheck, check_tar
from sgt_data.verify.findings import Finding

_COMPARED = ("key", "target_extension", "input_size")
"""The columns of an index that are looked at where no tar is."""
_LEDGER_TEXTS = ("kind", "key", "member", "reason")


@dataclass(slots=True)
class CheckedShard:
    """What a shard of one folder says of itself, for comparison with other shards.

    Attributes:
        folder: the folder of the corpus: a proxy, or the shared inputs.
        name: name of the shard.
        receipt: its receipt; None where it is missing or cannot be read.
        keys: keys of its samples, in the order of its index.
        left_out: keys (or members, where there is no key) of the rows of its ledger.
        borrowing: keys of the samples that have no input in the shard's own tar.
        findings: all that is wrong with it.
        not_decoded: of each type of proxy that is not installed: samples whose target was not
            decoded.
    """

    folder: str
    name: str
    receipt: Receipt | None = None
    keys: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    borrowing: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    not_decoded: dict[str, int] = field(default_factory=dict)


def check_shard(
    corpus: Corpus, folder: str, name: str, *, files: Mapping[str, int], deep: bool
) -> CheckedShard:
    """Check a shard by itself. Problems become findings; nothing is raised for them.

    Args:
        corpus: the corpus that has the shard.
        folder: the folder of the corpus: a proxy, or the shared inputs.
        name: name of the shard.
        files: sizes of all files of the corpus, in bytes, by path.
        deep: read the tar and decode its targets.
    """
    shard = CheckedShard(folder, name)
    path = receipt_path(folder, name)
    if path not in files:
        return shard
    try:
        receipt = parse_receipt(read_bytes(below(corpus.url, path)), path)
        shard.receipt = receipt
        shard.findings += _check_receipt(corpus, shard, receipt)
        below(corpus.url, tar_path(folder, name))  # refuses a link that leads out
        shard.findings += _check_tar_file(corpus.url, shard, receipt, files)
        index, ledger = _read_index_and_ledger(corpus, shard, receipt)
        table = parse_index(index, index_path(folder, name), None if deep else _COMPARED)
        shard.keys = table["key"].to_pylist()
        shard.borrowing = table["key"].filter(table["input_size"].is_null()).to_pylist()
        shard.findings += _check_ledger(shard, receipt, ledger)
        shard.findings += _check_keys(shard, receipt)
        if deep and receipt["tar"] is not None:
            path = tar_path(folder, name)
            stated = type_of(corpus.header, folder)
            kind = proxy_kinds().usable(stated)
            if kind is None and folder != INPUT:
                shard.not_decoded[stated] = len(table)
            bank = own_bank(corpus.header, folder)
            base = base_pictures(corpus, folder, name)
            tar = TarToCheck(corpus.header, folder, receipt, table.to_pylist(), kind, bank, base)
            for problem in check_tar(tar, read_bytes(below(corpus.url, path))):
                shard.findings.append(Finding(path, problem))
    except SgtDataError as error:
        shard.findings.append(Finding(f"{folder}/{name}", str(error)))
    return shard


def _check_receipt(corpus: Corpus, shard: CheckedShard, receipt: Receipt) -> Iterator[Finding]:
    place = receipt_path(shard.folder, shard.name)
    if (receipt["proxy"], receipt["shard"]) != (shard.folder, shard.name):
        yield Finding(place, f"it is the receipt of {receipt['proxy']}/{receipt['shard']}")
    if receipt["fingerprint"] != corpus.header.fingerprints.get(shard.folder):
        yield Finding(place, "its fingerprint is that of another build")
    if receipt["inputs"] != receipt["samples"] + receipt["damaged"] + receipt["filtered"]:
        yield Finding(
            place,
            f"{receipt['inputs']} inputs are not {receipt['samples']} samples + "
            f"{receipt['damaged']} damaged + {receipt['filtered']} filtered",
        )
    if (receipt["tar"] is None) != (receipt["samples"] == 0):
        yield Finding(
            place, f"{counted(receipt['samples'], 'sample')}, and tar is {receipt['tar']}"
        )


def _check_tar_file(
    root: str, shard: CheckedShard, receipt: Receipt, files: Mapping[str, int]
) -> Iterator[Finding]:
    """Whether there is a tar, and its size."""
    tar = tar_path(shard.folder, shard.name)
    if receipt["tar"] is None:
        if tar in files:
            yield Finding(tar, "its receipt says that there is no tar")
        return
    if tar not in files:
        yield Finding(tar, "the tar is missing")
        return
    # a web server's listing states no sizes
    nbytes = files[tar] or size_of(below(root, tar))
    if nbytes != receipt["tar"].get("bytes"):
        yield Finding(tar, f"{nbytes} bytes; its receipt says {receipt['tar'].get('bytes')}")


def _read_index_and_ledger(
    corpus: Corpus, shard: CheckedShard, receipt: Receipt
) -> tuple[bytes, bytes]:
    """The bytes of index and ledger, compared with the digests of the receipt."""
    contents = []
    for part, path_of in (("index", index_path), ("quarantine", quarantine_path)):
        path = path_of(shard.folder, shard.name)
        data = read_bytes(below(corpus.url, path))
        if file_digest(data) != receipt[part]:
            shard.findings.append(Finding(path, "size or SHA-256 is not what its receipt says"))
        contents.append(data)
    index, ledger = contents
    return index, ledger


def _check_ledger(shard: CheckedShard, receipt: Receipt, ledger: bytes) -> Iterator[Finding]:
    place = quarantine_path(shard.folder, shard.name)
    counts = {"damaged": 0, "filtered": 0, "note": 0}
    samples = set(shard.keys)
    for number, line in enumerate(ledger.splitlines(), 1):
        try:
            row = loads_bounded(line)
            if not all(isinstance(row[name], str | None) for name in _LEDGER_TEXTS):
                raise TypeError
            counts[row["kind"]] += 1
            if has_secrets(row["reason"]):
                yield Finding(place, f"field reason of line {number} {LEDGER_HOLDS_SECRET}")
            if row["kind"] != "note":
                shard.left_out.append(row["key"] or row["member"])
            elif row["key"] not in samples:
                yield Finding(place, f"line {number} is a note on {row['key']}, which is no sample")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            yield Finding(place, f"line {number} is no quarantine row")
    stated = {**receipt, "note": receipt.get("notes", 0)}
    for kind, count in counts.items():
        if count != stated[kind]:
            yield Finding(place, f"rows that are {kind}: {count}; the receipt says {stated[kind]}")


def _check_keys(shard: CheckedShard, receipt: Receipt) -> Iterator[Finding]:
    place = index_path(shard.folder, shard.name)
    if len(shard.keys) != receipt["samples"]:
        yield Finding(
            place, f"{counted(len(shard.keys), 'row')}; the receipt says {receipt['samples']}"
        )
    if shard.keys != sorted(set(shard.keys)):
        yield Finding(place, "its keys are not in order, each once")
