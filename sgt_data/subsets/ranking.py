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

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import RequestError


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
    names: Sequence[str],
    hashes: NDArray[np.uint64],
    strata: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Positions of the names, in the order in which subsets take them: `[names] int64`.

    Args:
        names: distinct.
        hashes: `[names]`, their hashes.
        strata: `[names]`, number of each name's stratum.
        sizes: `[strata]`, names in each stratum; where these names are themselves the first of an
            order, names in that order's strata: the order is then the same.
    """
    by_hash = _by_hash(names, hashes)
    by_stratum = by_hash[np.argsort(strata[by_hash], kind="stable")]
    counts = np.bincount(strata, minlength=len(sizes))
    within = np.arange(len(by_stratum)) - np.repeat(np.cumsum(counts) - counts, counts)
    size = np.repeat(sizes, counts)
    total = int(sizes.sum())
    earliest = within * total // size
    latest = -(-(within + 1) * total // size)
    place = np.empty(len(by_hash), np.int64)
    place[by_hash] = np.arange(len(by_hash))
    urgency = np.empty(len(by_hash), np.int64)
    urgency[np.lexsort((place[by_stratum], latest))] = np.arange(len(by_hash))
    coming = np.argsort(earliest, kind="stable")
    return by_stratum[coming[_most_urgent_first(earliest[coming], urgency[coming])]]


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


def _by_hash(names: Sequence[str], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Positions by hash; by name where hashes are equal."""
    order = np.argsort(hashes, kind="stable")
    equal = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if len(equal):
        return np.array(
            sorted(order.tolist(), key=lambda place: (int(hashes[place]), names[place])), np.int64
        )
    return order


@njit
def _most_urgent_first(
    earliest: NDArray[np.int64], urgency: NDArray[np.int64]
) -> NDArray[np.int64]:
    """At each place the most urgent (lowest number) of what may come; `earliest` ascends. (A binary
    heap of positions, by urgency.)"""
    count = len(earliest)
    order = np.empty(count, np.int64)
    heap = np.empty(count, np.int64)
    size, coming = 0, 0
    for place in range(count):
        while coming < count and (earliest[coming] <= place or size == 0):
            at = size
            size += 1
            while at > 0 and urgency[heap[(at - 1) // 2]] > urgency[coming]:
                heap[at] = heap[(at - 1) // 2]
                at = (at - 1) // 2
            heap[at] = coming
            coming += 1
        order[place] = heap[0]
        size -= 1
        last = heap[size]
        at = 0
        while 2 * at + 1 < size:
            child = 2 * at + 1
            if child + 1 < size and urgency[heap[child + 1]] < urgency[heap[child]]:
                child += 1
            if urgency[heap[child]] > urgency[last]:
                break
            heap[at] = heap[child]
            at = child
        heap[at] = last
    return order
