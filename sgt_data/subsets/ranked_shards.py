"""The shards of a corpus in the order in which subsets of whole shards take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.progress import OnProgress, ignore
from sgt_data.subsets.choice_record import (
    ChoiceRecord,
    original_sizes,
    record_of,
    seed_of,
)
from sgt_data.subsets.population import Population, read_population
from sgt_data.subsets.ranking import keyed_hashes, ranked
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.selected_corpus import select_shards
from sgt_data.subsets.shard_likeness import ShardLikeness, shard_likeness
from sgt_data.subsets.strata import Strata, stratify
from sgt_data.subsets.wanted import Wanted


@dataclass(frozen=True, slots=True)
class RankedShards:
    """The shards of a corpus in the order in which subsets take them.

    Attributes:
        corpus: whose shards.
        population: all of its keys.
        terms: the rule, as subsets record it.
        strata: of the shards: their sources.
        order: names of the shards.
    """

    corpus: Corpus
    population: Population
    terms: dict[str, Any]
    strata: Strata
    order: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many shards can be taken."""
        return len(self.order)

    def first(self, count: int) -> Corpus:
        """The subset of the first `count` shards.

        Raises:
            RequestError: there are not so many, or `count` is none.
        """
        if not 0 < count <= self.count:
            raise RequestError(f"shards: found {count}; allowed: 1 to {self.count}")
        rule = {**self.terms, "shards": count, "from": int(self.strata.sizes.sum())}
        record = ChoiceRecord(rule, record_of(self.strata))
        return select_shards(self.corpus, self.population, self.order[:count], record)

    def likeness(self) -> tuple[ShardLikeness, ...]:
        """How alike the pictures of a shard are, in the first proxy that tells pictures apart."""
        population = self.population
        for proxy in self.corpus.proxies:
            held = population.held[proxy]
            samples = held.samples
            counts = population.per_shard(samples)
            segments, nbytes = (
                shard_likeness(f"{name} of {proxy}", values[samples], counts, population.source)
                for name, values in (("segments", held.segments), ("bytes", held.target_bytes))
            )
            if segments is not None:
                return (segments,) if nbytes is None else (segments, nbytes)
        return ()


def rank_shards(
    corpus: Corpus, rule: SubsetRule, *, on_progress: OnProgress = ignore
) -> RankedShards:
    """Rank the shards of a complete corpus, or of a subset of whole shards; strata are sources.

    Args:
        corpus: whose shards.
        rule: only its seed is looked at.
        on_progress: called while indexes are read; the unit is the key.

    Raises:
        RequestError: the corpus is not complete, or a subset that has not all of its shards.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    corpus.finished()
    if corpus.selection is not None and not corpus.selection.whole:
        raise RequestError("shards are taken whole; this subset has only some samples of them")
    wanted = Wanted(target_bytes=True)
    population = read_population(corpus, corpus.folders, wanted, on_progress=on_progress)
    seed = seed_of(corpus, rule)
    terms = {"seed": seed, "strata": "source", "whole": True}
    source_of = _sources_of_shards(corpus, population)
    names, sources = list(source_of), population.sources
    numbers = np.array([sources.index(source_of[name]) for name in names], np.int64)
    strata = original_sizes(corpus, terms, stratify("source", sources, numbers))
    order = ranked(names, keyed_hashes(names, seed), strata.numbers, strata.sizes)
    return RankedShards(
        corpus, population, terms, strata, tuple(names[place] for place in order.tolist())
    )


def _sources_of_shards(corpus: Corpus, population: Population) -> dict[str, str]:
    """The source of every shard, also of those without samples."""
    known = {
        shard: population.sources[number]
        for shard, number in zip(population.shards, population.source.tolist(), strict=True)
    }
    sources: dict[str, str] = {}
    for folder in corpus.folders:
        for shard in corpus.shards(folder):
            if shard not in sources:
                sources[shard] = known.get(shard) or corpus.receipt(folder, shard)["source"]
    return sources
