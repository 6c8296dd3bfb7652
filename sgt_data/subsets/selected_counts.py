"""What the receipts of a subset would count, folder by folder and shard by shard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.key_selection import Selection
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import quarantine_path
from sgt_data.corpus.reasons import lost_inputs, rows_in_ledger
from sgt_data.corpus.shard import BLOCK, notes_count, tar_size
from sgt_data.errors import CorpusError
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.urls import below
from sgt_data.subsets.population import Population

Counts = Mapping[str, Mapping[str, Any]]
"""By shard: what a receipt counts."""


def selected_counts(
    corpus: Corpus, population: Population, chosen: NDArray[np.bool_], selection: Selection
) -> dict[str, Counts]:
    """By folder and shard: what receipts would count, or of whole shards what they do count.

    Args:
        corpus: a complete corpus, or a subset of it.
        population: its keys; the folders in it are accounted for.
        chosen: `[keys] bool`, whether each key is taken.
        selection: the chosen keys, shard by shard.

    Raises:
        CorpusError: a folder neither has a sample of a key nor says why not.
        SourceError: a receipt or a ledger cannot be read just now.
    """
    if not selection.whole:
        return {
            folder: _folder_counts(corpus, population, chosen, folder, selection)
            for folder in population.held
        }
    counts: dict[str, Counts] = {}
    for folder in population.held:
        shards = [shard for shard in corpus.shards(folder) if shard in selection.spans]
        read = partial(corpus.receipt, folder)
        with closing(read_ahead(read, shards, threads_for(corpus.url))) as receipts:
            counts[folder] = dict(zip(shards, receipts, strict=True))
    return counts


def ledger_rows(url: str, folder: str, shard: str, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The quarantine rows of keys of which a folder has no sample, one each.

    Args:
        url: of the corpus.
        folder: a proxy, or the shared inputs.
        shard: that holds the keys in other folders.
        keys: to look up.

    Raises:
        CorpusError: a key has no row.
        SourceError: the ledger cannot be read just now.
    """
    place = below(url, quarantine_path(folder, shard))
    rows: dict[str, dict[str, Any]] = {}
    asked = set(keys)
    for row in lost_inputs(url, folder, shard):
        if row["key"] in asked:
            rows.setdefault(row["key"], row)
    if unexplained := sorted(asked - rows.keys()):
        raise CorpusError(
            f"{place} does not say why {folder} has no {unexplained[0]}, which other proxies have"
        )
    return list(rows.values())


def note_rows(rows: Iterable[dict[str, Any]], keys: Collection[str]) -> list[dict[str, Any]]:
    """The notes on samples of these keys, among the rows of a ledger."""
    return [row for row in rows if row["kind"] == "note" and row["key"] in keys]


def _folder_counts(
    corpus: Corpus,
    population: Population,
    chosen: NDArray[np.bool_],
    folder: str,
    selection: Selection,
) -> dict[str, dict[str, Any]]:
    """By shard: what the receipts of one folder would count if it had only the selected keys."""
    held = population.held[folder]
    taken, missed = chosen & held.samples, chosen & ~held.samples
    samples, segments, blocks = (
        population.per_shard(values).tolist()
        for values in (taken, held.segments * taken, held.blocks * taken)
    )
    in_folder = set(corpus.shards(folder))
    numbers = {shard: number for number, shard in enumerate(population.shards)}
    counts: dict[str, dict[str, Any]] = {}
    lacking: dict[str, int] = {}
    for shard, (first, after) in selection.spans.items():
        if shard not in in_folder:
            continue
        number = numbers[shard]
        counts[shard] = {
            "source": population.sources[population.source[number]],
            "inputs": after - first,
            "samples": samples[number],
            "damaged": 0,
            "filtered": 0,
            "segments": segments[number],
            "tar": {"bytes": tar_size(blocks[number] * BLOCK)} if samples[number] else None,
        }
        if samples[number] < after - first:
            lacking[shard] = number

    def keys_in(shard: str, mask: NDArray[np.bool_]) -> set[str]:
        number = numbers[shard]
        begin, end = population.starts[number : number + 2].tolist()
        keys = population.keys_of(number).filter(pa.array(mask[begin:end]))
        return set(keys.to_pylist())

    def missing(shard: str) -> list[dict[str, Any]]:
        return ledger_rows(corpus.url, folder, shard, keys_in(shard, missed))

    def notes(shard: str) -> int:
        return len(note_rows(rows_in_ledger(corpus.url, folder, shard), keys_in(shard, taken)))

    threads = threads_for(corpus.url)
    with closing(read_ahead(missing, lacking, threads)) as ledgers:
        for shard, rows in zip(lacking, ledgers, strict=True):
            for row in rows:
                counts[shard][row["kind"]] += 1
    if "notes" in corpus.header.totals.get(folder, ()):
        with closing(read_ahead(notes, counts, threads)) as noted:
            for shard, count in zip(counts, noted, strict=True):
                counts[shard] |= notes_count(count)
    return counts
