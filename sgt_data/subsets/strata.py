"""Strata of keys: by source, or finer by segment count or by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.suggestions import not_among

StrataRule = Literal["source", "segments", "category"]
"""`source`; source and magnitude of the segment count (0, 1, 2 to 3, 4 to 7, 8 to 15 ...); or
source and category, that being a picture's rarest one."""


@dataclass(frozen=True, slots=True)
class Strata:
    """The stratum of each of some keys.

    Attributes:
        labels: names of the strata.
        sizes: `[strata] int64`, keys in each stratum.
        numbers: `[keys] int64`, number of each key's stratum.
        categories: how many keys have each category, where strata go by category.
    """

    labels: tuple[str, ...]
    sizes: NDArray[np.int64]
    numbers: NDArray[np.int64]
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
    source: NDArray[np.int64],
    description: pa.Table | None,
    categories: Mapping[str, int] | None = None,
) -> Strata:
    """Sort keys into strata.

    Args:
        rule: how.
        sources: names of the sources.
        source: `[keys]`, number of each key's source.
        description: a row per key, for rules that look at more than the source.
        categories: how many keys have each category, where that is to be judged by more keys than
            these.
    """
    counts: dict[str, int] = {}
    names = [""]
    finer = np.zeros(len(source), np.int64)
    if rule != "source":
        assert description is not None
    if rule == "segments" and description is not None:
        segments = description["segments"].fill_null(0).to_numpy()
        _, finer = np.frexp(segments.astype(np.float64))  # the number of binary digits
        names = [_magnitude(digits) for digits in range(int(finer.max(initial=0)) + 1)]
    if rule == "category" and description is not None:
        column = description["categories"].combine_chunks()
        counts = dict(categories or _counted(column))
        names = ["none", *sorted(counts, key=lambda name: (counts[name], name))]
        finer = _rarest(column, names)
    labels = [
        f"{source_name}/{name}" if name else source_name
        for source_name in sources
        for name in names
    ]  # the order does not matter: see `ranking`
    used, numbers = np.unique(source * len(names) + finer, return_inverse=True)
    return Strata(
        tuple(labels[number] for number in used.tolist()),
        np.bincount(numbers, minlength=len(used)).astype(np.int64),
        numbers.astype(np.int64),
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
    numbers = np.array([labels.index(label) for label in strata.labels], np.int64)
    if len(labels) and (whole_sizes[numbers] < strata.sizes).any():
        return None
    return Strata(labels, whole_sizes, numbers[strata.numbers], strata.categories)


def _magnitude(digits: int) -> str:
    low, high = (1 << digits) >> 1, (1 << digits) - 1
    return str(low) if low >= high else f"{low} to {high}"


def _counted(categories: pa.ListArray) -> dict[str, int]:
    counts = pc.value_counts(categories.flatten())
    return {row["values"]: row["counts"] for row in counts.to_pylist()}


def _rarest(categories: pa.ListArray, names: Sequence[str]) -> NDArray[np.int64]:
    """The lowest number among each row's categories; 0 where it has none."""
    parents = pc.list_parent_indices(categories).to_numpy()
    numbers = pc.index_in(categories.flatten(), value_set=pa.array(names[1:], pa.string()))
    rarest = np.full(len(categories), len(names), np.int64)
    np.minimum.at(rarest, parents, numbers.fill_null(len(names)).to_numpy() + 1)
    return np.where(rarest == len(names), 0, rarest)
