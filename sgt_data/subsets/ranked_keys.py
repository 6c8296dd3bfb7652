"""The keys of a corpus in the order in which subsets take them.

One order ranks all keys (see `ranking`); a subset is its beginning, so of any two subsets by the
same rule one lies in the other. What is ranked and counted are, for each source, the keys of the
first proxy of the manifest that takes it: a proxy added later changes nothing. A key that this
proxy lacks (its ledger says why) and another proxy has belongs to a fraction `f` if its own hash is
below `f` of all, so that every proxy has its share, nested as well, and the whole is the corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.errors import RequestError
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.subsets.choice_record import (
    ChoiceRecord,
    original_sizes,
    record_of,
    recorded_population,
    seed_of,
)
from sgt_data.subsets.population import Population, read_population
from sgt_data.subsets.ranking import count_of, ranked, threshold
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.selected_corpus import select_keys
from sgt_data.subsets.shard_keys import reference_proxy
from sgt_data.subsets.strata import Strata, stratify
from sgt_data.subsets.wanted import Wanted
from sgt_data.value_text import counted


@dataclass(frozen=True, slots=True)
class RankedKeys:
    """The keys of a corpus in the order in which subsets take them.

    Attributes:
        corpus: whose keys.
        population: all of its keys.
        terms: the rule, as subsets record it.
        strata: of the keys that are ranked.
        total: keys in the order of the corpus itself; more than `count` where this is a subset.
        order: `[count] int64`, numbers in the population of the keys that are ranked.
        others: `[n] int64`, numbers in the population of keys that only later proxies have.
        other_hashes: `[n] uint64`, hashes of those.
    """

    corpus: Corpus
    population: Population
    terms: dict[str, Any]
    strata: Strata
    total: int
    order: NDArray[np.int64]
    others: NDArray[np.int64]
    other_hashes: NDArray[np.uint64]

    @property
    def count(self) -> int:
        """How many keys can be taken, not counting those that only later proxies have."""
        return len(self.order)

    def first(self, count: int) -> Corpus:
        """The subset of the first `count` keys.

        Raises:
            RequestError: there are not so many, or `count` is none.
        """
        if not 0 < count <= self.count:
            raise RequestError(f"samples: found {count}; allowed: 1 to {self.count}")
        chosen = np.zeros(len(self.population.keys), np.bool_)
        chosen[self.order[:count]] = True
        is_whole = count == self.total
        is_taken = self.other_hashes < np.uint64(0 if is_whole else threshold(count, self.total))
        chosen[self.others[is_taken | is_whole]] = True
        rule = {**self.terms, "samples": count, "from": self.total}
        record = ChoiceRecord(rule, record_of(self.strata))
        return select_keys(self.corpus, self.population, chosen, record)


def fraction_of(corpus: Corpus, fraction: float, proxies: Sequence[str]) -> Corpus:
    """A fraction of a corpus, for some of its proxies.

    It has the keys that a subset of all proxies has, and accounts of the named proxies alone: fewer
    indexes are read.

    Args:
        corpus: a complete corpus, or a subset of it.
        fraction: above 0, at most 1.
        proxies: names of the proxies.

    Raises:
        RequestError: the corpus is not complete or has no such proxy; the fraction is none.
    """
    keys = rank_keys(corpus, SubsetRule(), proxies)
    return keys.first(count_taken(fraction, keys.count))


def count_taken(fraction: float, count: int, unit: str = "sample") -> int:
    """How many keys or shards a fraction of them is, at least one.

    Args:
        fraction: above 0, at most 1.
        count: of how many.
        unit: what they are, in the singular: `sample` or `shard`.

    Raises:
        RequestError: the fraction is not above 0 and at most 1, or rounds to none.
    """
    taken = count_of(fraction, count)
    if not taken:
        instead = "single samples" if unit == "shard" else "a number of samples"
        raise RequestError(
            f"fraction: found {fraction!r}; of {counted(count, unit)} it is none; give a larger "
            f"fraction, or take {instead}"
        )
    return taken


def rank_keys(
    corpus: Corpus,
    rule: SubsetRule,
    proxies: Sequence[str] | None = None,
    *,
    on_progress: OnProgress = ignore,
) -> RankedKeys:
    """Rank the keys of a complete corpus, or of a subset of it.

    A fraction of a subset counts the subset's keys; their order is that of the corpus it was taken
    from, as far as the rule is the same.

    Args:
        corpus: whose keys.
        rule: how; `whole_shards` is not looked at.
        proxies: names of the proxies whose keys are meant; all by default.
        on_progress: called while indexes are read; the unit is the key.

    Raises:
        RequestError: the corpus is not complete or the rule does not fit it.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    asked = corpus.finished(proxies)
    if rule.described_by is not None:
        corpus.finished([rule.described_by])
    references = _reference_proxies(corpus)
    folders = [
        folder
        for folder in corpus.folders
        if folder in asked or folder in references or (folder == INPUT and proxies is None)
    ]
    seed = seed_of(corpus, rule)
    wanted = Wanted(seed, rule.where, rule.strata, rule.described_by)
    population = read_population(corpus, folders, wanted, on_progress=on_progress)
    on_progress(Progress(0, phase="ranking keys"))
    is_counted = population.fitting & population.reference
    if not is_counted.any():
        raise _none_fits(corpus, rule, int(population.reference.sum()))
    terms: dict[str, Any] = {
        "seed": seed, "strata": rule.strata, "where": rule.where,
        "described_by": rule.described_by, "whole": False,
    }  # fmt: skip
    recorded = recorded_population(corpus, terms) or {}
    strata = stratify(
        rule.strata, population.sources, population.per_key(population.source)[is_counted],
        population.facts.of(is_counted), recorded.get("categories"),
    )  # fmt: skip
    strata = original_sizes(corpus, terms, strata)
    order = _order(population, is_counted, strata)
    others = np.flatnonzero(population.fitting & ~population.reference)
    return RankedKeys(
        corpus, population, terms, strata, int(strata.sizes.sum()), order,
        others, population.hashes[others],
    )  # fmt: skip


def _order(
    population: Population, is_counted: NDArray[np.bool_], strata: Strata
) -> NDArray[np.int64]:
    """Numbers in the population of the keys that count, in the order in which they are taken."""
    if is_counted.all():
        return ranked(population.keys, population.hashes, strata.numbers, strata.sizes)
    places = np.flatnonzero(is_counted)
    names = _SomeKeys(population.keys, places)
    return places[ranked(names, population.hashes[places], strata.numbers, strata.sizes)]


class _SomeKeys:
    """Some keys of a population by their number among them."""

    def __init__(self, keys: pa.ChunkedArray, places: NDArray[np.int64]) -> None:
        self._keys, self._places = keys, places

    def __getitem__(self, number: int, /) -> object:
        return self._keys[int(self._places[number])]


def counted_keys(corpus: Corpus) -> int:
    """How many keys a corpus has, as the first proxy that takes a source has them."""
    totals = corpus.header.source_totals
    sources = [source["name"] for source in corpus.header.manifest["sources"]]
    return sum(
        totals.get(proxy or "", {}).get(source, {}).get("samples", 0)
        for source, proxy in zip(sources, _reference_proxies(corpus), strict=True)
    )


def _reference_proxies(corpus: Corpus) -> list[str | None]:
    """For each source: the proxy whose keys are counted."""
    return [reference_proxy(corpus, source["name"]) for source in corpus.header.manifest["sources"]]


def _none_fits(corpus: Corpus, rule: SubsetRule, samples: int) -> RequestError:
    if not rule.where:
        return RequestError(f"{corpus.url}: none of {counted(samples, 'sample')}")
    references = dict.fromkeys(proxy for proxy in _reference_proxies(corpus) if proxy)
    described_by = rule.described_by or ", ".join(references)
    return RequestError(
        f"{corpus.url}: none of {counted(samples, 'sample')} fits where {rule.where!r}; segments "
        f"and categories are those of {described_by}"
    )
