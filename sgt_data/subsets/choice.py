"""Subsets of a corpus: which keys belong to a fraction of it.

One order ranks all keys (see `ranking`); a subset is its beginning, so of any two subsets by the
same rule one lies in the other. What is ranked and counted are, for each source, the keys of the
first proxy of the manifest that takes it: a proxy added later changes nothing. A key that this
proxy lacks (its ledger says why) and another one has belongs to a fraction `f` if its own hash is
below `f` of all, so that every proxy has its share, nested as well, and the whole is the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.layout import INPUT
from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.subsets.cluster_effect import ClusterEffect, cluster_effect
from sgt_data.subsets.population import Population, read_population, reference_proxy
from sgt_data.subsets.ranking import (
    count_of,
    keyed_hashes,
    ranked,
    threshold,
)
from sgt_data.subsets.strata import (
    Strata,
    StrataRule,
    check_rule,
    sized,
    stratify,
)
from sgt_data.subsets.view import Terms, select_keys, select_shards
from sgt_data.subsets.where import matching

SEEDS = 2**63


@dataclass(frozen=True, slots=True)
class Rule:
    """How keys are ranked.

    Attributes:
        seed: of the hash; by default that of the subset at hand, or else of the manifest.
        strata: what every subset has its exact share of.
        where: an expression that keys must fulfil (see `where`).
        described_by: the proxy whose segments and categories `where` and `strata` look at; by
            default, for each picture, the first that has it.
    """

    seed: int | None = None
    strata: StrataRule = "source"
    where: str | None = None
    described_by: str | None = None


@dataclass(frozen=True, slots=True)
class RankedKeys:
    """The keys of a corpus in the order in which subsets take them."""

    corpus: Corpus
    population: Population
    rule: dict[str, Any]
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
        """The subset of `count` keys.

        Raises:
            RequestError: there are not so many, or it is none.
        """
        if not 0 < count <= self.count:
            raise RequestError(f"samples: found {count}; allowed: 1 to {self.count}")
        chosen = np.zeros(len(self.population.keys), np.bool_)
        chosen[self.order[:count]] = True
        whole = count == self.total
        others = self.other_hashes < np.uint64(0 if whole else threshold(count, self.total))
        chosen[self.others[others | whole]] = True
        terms = Terms({**self.rule, "samples": count, "from": self.total}, _record_of(self.strata))
        return select_keys(self.corpus, self.population, chosen, terms)


@dataclass(frozen=True, slots=True)
class RankedShards:
    """The shards of a corpus in the order in which subsets take them."""

    corpus: Corpus
    population: Population
    rule: dict[str, Any]
    strata: Strata
    order: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many shards can be taken."""
        return len(self.order)

    def first(self, count: int) -> Corpus:
        """The subset of `count` shards.

        Raises:
            RequestError: there are not so many, or it is none.
        """
        if not 0 < count <= self.count:
            raise RequestError(f"shards: found {count}; allowed: 1 to {self.count}")
        terms = Terms(
            {**self.rule, "shards": count, "from": int(self.strata.sizes.sum())},
            _record_of(self.strata),
        )
        return select_shards(self.corpus, self.population, self.order[:count], terms)

    def clusters(self) -> tuple[ClusterEffect, ...]:
        """How alike the pictures of a shard are, in the first proxy that tells pictures apart."""
        of = self.population
        for proxy in self.corpus.proxies:
            held = of.held[proxy]
            at = held.samples
            found = [
                cluster_effect(f"{name} of {proxy}", values[at], of.shard[at], of.source[at])
                for name, values in (("segments", held.segments), ("bytes", held.target_bytes))
            ]
            if found[0] is not None:
                return tuple(one for one in found if one is not None)
        return ()


def fraction_of(corpus: Corpus, fraction: float, proxies: Sequence[str]) -> Corpus:
    """A fraction of a corpus as some of its proxies see it: with the keys that a subset of all of
    them has, and accounts of these alone. Fewer indexes are read.

    Raises:
        RequestError: the corpus is not complete or has no such proxy; the fraction is none.
    """
    keys = rank_keys(corpus, Rule(), proxies)
    return keys.first(taken(fraction, keys.count))


def taken(fraction: float, count: int) -> int:
    """How many a fraction is, at least one.

    Raises:
        RequestError: it rounds to none.
    """
    found = count_of(fraction, count)
    if not found:
        raise RequestError(f"fraction: {fraction!r} of {count} is none")
    return found


def rank_keys(corpus: Corpus, rule: Rule, proxies: Sequence[str] | None = None) -> RankedKeys:
    """Rank the keys of a complete corpus, or of a subset of one: there a fraction is one of the
    subset, and the order that of the corpus it was taken from, as far as the rule is the same.

    Args:
        proxies: whose keys; all by default.

    Raises:
        RequestError: the corpus is not complete or the rule does not fit it.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    check_rule(rule.strata)
    wanted = corpus.finished(proxies)
    if rule.described_by is not None:
        corpus.finished([rule.described_by])
    sources = [source["name"] for source in corpus.header.manifest["sources"]]
    first = [reference_proxy(corpus, source) for source in sources]
    folders = [
        folder
        for folder in corpus.folders
        if folder in wanted or folder in first or (folder == INPUT and proxies is None)
    ]
    describe = rule.strata != "source" or rule.where is not None
    population = read_population(corpus, folders, describe=describe, described_by=rule.described_by)
    seed = _seed(corpus, rule.seed)
    fitting = np.ones(len(population.keys), np.bool_)
    if rule.where is not None and population.description is not None:
        fitting = matching(rule.where, population.description)
    counted = np.flatnonzero(fitting & population.reference)
    others = np.flatnonzero(fitting & ~population.reference)
    if not len(counted):
        about = f" fits where {rule.where!r}" if rule.where else ""
        whose = rule.described_by or ", ".join(dict.fromkeys(one for one in first if one))
        raise RequestError(
            f"{corpus.url}: none of {int(population.reference.sum())} samples{about}"
            + (f"; segments and categories are those of {whose}" if rule.where else "")
        )
    terms: dict[str, Any] = {
        "seed": seed, "strata": rule.strata, "where": rule.where,
        "described_by": rule.described_by, "whole": False,
    }  # fmt: skip
    known = recorded(corpus, terms) or {}
    description = population.description
    strata = stratify(
        rule.strata, population.sources, population.source[counted],
        None if description is None else description.take(counted), known.get("categories"),
    )  # fmt: skip
    strata = _with_record(corpus, terms, strata)
    names = population.keys.take(pa.array(counted)).to_pylist()
    order = ranked(names, keyed_hashes(names, seed), strata.numbers, strata.sizes)
    other_names = population.keys.take(pa.array(others)).to_pylist()
    return RankedKeys(
        corpus, population, terms, strata, int(strata.sizes.sum()), counted[order],
        others, keyed_hashes(other_names, seed),
    )  # fmt: skip


def rank_shards(corpus: Corpus, seed: int | None = None) -> RankedShards:
    """Rank the shards of a complete corpus, or of a subset of whole shards; strata are sources.

    Raises:
        RequestError: the corpus is not complete, or a subset that has not all of its shards.
    """
    corpus.finished()
    if corpus.selection is not None and not corpus.selection.whole:
        raise RequestError("shards are taken whole; this subset has only some samples of them")
    population = read_population(corpus, corpus.folders)
    seed = _seed(corpus, seed)
    terms = {"seed": seed, "strata": "source", "whole": True}
    source_of = _sources_of_shards(corpus, population)
    names, sources = list(source_of), population.sources
    numbers = np.array([sources.index(source_of[name]) for name in names], np.int64)
    strata = _with_record(corpus, terms, stratify("source", sources, numbers, None))
    order = ranked(names, keyed_hashes(names, seed), strata.numbers, strata.sizes)
    return RankedShards(
        corpus, population, terms, strata, tuple(names[place] for place in order.tolist())
    )


def _sources_of_shards(corpus: Corpus, population: Population) -> dict[str, str]:
    """The source of every shard, those without samples too."""
    _, first = np.unique(population.shard, return_index=True)
    known = {
        shard: population.sources[number]
        for shard, number in zip(population.shards, population.source[first], strict=True)
    }
    found = {}
    for folder in corpus.folders:
        for shard in corpus.shards(folder):
            if shard not in found:
                found[shard] = known.get(shard) or corpus.receipt(folder, shard)["source"]
    return found


def _with_record(corpus: Corpus, terms: Mapping[str, Any], strata: Strata) -> Strata:
    """The strata with the sizes that they had in what this corpus is a subset of, if that was
    chosen by the same rule: so that the order is that one's."""
    population = recorded(corpus, terms)
    found = None if population is None else sized(strata, population["strata"])
    return found or strata


def recorded(corpus: Corpus, terms: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The population that a subset was chosen from by these very terms."""
    rule = corpus.header.identity.get("subset")
    if rule is None or corpus.header.parent is None:
        return None
    narrowed = terms.get("where") not in (None, rule.get("where"))
    differing = [
        name for name, value in terms.items() if name != "where" and rule.get(name) != value
    ]
    if narrowed or differing:
        return None
    population: Mapping[str, Any] = corpus.header.parent["population"]
    return population


def _record_of(strata: Strata) -> dict[str, Any]:
    sizes = dict(zip(strata.labels, strata.sizes.tolist(), strict=True))
    return {"strata": sizes, "categories": dict(strata.categories)}


def _seed(corpus: Corpus, seed: int | None) -> int:
    if seed is None:
        subset = corpus.header.identity.get("subset", {})
        found: int = subset.get("seed", corpus.header.manifest["seed"])
        return found
    if not 0 <= seed < SEEDS:
        raise RequestError(f"seed: found {seed}; allowed: 0 to 2**63 - 1")
    return seed
