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

StrataRule = Literal["source", "segments", "category"]
"""`source`; source and magnitude of the segment count (0, 1, 2 to 3, 4 to 7, 8 to 15 ...); or
source and category, that being a picture's rarest one."""


@dataclass(frozen=True, slots=True)
class Strata:
    """The stratum of each of some keys.

    Attributes:
        labels: of the strata.
        sizes: of the strata.
        numbers: of each key's stratum.
        categories: how many keys have each category, where strata go by category.
    """

    labels: tuple[str, ...]
    sizes: NDArray[np.int64]
    numbers: NDArray[np.int64]
    categories: Mapping[str, int]


def check_rule(rule: str) -> None:
    """Raises:
    RequestError: there is no such rule.
    """
    if rule not in get_args(StrataRule):
        raise RequestError(
            f"strata: found {rule!r}; allowed: {', '.join(map(str, get_args(StrataRule)))}"
        )


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
        sources: names.
        source: number of each key's.
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
        listed = description["categories"].combine_chunks()
        counts = dict(categories or _counted(listed))
        names = ["none", *sorted(counts, key=lambda name: (counts[name], name))]
        finer = _rarest(listed, names)
    labels = [
        f"{one}/{name}" if name else one for one in sources for name in names
    ]  # the order does not matter: see `ranking`
    numbers = source * len(names) + finer
    used, numbers = np.unique(numbers, return_inverse=True)
    return Strata(
        tuple(labels[one] for one in used.tolist()),
        np.bincount(numbers, minlength=len(used)).astype(np.int64),
        numbers.astype(np.int64),
        counts,
    )


def sized(strata: Strata, recorded: Mapping[str, int]) -> Strata | None:
    """The same strata with the sizes that they had in the order which these keys are the first of;
    None where the record does not fit."""
    labels = tuple(recorded)
    if not set(strata.labels) <= recorded.keys():
        return None
    sizes = np.array([recorded[label] for label in labels], np.int64)
    numbers = np.array([labels.index(label) for label in strata.labels], np.int64)
    if len(labels) and (sizes[numbers] < strata.sizes).any():
        return None
    return Strata(labels, sizes, numbers[strata.numbers], strata.categories)


def _magnitude(digits: int) -> str:
    low, high = (1 << digits) >> 1, (1 << digits) - 1
    return str(low) if low >= high else f"{low} to {high}"


def _counted(listed: pa.ListArray) -> dict[str, int]:
    found = pc.value_counts(listed.flatten())
    return {row["values"]: row["counts"] for row in found.to_pylist()}


def _rarest(listed: pa.ListArray, names: Sequence[str]) -> NDArray[np.int64]:
    """The lowest number among each row's categories; 0 where it has none."""
    parents = pc.list_parent_indices(listed).to_numpy()
    numbers = pc.index_in(listed.flatten(), value_set=pa.array(names[1:], pa.string()))
    rarest = np.full(len(listed), len(names), np.int64)
    np.minimum.at(rarest, parents, numbers.fill_null(len(names)).to_numpy() + 1)
    return np.where(rarest == len(names), 0, rarest)
