"""What the receipts of a subset would count, folder by folder and shard by shard."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.key_selection import Selection
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import quarantine_path
from sgt_data.corpus.reasons import lost_inputs, rows_in_ledger
from sgt_data.corpus.shard import notes_count, tar_size
from sgt_data.errors import CorpusError
from sgt_data.files.urls import below
from sgt_data.subsets.population import Population

Counts = Mapping[str, Mapping[str, Any]]
"""By shard: what a receipt counts."""

_THREADS = 16


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
    with ThreadPoolExecutor(_THREADS) as threads:
        for folder in population.held:
            shards = [shard for shard in corpus.shards(folder) if shard in selection.spans]
            receipts = threads.map(partial(corpus.receipt, folder), shards)
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

    def per_shard(values: NDArray[np.int64]) -> list[int]:
        weights = values[taken].astype(np.float64)  # exact below 2**53
        sums = np.bincount(population.shard[taken], weights, minlength=len(population.shards))
        return [int(total) for total in sums]

    samples, segments = per_shard(np.ones(len(taken), np.int64)), per_shard(held.segments)
    nbytes = per_shard(held.nbytes)
    in_folder = set(corpus.shards(folder))
    numbers = {shard: number for number, shard in enumerate(population.shards)}
    starts = np.searchsorted(population.shard, np.arange(len(population.shards) + 1))
    lacking: dict[str, set[str]] = {}
    counts: dict[str, dict[str, Any]] = {}
    for shard, (first, after) in selection.spans.items():
        if shard not in in_folder:
            continue
        number = numbers[shard]
        counts[shard] = {
            "source": population.sources[population.source[starts[number]]],
            "inputs": after - first,
            "samples": samples[number],
            "damaged": 0,
            "filtered": 0,
            "segments": segments[number],
            "tar": {"bytes": tar_size(nbytes[number])} if samples[number] else None,
        }
        if samples[number] < after - first:
            begin, end = starts[number], starts[number + 1]
            places = begin + np.flatnonzero(missed[begin:end])
            lacking[shard] = set(population.keys.take(places).to_pylist())
    with ThreadPoolExecutor(_THREADS) as threads:
        ledgers = threads.map(
            lambda shard: ledger_rows(corpus.url, folder, shard, lacking[shard]), lacking
        )
        for shard, rows in zip(lacking, ledgers, strict=True):
            for row in rows:
                counts[shard][row["kind"]] += 1
        if "notes" in corpus.header.totals.get(folder, ()):
            taken_keys = set(population.keys.filter(pa.array(taken)).to_pylist())
            ledgers = threads.map(partial(rows_in_ledger, corpus.url, folder), counts)
            for shard, rows in zip(counts, ledgers, strict=True):
                counts[shard] |= notes_count(len(note_rows(rows, taken_keys)))
    return counts
