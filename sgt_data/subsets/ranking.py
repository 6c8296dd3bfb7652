"""Which keys come first: one order of all keys, of which every subset is a beginning.

Within a stratum keys go by a keyed hash. Strata are merged so that after every number of keys each
has its share of them to within less than one: key `j` (from 0) of a stratum of `m` among `n` may
come at place `floor(j n / m)` at the earliest and must have come by place `ceil((j + 1) n / m)`,
and of those that may come the most urgent does (earliest deadline first; such an order exists for
any sizes: W. Steiner and S. Yeomans, "Level schedules for mixed-model, just-in-time processes",
Management Science 39, 1993). Merging by `(j + 1/2) / m`, the simpler rule, fails where many strata
are small: none of a thousand single keys would come before half of the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import RequestError


class Names(Protocol):
    """Texts by position: a list of them, or an Arrow array."""

    def __getitem__(self, position: int, /) -> object: ...


def keyed_hashes(names: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """64-bit hashes (BLAKE2b, keyed by the seed) of keys or shard names: `[names] uint64`."""
    keyed = hashlib.blake2b(digest_size=8, key=seed.to_bytes(8, "little"))
    digests = []
    for name in names:
        digest = keyed.copy()
        digest.update(name.encode())
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def ranked(
    names: Names,
    hashes: NDArray[np.uint64],
    strata: NDArray[np.integer[Any]],
    sizes: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Positions of the names, in the order in which subsets take them: `[names] int64`.

    Args:
        names: distinct; looked at where hashes are equal.
        hashes: `[names]`, their hashes.
        strata: `[names]`, number of each name's stratum.
        sizes: `[strata]`, names in each stratum; where these names are themselves the first of an
            order, names in that order's strata: the order is then the same.
    """
    by_hash = _by_hash(names, hashes)
    if len(sizes) == 1:
        return by_hash
    merged: NDArray[np.int64] = _merged(
        by_hash, strata.astype(np.int32, copy=False), sizes.astype(np.int64, copy=False)
    )
    return merged


def count_of(fraction: float, total: int) -> int:
    """A fraction of a number, rounded half up, as its decimal digits say.

    Raises:
        RequestError: the fraction is not above 0 and at most 1.
    """
    if not 0 < fraction <= 1:
        raise RequestError(f"fraction: found {fraction!r}; allowed: above 0, at most 1")
    exact = Decimal(str(fraction)) * total
    return int(exact.to_integral_value(rounding=ROUND_HALF_UP))


def threshold(count: int, total: int) -> int:
    """The 64-bit number below which `count / total` of all hashes lie."""
    return (count << 64) // total


def _by_hash(names: Names, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Positions by hash; by name where hashes are equal."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    equal = ordered[1:] == ordered[:-1]
    for begin, end in _runs(equal):
        run = order[begin : end + 1].tolist()
        order[begin : end + 1] = sorted(run, key=lambda place: str(names[place]))
    return order


def _runs(true: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each run of true values."""
    if not true.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    return [(begin, end) for begin, end in edges.reshape(-1, 2).tolist()]


@njit
def _merged(
    by_hash: NDArray[np.int64], strata: NDArray[np.int32], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Positions by hash, of which at each place the most urgent comes that may come.

    Strata are looked at instead of their keys: the keys of one come in the order of their hashes,
    so only the next of each can be the most urgent. Two binary heaps hold the strata whose next key
    may come already, by urgency, and the others, by when it may.
    """
    count, number_of_strata = len(by_hash), len(sizes)
    total = sizes.sum()
    ends = np.zeros(number_of_strata + 1, np.int64)
    for place in range(count):
        ends[strata[by_hash[place]] + 1] += 1
    ends = np.cumsum(ends)
    filled = ends[:-1].copy()
    within = np.empty(count, np.int64)  # places in `by_hash`, stratum by stratum
    for place in range(count):
        stratum = strata[by_hash[place]]
        within[filled[stratum]] = place
        filled[stratum] += 1
    # what orders the heaps: number of the place, then a number that tells equal ones apart
    first, second = np.empty(number_of_strata, np.int64), np.empty(number_of_strata, np.int64)
    taken = np.zeros(number_of_strata, np.int64)
    coming, ready = np.empty(number_of_strata, np.int64), np.empty(number_of_strata, np.int64)
    coming_size, ready_size = 0, 0
    for stratum in range(number_of_strata):
        if ends[stratum + 1] > ends[stratum]:
            first[stratum], second[stratum] = 0, stratum
            coming_size = _push(coming, coming_size, stratum, first, second)
    order = np.empty(count, np.int64)
    for place in range(count):
        while coming_size and (first[coming[0]] <= place or ready_size == 0):
            stratum = coming[0]
            coming_size = _pop(coming, coming_size, first, second)
            key = taken[stratum]
            first[stratum] = -(-(key + 1) * total // sizes[stratum])
            second[stratum] = within[ends[stratum] + key]
            ready_size = _push(ready, ready_size, stratum, first, second)
        stratum = ready[0]
        ready_size = _pop(ready, ready_size, first, second)
        order[place] = by_hash[within[ends[stratum] + taken[stratum]]]
        taken[stratum] += 1
        if ends[stratum] + taken[stratum] < ends[stratum + 1]:
            first[stratum] = taken[stratum] * total // sizes[stratum]
            second[stratum] = stratum
            coming_size = _push(coming, coming_size, stratum, first, second)
    return order


@njit
def _push(
    heap: NDArray[np.int64],
    size: int,
    item: int,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> int:
    """Put an item into a binary heap of `size` items; its new size."""
    at = size
    while at > 0:
        above = heap[(at - 1) // 2]
        if first[above] < first[item] or (
            first[above] == first[item] and second[above] <= second[item]
        ):
            break
        heap[at] = above
        at = (at - 1) // 2
    heap[at] = item
    return size + 1


@njit
def _pop(
    heap: NDArray[np.int64], size: int, first: NDArray[np.int64], second: NDArray[np.int64]
) -> int:
    """Take the lowest item out of a binary heap of `size` items; its new size."""
    size -= 1
    last = heap[size]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        right = child + 1
        if right < size and (
            first[heap[right]] < first[heap[child]]
            or (
                first[heap[right]] == first[heap[child]]
                and second[heap[right]] < second[heap[child]]
            )
        ):
            child = right
        if first[last] < first[heap[child]] or (
            first[last] == first[heap[child]] and second[last] <= second[heap[child]]
        ):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = last
    return size
