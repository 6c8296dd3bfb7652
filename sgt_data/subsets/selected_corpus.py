"""A corpus as a subset of it is seen: some of its keys, with the header that a copy would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.key_selection import Selection
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.receipt import add_up
from sgt_data.errors import RequestError
from sgt_data.subsets.choice_record import ChoiceRecord
from sgt_data.subsets.population import Population, read_population
from sgt_data.subsets.selected_counts import Counts, selected_counts
from sgt_data.subsets.subset_headers import keys_digest, short_identity, subset_header


def select_keys(
    corpus: Corpus, population: Population, chosen: NDArray[np.bool_], record: ChoiceRecord
) -> Corpus:
    """The corpus with some of its keys.

    Args:
        corpus: a complete corpus, or a subset of it.
        population: its keys; the folders in it are accounted for.
        chosen: `[keys] bool`, whether each key is taken.
        record: how they were chosen.

    Raises:
        RequestError: the keys are too long for one subset.
        CorpusError: a folder neither has a sample of a key nor says why not.
        SourceError: a ledger cannot be read just now.
    """
    selection = _selection(population, chosen, ())
    counts = selected_counts(corpus, population, chosen, selection)
    return _selected(corpus, selection, record, counts)


def select_shards(
    corpus: Corpus, population: Population, shards: Sequence[str], record: ChoiceRecord
) -> Corpus:
    """The corpus with some of its shards, which are taken whole: with all they leave out, too.

    Args:
        corpus: a complete corpus, or a subset of its whole shards.
        population: its keys; the folders in it are accounted for.
        shards: names of the shards to take.
        record: how they were chosen.

    Raises:
        RequestError: the keys are too long for one subset.
        SourceError: a receipt cannot be read just now.
    """
    names = set(shards)
    chosen = population.per_key(np.array([shard in names for shard in population.shards], bool))
    selection = _selection(population, chosen, shards)
    counts = selected_counts(corpus, population, chosen, selection)
    return _selected(corpus, selection, record, counts)


def select_again(corpus: Corpus, selection: Selection, subset: CorpusHeader) -> Corpus:
    """A subset that was recorded before proxies were added to its corpus, with those proxies.

    Args:
        corpus: the whole corpus.
        selection: keys of the subset.
        subset: header of the subset, which knows fewer proxies than the corpus has.

    Raises:
        CorpusError, SourceError: an index or a ledger is damaged or cannot be read.
    """
    population = read_population(corpus, corpus.folders, shards=list(selection.spans))
    chosen = np.asarray(pc.is_in(population.keys, value_set=selection.keys), np.bool_)
    counts = selected_counts(corpus, population, chosen, selection)
    rule, parent = subset.identity["subset"], subset.parent or {}
    return Corpus(corpus.url, _header(corpus.header, rule, parent, counts), selection)


def _selection(
    population: Population, chosen: NDArray[np.bool_], whole_shards: Sequence[str]
) -> Selection:
    per_shard = population.per_shard(chosen)
    ends = np.cumsum(per_shard)
    spans = {
        shard: (end - count, end)
        for shard, count, end in zip(
            population.shards, per_shard.tolist(), ends.tolist(), strict=True
        )
        if count
    }
    empty = {shard: (0, 0) for shard in whole_shards if shard not in spans}
    held = {folder: pa.array(held.samples[chosen]) for folder, held in population.held.items()}
    keys = _one_array(population.keys.filter(pa.array(chosen)))
    return Selection(keys, {**spans, **empty}, held, bool(whole_shards))


def _one_array(keys: pa.ChunkedArray) -> pa.StringArray:
    """Keys in one array, as a subset file holds them.

    Raises:
        RequestError: they are too long for one.
    """
    try:
        return keys.combine_chunks()
    except pa.ArrowInvalid:
        raise RequestError(
            f"the {len(keys):,} keys of the subset have {keys.nbytes >> 20:,} MiB of letters; a "
            "subset can have 2,048 MiB: take a smaller fraction"
        ) from None


def _selected(
    corpus: Corpus, selection: Selection, record: ChoiceRecord, counts: Mapping[str, Counts]
) -> Corpus:
    rule = {**record.rule, "keys": keys_digest(selection.keys)}
    if "subset" in corpus.header.identity:
        rule["of"] = corpus.header.identity["subset"]
    parent = {**_parent_of(corpus), "population": record.population}
    return Corpus(corpus.url, _header(corpus.header, rule, parent, counts), selection)


def _parent_of(corpus: Corpus) -> dict[str, Any]:
    """What a subset states of the corpus that it was taken from."""
    if corpus.selection is not None:
        parent = dict(corpus.header.parent or {})
        parent.pop("population", None)
        return parent
    return {
        "url": corpus.url,
        "name": corpus.header.name,
        "fingerprints": dict(corpus.header.fingerprints),
        "made": short_identity(corpus.header.identity),
    }


def _header(
    header: CorpusHeader,
    rule: Mapping[str, Any],
    parent: Mapping[str, Any],
    counts: Mapping[str, Counts],
) -> CorpusHeader:
    source_totals = {
        folder: {
            source: add_up(dict(shard) for shard in by_shard.values() if shard["source"] == source)
            for source in header.source_totals[folder]
        }
        for folder, by_shard in counts.items()
    }
    samples = {
        folder: {name: int(shard["samples"]) for name, shard in by_shard.items()}
        for folder, by_shard in counts.items()
    }
    return subset_header(header, rule, parent, samples, source_totals)
