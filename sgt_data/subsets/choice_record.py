"""What a subset records of how it was chosen, so that its own subsets have the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.strata import Strata, with_sizes


@dataclass(frozen=True, slots=True)
class ChoiceRecord:
    """How keys were chosen, as a subset records it.

    Attributes:
        rule: what the choice follows from: part of the subset's identity.
        population: sizes of what was chosen from.
    """

    rule: Mapping[str, Any]
    population: Mapping[str, Any]


def record_of(strata: Strata) -> dict[str, Any]:
    """Sizes of what is chosen from, as a subset records them."""
    sizes = dict(zip(strata.labels, strata.sizes.tolist(), strict=True))
    return {"strata": sizes, "categories": dict(strata.categories)}


def recorded_population(corpus: Corpus, terms: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Sizes of what a subset was chosen from, if it was chosen by these terms.

    Args:
        corpus: a corpus or a subset.
        terms: of a rule, as subsets record them.
    """
    rule = corpus.header.identity.get("subset")
    if rule is None or corpus.header.parent is None:
        return None
    narrows = terms.get("where") not in (None, rule.get("where"))
    differs = any(rule.get(name) != value for name, value in terms.items() if name != "where")
    if narrows or differs:
        return None
    population: Mapping[str, Any] = corpus.header.parent["population"]
    return population


def original_sizes(corpus: Corpus, terms: Mapping[str, Any], strata: Strata) -> Strata:
    """The strata of a subset, with the sizes that they had in what it was chosen from.

    Then its keys have their original order. Where it was chosen by other terms, the strata are
    returned unchanged.
    """
    population = recorded_population(corpus, terms)
    resized = None if population is None else with_sizes(strata, population["strata"])
    return resized or strata


def seed_of(corpus: Corpus, rule: SubsetRule) -> int:
    """The seed of the ranking: the rule's, or that of the subset at hand, or the manifest's."""
    if rule.seed is not None:
        return rule.seed
    recorded = corpus.header.identity.get("subset", {})
    seed: int = recorded.get("seed", corpus.header.manifest["seed"])
    return seed
