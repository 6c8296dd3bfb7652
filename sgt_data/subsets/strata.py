"""Strata of keys: by source, or finer by segment count or by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.subsets.key_categories import KeyCategories
from sgt_data.suggestions import not_among

StrataRule = Literal["source", "segments", "category"]
"""`source`; source and magnitude of the segment count (0, 1, 2 to 3, 4 to 7, 8 to 15 ...); or
source and category, that being a picture's rarest one."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What strata look at beside the sources of keys, as far as it was read.

    Attributes:
        segments: `[keys] int32`, segments of each key; 0 where they are not known.
        categories: of each key.
    """

    segments: NDArray[np.int32] | None = None
    categories: KeyCategories | None = None

    def of(self, kept: NDArray[np.bool_]) -> KeyFacts:
        """Those of some of the keys."""
        return KeyFacts(
            None if self.segments is None else self.segments[kept],
            None if self.categories is None else self.categories.of(kept),
        )


NO_FACTS = KeyFacts()
"""Where sources alone are looked at."""


@dataclass(frozen=True, slots=True)
class Strata:
    """The stratum of each of some keys.

    Attributes:
        labels: names of the strata.
        sizes: `[strata] int64`, keys in each stratum.
        numbers: `[keys] int32`, number of each key's stratum.
        categories: how many keys have each category, where strata go by category.
    """

    labels: tuple[str, ...]
    sizes: NDArray[np.int64]
    numbers: NDArray[np.int32]
    categories: Mapping[str, int]


def check_strata(strata: str) -> None:
    """Check the name of a way to make strata.

    Raises:
        RequestError: there is none of this name.
    """
    if strata not in get_args(StrataRule):
        raise RequestError(f"strata: {not_among(strata, get_args(StrataRule))}")


def stratify(
    rule: StrataRule,
    sources: Sequence[str],
    source: NDArray[np.integer[Any]],
    facts: KeyFacts = NO_FACTS,
    categories: Mapping[str, int] | None = None,
) -> Strata:
    """Sort keys into strata.

    Args:
        rule: how.
        sources: names of the sources.
        source: `[keys]`, number of each key's source.
        facts: of the keys, as far as the rule looks at more than the source.
        categories: how many keys have each category, where that is to be judged by more keys than
            these.
    """
    counts: dict[str, int] = {}
    names = [""]
    finer = np.zeros(1, np.int32)
    if rule == "segments":
        assert facts.segments is not None
        finer = _binary_digits(facts.segments)
        names = [_magnitude(digits) for digits in range(int(finer.max(initial=0)) + 1)]
    if rule == "category":
        assert facts.categories is not None
        counts = dict(categories or facts.categories.keys_with_each())
        rarest_first = sorted(counts, key=lambda name: (counts[name], name))
        names = ["none", *rarest_first]
        finer = _rarest(facts.categories, rarest_first)
    labels = [
        f"{source_name}/{name}" if name else source_name
        for source_name in sources
        for name in names
    ]  # the order does not matter: see `ranking`
    every = source.astype(np.int32) * np.int32(len(names)) + finer
    sizes = np.bincount(every, minlength=len(labels))
    used = np.flatnonzero(sizes)
    numbers = np.zeros(len(labels), np.int32)
    numbers[used] = np.arange(len(used))
    return Strata(
        tuple(labels[number] for number in used.tolist()),
        sizes[used].astype(np.int64),
        numbers[every],
        counts,
    )


def with_sizes(strata: Strata, sizes: Mapping[str, int]) -> Strata | None:
    """Strata of the first keys of an order, with the sizes that they had in that order.

    Args:
        strata: of the first keys.
        sizes: keys of the whole order, by label.

    Returns:
        None where the sizes do not fit.
    """
    labels = tuple(sizes)
    if not set(strata.labels) <= sizes.keys():
        return None
    whole_sizes = np.array([sizes[label] for label in labels], np.int64)
    place_of = {label: number for number, label in enumerate(labels)}
    numbers = np.array([place_of[label] for label in strata.labels], np.int32)
    if len(labels) and (whole_sizes[numbers] < strata.sizes).any():
        return None
    return Strata(labels, whole_sizes, numbers[strata.numbers], strata.categories)


def _magnitude(digits: int) -> str:
    low, high = (1 << digits) >> 1, (1 << digits) - 1
    return str(low) if low >= high else f"{low} to {high}"


def _binary_digits(segments: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many binary digits each count has."""
    _, digits = np.frexp(segments.astype(np.float64))
    return digits.astype(np.int32)


def _rarest(categories: KeyCategories, rarest_first: Sequence[str]) -> NDArray[np.int32]:
    """The number, from 1 on, of the rarest category of each key; 0 where it has none."""
    none = len(rarest_first) + 1
    rank_of = {name: rank for rank, name in enumerate(rarest_first, 1)}
    rank = np.array([rank_of.get(name, none) for name in categories.names], np.int32)
    lowest = categories.lowest(rank, none)
    return np.where(lowest == none, 0, lowest).astype(np.int32)
