"""A corpus as a subset of it sees itself: the header that a copy of these keys would have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.layout import quarantine_path
from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.receipt import add_up
from sgt_data.corpus.selection import Selection
from sgt_data.corpus.shard import tar_size
from sgt_data.errors import CorpusError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import join
from sgt_data.subsets.population import Population, read_population
from sgt_data.subsets.subset_header import keys_digest, made_of, subset_header

Counts = Mapping[str, Mapping[str, Any]]
"""By shard: what a receipt counts."""

_THREADS = 16


@dataclass(frozen=True, slots=True)
class Terms:
    """How keys were chosen.

    Attributes:
        rule: what the choice follows from: part of the subset's identity.
        population: sizes of what was chosen from, so that one can choose again among the chosen.
    """

    rule: Mapping[str, Any]
    population: Mapping[str, Any]


def select_keys(corpus: Corpus, of: Population, chosen: NDArray[np.bool_], terms: Terms) -> Corpus:
    """The corpus with some keys of its population.

    Args:
        corpus: a complete one, or a subset.
        of: its population; the folders in it are accounted for.
        chosen: whether each key is taken.
    """
    selection = _selection(of, chosen, ())
    return _viewed(corpus, selection, terms, _counts(corpus, of, chosen, selection))


def select_shards(corpus: Corpus, of: Population, shards: Sequence[str], terms: Terms) -> Corpus:
    """The corpus with some of its shards, which are taken whole: with all they leave out, too."""
    taken = [number for number, shard in enumerate(of.shards) if shard in set(shards)]
    chosen = np.isin(of.shard, taken)
    selection = _selection(of, chosen, shards)
    return _viewed(corpus, selection, terms, _counts(corpus, of, chosen, selection))


def _counts(
    corpus: Corpus, of: Population, chosen: NDArray[np.bool_], selection: Selection
) -> dict[str, Counts]:
    """By folder and shard what receipts would count; of whole shards, what they do."""
    if not selection.whole:
        return {folder: _counted(corpus, of, chosen, folder, selection) for folder in of.held}
    with ThreadPoolExecutor(_THREADS) as threads:
        found: dict[str, Counts] = {}
        for folder in of.held:
            shards = [shard for shard in corpus.shards(folder) if shard in selection.spans]
            receipts = threads.map(partial(corpus.receipt, folder), shards)
            found[folder] = dict(zip(shards, receipts, strict=True))
    return found


def _counted(
    corpus: Corpus,
    of: Population,
    chosen: NDArray[np.bool_],
    folder: str,
    selection: Selection,
) -> dict[str, dict[str, Any]]:
    """What the receipts of one folder would count if it had only the selected keys.

    Raises:
        CorpusError: it neither has a key nor says why not.
    """
    held = of.held[folder]
    taken, missed = chosen & held.samples, chosen & ~held.samples

    def summed(values: NDArray[np.int64]) -> list[int]:
        weights = values[taken].astype(np.float64)  # exact below 2**53
        per_shard = np.bincount(of.shard[taken], weights, minlength=len(of.shards))
        return [int(one) for one in per_shard]

    samples, segments = summed(np.ones(len(taken), np.int64)), summed(held.segments)
    nbytes = summed(held.nbytes)
    mine = set(corpus.shards(folder))
    numbers = {shard: number for number, shard in enumerate(of.shards)}
    starts = np.searchsorted(of.shard, np.arange(len(of.shards) + 1))
    lacking: dict[str, set[str]] = {}
    counts: dict[str, dict[str, Any]] = {}
    for shard, (first, after) in selection.spans.items():
        if shard not in mine:
            continue
        number = numbers[shard]
        counts[shard] = {
            "source": of.sources[of.source[starts[number]]],
            "inputs": after - first,
            "samples": samples[number],
            "damaged": 0,
            "filtered": 0,
            "segments": segments[number],
            "tar": {"bytes": tar_size(nbytes[number])} if samples[number] else None,
        }
        if samples[number] < after - first:
            begin, end = starts[number], starts[number + 1]
            without = begin + np.flatnonzero(missed[begin:end])
            lacking[shard] = set(of.keys.take(without).to_pylist())
    with ThreadPoolExecutor(_THREADS) as threads:
        read = threads.map(
            lambda shard: ledger_rows(corpus.url, folder, shard, lacking[shard]), lacking
        )
        for shard, rows in zip(lacking, read, strict=True):
            for row in rows:
                counts[shard][row["kind"]] += 1
    return counts


def ledger_rows(url: str, folder: str, shard: str, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The quarantine rows of keys that a folder lacks, one each.

    Raises:
        CorpusError: one has none.
    """
    place = join(url, quarantine_path(folder, shard))
    found: dict[str, dict[str, Any]] = {}
    wanted = set(keys)
    try:
        for line in read_bytes(place).splitlines():
            row = orjson.loads(line)
            if row["key"] in wanted and row["kind"] in ("damaged", "filtered"):
                found.setdefault(row["key"], row)
    except (orjson.JSONDecodeError, KeyError, TypeError) as why:
        raise CorpusError(f"{place} is no quarantine ledger: {why!r}") from why
    if unexplained := sorted(wanted - found.keys()):
        raise CorpusError(
            f"{place} does not say why {folder} has no {unexplained[0]}, which other proxies have"
        )
    return list(found.values())


def _selection(of: Population, chosen: NDArray[np.bool_], whole: Sequence[str]) -> Selection:
    per_shard = np.bincount(of.shard[chosen], minlength=len(of.shards))
    ends = np.cumsum(per_shard)
    spans = {
        shard: (int(end - count), int(end))
        for shard, count, end in zip(of.shards, per_shard, ends, strict=True)
        if count
    }
    empty = {shard: (0, 0) for shard in whole if shard not in spans}
    held = {
        folder: pa.array(one.samples).filter(pa.array(chosen)) for folder, one in of.held.items()
    }
    keys = of.keys.filter(pa.array(chosen))
    return Selection(keys, {**spans, **empty}, held, bool(whole))


def _viewed(
    corpus: Corpus, selection: Selection, terms: Terms, counts: Mapping[str, Counts]
) -> Corpus:
    rule = {**terms.rule, "keys": keys_digest(selection.keys)}
    if "subset" in corpus.header.identity:
        rule["of"] = corpus.header.identity["subset"]
    parent = {**origin_of(corpus), "population": terms.population}
    return Corpus(corpus.url, _header(corpus.header, rule, parent, counts), selection)


def accounted_anew(corpus: Corpus, selection: Selection, subset: CorpusHeader) -> Corpus:
    """A subset whose header knows fewer proxies than the corpus has: they were added since."""
    population = read_population(corpus, corpus.folders, shards=list(selection.spans))
    chosen = pc.is_in(population.keys, value_set=selection.keys).to_numpy(zero_copy_only=False)
    counts = _counts(corpus, population, chosen, selection)
    rule, parent = subset.identity["subset"], subset.parent or {}
    return Corpus(corpus.url, _header(corpus.header, rule, parent, counts), selection)


def origin_of(corpus: Corpus) -> dict[str, Any]:
    """What a subset states of the corpus that it was taken from."""
    if corpus.selection is not None:
        parent = dict(corpus.header.parent or {})
        parent.pop("population", None)
        return parent
    return {
        "url": corpus.url,
        "name": corpus.header.name,
        "fingerprints": dict(corpus.header.fingerprints),
        "made": made_of(corpus.header.identity),
    }


def _header(
    header: CorpusHeader,
    rule: Mapping[str, Any],
    parent: Mapping[str, Any],
    counts: Mapping[str, Counts],
) -> CorpusHeader:
    source_totals = {
        folder: {
            source: add_up(dict(one) for one in by_shard.values() if one["source"] == source)
            for source in header.source_totals[folder]
        }
        for folder, by_shard in counts.items()
    }
    samples = {
        folder: {shard: int(one["samples"]) for shard, one in by_shard.items()}
        for folder, by_shard in counts.items()
    }
    return subset_header(header, rule, parent, samples, source_totals)
