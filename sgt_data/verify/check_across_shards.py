"""Check the shards of a corpus against one another, and against the totals of its header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE, INPUT
from sgt_data.corpus.receipt import Receipt, add_up
from sgt_data.value_text import counted
from sgt_data.verify.check_shard import CheckedShard
from sgt_data.verify.findings import Finding


def check_across_shards(corpus: Corpus, shards: Sequence[CheckedShard]) -> Iterator[Finding]:
    """All that is wrong between shards: alignment, shared inputs, repeated keys, totals."""
    yield from _check_alignment(shards)
    yield from _check_shared_inputs(corpus, shards)
    yield from _check_repeated_keys(shards)
    yield from _check_totals(corpus, shards)


def _check_alignment(shards: Sequence[CheckedShard]) -> Iterator[Finding]:
    """A shard accounts for the same inputs in every folder."""
    first: dict[str, CheckedShard] = {}
    for shard in shards:
        if shard.receipt is None:
            continue
        other = first.setdefault(shard.name, shard)
        inputs = sorted((*shard.keys, *shard.left_out))
        other_inputs = sorted((*other.keys, *other.left_out))
        if inputs != other_inputs:
            differing = sorted(set(inputs) ^ set(other_inputs))
            yield Finding(
                f"{shard.folder}/{shard.name}",
                f"accounts for other inputs than {other.folder} does, such as {differing[:1]}",
            )


def _check_shared_inputs(corpus: Corpus, shards: Sequence[CheckedShard]) -> Iterator[Finding]:
    """Every sample without an input in its own tar has one among the shared inputs."""
    if INPUT not in corpus.folders:
        return
    shared = {shard.name: set(shard.keys) for shard in shards if shard.folder == INPUT}
    for shard in shards:
        lacking = [key for key in shard.borrowing if key not in shared.get(shard.name, ())]
        if lacking:
            yield Finding(
                f"{shard.folder}/{shard.name}",
                f"no input for {counted(len(lacking), 'sample')}, such as {lacking[0]}",
            )


def _check_repeated_keys(shards: Sequence[CheckedShard]) -> Iterator[Finding]:
    """No key is in two shards of one folder."""
    shard_of: dict[tuple[str, str], str] = {}
    for shard in shards:
        for key in shard.keys:
            other = shard_of.setdefault((shard.folder, key), shard.name)
            if other != shard.name:
                yield Finding(f"{shard.folder}/{shard.name}", f"key {key} is in {other} as well")


def _check_totals(corpus: Corpus, shards: Sequence[CheckedShard]) -> Iterator[Finding]:
    """Counts and totals of the header are those of the receipts."""
    if not corpus.header.complete:
        return
    receipts_of: dict[str, list[Receipt]] = {folder: [] for folder in corpus.folders}
    for shard in shards:
        if shard.receipt is not None:
            receipts_of[shard.folder].append(shard.receipt)
    for folder, receipts in receipts_of.items():
        samples = {receipt["shard"]: receipt["samples"] for receipt in receipts}
        counts = tuple(samples.get(shard) for shard in corpus.header.shards.get(folder, ()))
        if corpus.header.samples and counts != corpus.header.samples.get(folder):
            yield Finding(CORPUS_FILE, f"samples per shard of {folder} are not those of receipts")
        totals, stated = add_up(receipts), corpus.header.totals.get(folder)
        if totals != stated:
            yield Finding(
                CORPUS_FILE, f"totals of {folder} are {stated}; receipts add up to {totals}"
            )
