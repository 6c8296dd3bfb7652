"""Check a corpus against its own laws. Every finding names place and contradiction.

Without `deep` no tar is opened: header, receipts, indexes and ledgers must agree with one another
and with the files' sizes. With `deep` every byte is read: digests, members, and every target is
decoded and compared with its facts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson

from sgt_data.corpus.identity import proxy_fingerprint
from sgt_data.corpus.index import parse_index
from sgt_data.corpus.layout import (
    BESIDE,
    CORPUS_FILE,
    INPUT,
    index_path,
    quarantine_path,
    receipt_path,
    tar_path,
)
from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.receipt import Receipt, add_up, parse_receipt
from sgt_data.corpus.shard import file_digest
from sgt_data.errors import RequestError, SgtDataError
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import join
from sgt_data.subsets.opening import open_corpus
from sgt_data.verify.shard_bytes import ShardUnderCheck, check_tar
from sgt_data.verify.subset_file import check_subset


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction: where, and what."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification saw: counts by proxy and shard, what is wrong; of a subset file, the
    corpus that it was compared with."""

    shards: int
    samples: int
    findings: tuple[Finding, ...]
    parent: str | None = None

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Shard:
    """What one shard says of itself, for comparison with the others."""

    proxy: str
    name: str
    receipt: Receipt | None = None
    keys: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    borrowing: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def verify_corpus(
    url: str, *, deep: bool = False, on_shard: Callable[[int, int], None] | None = None
) -> Verdict:
    """Check a corpus; or of a subset file, whether its corpus has what it promises.

    Args:
        url: of the corpus, or of a subset file.
        deep: read every tar, decode every target.
        on_shard: called with shards done and shards in all.

    Raises:
        RequestError: there is no corpus.
        CorpusError: its header cannot be read.
    """
    corpus = open_corpus(url)
    if corpus.selection is not None:
        return _verify_subset(corpus, deep, on_shard)
    files = list_files(corpus.url)
    listed = _listed_shards(corpus, files)
    findings = [*_check_header(corpus), *_check_files(corpus, files, listed)]
    done: list[_Shard] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for shard in threads.map(
            lambda one: _check_shard(corpus, one[0], one[1], files, deep), listed
        ):
            done.append(shard)
            if on_shard:
                on_shard(len(done), len(listed))
    for shard in done:
        findings += shard.findings
    findings += _check_alignment(corpus, done)
    findings += _check_shared_inputs(corpus, done)
    findings += _check_repeats(done)
    findings += _check_totals(corpus, done)
    return Verdict(len(done), sum(len(shard.keys) for shard in done), tuple(findings))


def _verify_subset(
    subset: Corpus, deep: bool, on_shard: Callable[[int, int], None] | None
) -> Verdict:
    if deep:
        raise RequestError(f"a subset has no tars of its own; verify {subset.url} --deep")
    findings = tuple(Finding(*one) for one in check_subset(subset, on_shard))
    return Verdict(
        sum(len(subset.shards(folder)) for folder in subset.folders),
        sum(sum(subset.samples_per_shard(folder)) for folder in subset.folders),
        findings,
        subset.url,
    )


def _listed_shards(corpus: Corpus, files: dict[str, int]) -> list[tuple[str, str]]:
    """Proxy and name of every shard that header or receipts know."""
    known: dict[tuple[str, str], None] = {}
    for proxy in corpus.folders:
        for shard in corpus.header.shards.get(proxy, ()):
            known[proxy, shard] = None
        prefix = receipt_path(proxy, "").removesuffix(".json")
        for name in files:
            if name.startswith(prefix) and name.endswith(".json"):
                known[proxy, name.removeprefix(prefix).removesuffix(".json")] = None
    return list(known)


def _check_header(corpus: Corpus) -> Iterator[Finding]:
    header = corpus.header
    if not header.complete:
        yield Finding("corpus.json", "the build is not complete; run the same build again")
    for proxy in corpus.folders:
        try:
            fingerprint = proxy_fingerprint(header.identity, proxy)
        except (KeyError, TypeError):
            fingerprint = None
        if header.fingerprints.get(proxy) != fingerprint:
            yield Finding("corpus.json", f"the fingerprint of {proxy} is not that of its identity")


def _check_files(
    corpus: Corpus, files: dict[str, int], listed: list[tuple[str, str]]
) -> Iterator[Finding]:
    """Missing receipts, and files that belong to no shard."""
    expected = {CORPUS_FILE, *BESIDE}
    for proxy, shard in listed:
        expected |= {
            path(proxy, shard) for path in (tar_path, index_path, quarantine_path, receipt_path)
        }
        if receipt_path(proxy, shard) not in files:
            yield Finding(receipt_path(proxy, shard), "the receipt is missing")
        elif corpus.header.complete and shard not in corpus.header.shards.get(proxy, ()):
            yield Finding(receipt_path(proxy, shard), "corpus.json does not list this shard")
    if corpus.header.complete:
        for name in sorted(files.keys() - expected):
            yield Finding(name, "no shard of the corpus has this file")


def _check_shard(
    corpus: Corpus, proxy: str, name: str, files: dict[str, int], deep: bool
) -> _Shard:
    shard = _Shard(proxy, name)
    if receipt_path(proxy, name) not in files:
        return shard
    try:
        place = receipt_path(proxy, name)
        shard.receipt = parse_receipt(read_bytes(join(corpus.url, place)), place)
        shard.findings += _check_receipt(corpus, shard, files)
        index = _read_part(corpus, shard, "index", index_path(proxy, name))
        ledger = _read_part(corpus, shard, "quarantine", quarantine_path(proxy, name))
        rows = parse_index(index, index_path(proxy, name)).to_pylist()
        shard.keys = [row["key"] for row in rows]
        shard.borrowing = [row["key"] for row in rows if row["input_size"] is None]
        shard.findings += _check_ledger(shard, ledger)
        shard.findings += _check_keys(shard)
        if deep and shard.receipt["tar"] is not None:
            place = tar_path(proxy, name)
            under = ShardUnderCheck(corpus.header, proxy, name, shard.receipt, rows)
            for problem in check_tar(under, read_bytes(join(corpus.url, place))):
                shard.findings.append(Finding(place, problem))
    except SgtDataError as why:
        shard.findings.append(Finding(f"{proxy}/{name}", str(why)))
    return shard


def _check_receipt(corpus: Corpus, shard: _Shard, files: dict[str, int]) -> Iterator[Finding]:
    receipt = shard.receipt
    assert receipt is not None
    place = receipt_path(shard.proxy, shard.name)
    if (receipt["proxy"], receipt["shard"]) != (shard.proxy, shard.name):
        yield Finding(place, f"it is the receipt of {receipt['proxy']}/{receipt['shard']}")
    if receipt["fingerprint"] != corpus.header.fingerprints.get(shard.proxy):
        yield Finding(place, "its fingerprint is that of another build")
    if receipt["inputs"] != receipt["samples"] + receipt["damaged"] + receipt["filtered"]:
        yield Finding(
            place,
            f"{receipt['inputs']} inputs are not {receipt['samples']} samples + "
            f"{receipt['damaged']} damaged + {receipt['filtered']} filtered",
        )
    tar = tar_path(shard.proxy, shard.name)
    if (receipt["tar"] is None) != (receipt["samples"] == 0):
        yield Finding(place, f"{receipt['samples']} samples, and tar is {receipt['tar']}")
    if receipt["tar"] is not None and tar not in files:
        yield Finding(tar, "the tar is missing")
    elif receipt["tar"] is not None and files[tar] != receipt["tar"].get("bytes"):
        yield Finding(tar, f"{files[tar]} bytes; its receipt says {receipt['tar'].get('bytes')}")
    if receipt["tar"] is None and tar in files:
        yield Finding(tar, "its receipt says that there is no tar")


def _read_part(corpus: Corpus, shard: _Shard, part: str, place: str) -> bytes:
    """An index or a ledger, compared with its receipt."""
    assert shard.receipt is not None
    data = read_bytes(join(corpus.url, place))
    if file_digest(data) != shard.receipt[part]:
        shard.findings.append(Finding(place, "size or SHA-256 is not what its receipt says"))
    return data


def _check_ledger(shard: _Shard, ledger: bytes) -> Iterator[Finding]:
    place = quarantine_path(shard.proxy, shard.name)
    kinds = {"damaged": 0, "filtered": 0}
    for number, line in enumerate(ledger.splitlines(), 1):
        try:
            row = orjson.loads(line)
            kinds[row["kind"]] += 1
            shard.left_out.append(row["key"] or row["member"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            yield Finding(place, f"line {number} is no quarantine row")
    assert shard.receipt is not None
    for kind, count in kinds.items():
        if count != shard.receipt[kind]:
            yield Finding(place, f"{count} rows are {kind}; the receipt says {shard.receipt[kind]}")


def _check_keys(shard: _Shard) -> Iterator[Finding]:
    place = index_path(shard.proxy, shard.name)
    assert shard.receipt is not None
    if len(shard.keys) != shard.receipt["samples"]:
        yield Finding(place, f"{len(shard.keys)} rows; the receipt says {shard.receipt['samples']}")
    if shard.keys != sorted(set(shard.keys)):
        yield Finding(place, "its keys are not in order, each once")


def _check_alignment(corpus: Corpus, shards: Iterable[_Shard]) -> Iterator[Finding]:
    """Law 6: what a shard holds and leaves out is the same for every proxy."""
    first: dict[str, _Shard] = {}
    for shard in shards:
        if shard.receipt is None:
            continue
        other = first.setdefault(shard.name, shard)
        ours = sorted((*shard.keys, *shard.left_out))
        theirs = sorted((*other.keys, *other.left_out))
        if ours != theirs:
            strange = sorted(set(ours) ^ set(theirs))
            yield Finding(
                f"{shard.proxy}/{shard.name}",
                f"accounts for other inputs than {other.proxy} does, such as {strange[:1]}",
            )


def _check_shared_inputs(corpus: Corpus, shards: Iterable[_Shard]) -> Iterator[Finding]:
    """Every sample without an input of its own finds it among the shared ones."""
    if INPUT not in corpus.folders:
        return
    inputs = {shard.name: set(shard.keys) for shard in shards if shard.proxy == INPUT}
    for shard in shards:
        lost = [key for key in shard.borrowing if key not in inputs.get(shard.name, ())]
        if lost:
            yield Finding(
                f"{shard.proxy}/{shard.name}", f"{len(lost)} samples have no input, as {lost[0]}"
            )


def _check_repeats(shards: Iterable[_Shard]) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for shard in shards:
        for key in shard.keys:
            other = seen.setdefault((shard.proxy, key), shard.name)
            if other != shard.name:
                yield Finding(f"{shard.proxy}/{shard.name}", f"key {key} is in {other} as well")


def _check_totals(corpus: Corpus, shards: Iterable[_Shard]) -> Iterator[Finding]:
    if not corpus.header.complete:
        return
    receipts: dict[str, list[Any]] = {folder: [] for folder in corpus.folders}
    for shard in shards:
        if shard.receipt is not None:
            receipts[shard.proxy].append(shard.receipt)
    for proxy, found in receipts.items():
        held = {receipt["shard"]: receipt["samples"] for receipt in found}
        counts = tuple(held.get(shard) for shard in corpus.header.shards.get(proxy, ()))
        if corpus.header.samples and counts != corpus.header.samples.get(proxy):
            yield Finding("corpus.json", f"samples per shard of {proxy} are not those of receipts")
        totals, stated = add_up(found), corpus.header.totals.get(proxy)
        if totals != stated:
            yield Finding(
                "corpus.json", f"totals of {proxy} are {stated}; receipts add up to {totals}"
            )
