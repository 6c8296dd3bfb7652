"""Edge pixels of two maps, matched one to one, for every threshold at once.

BSDS (Martin, Fowlkes and Malik, TPAMI 2004) counts as hits the pairs of an assignment between drawn
and true edge pixels that are no further apart than a share of the picture's diagonal. The number of
pairs that count is the size of a largest matching of a bipartite graph. Here that matching is grown
from the strongest drawn pixel to the weakest by augmenting paths (Kuhn), so the matching of one
threshold begins the next one's; a search that fails rules out for good all that it has seen.
`scipy.sparse.csgraph.maximum_bipartite_matching` finds the same numbers from scratch for each
threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

_PARTNER, _SEEN, _FROM = 0, 1, 2
_RULED_OUT = 1 << 62


def matched_counts(
    strength: NDArray[np.float64],
    true_edges: NDArray[np.bool_],
    thresholds: NDArray[np.float64],
    reach: float,
) -> NDArray[np.float64]:
    """Numbers of edge pixels of one picture for each threshold [4, thresholds].

    The four rows: matched pixels of the drawn edges, all of these, matched pixels of the target's
    edges, all of these. The first and the third are the same.

    Args:
        strength: of the drawn edges [H, W], 0 where none is.
        true_edges: the target's edges [H, W].
        thresholds: rising.
        reach: largest distance of a pair, pixels.
    """
    drawn = np.argwhere(strength >= thresholds[0])
    levels = np.searchsorted(thresholds, strength[tuple(drawn.T)], side="right")
    order = np.argsort(-levels, kind="stable")
    sizes = np.bincount(levels, minlength=len(thresholds) + 1)[::-1].cumsum()[::-1][1:]
    # a margin as wide as the reach, so that no place beyond the picture must be asked for
    margin = int(reach)
    numbers = np.full([side + 2 * margin for side in true_edges.shape], -1, np.int32)
    count = np.count_nonzero(true_edges)
    numbers[np.pad(true_edges, margin)] = np.arange(count)
    places = (drawn[order] + margin) @ (numbers.shape[1], 1)
    pairs = _grow(places, sizes, numbers.ravel(), _offsets(reach) @ (numbers.shape[1], 1))
    return np.stack((pairs, sizes, pairs, np.full(len(sizes), count))).astype(np.float64)


def _offsets(reach: float) -> NDArray[np.int64]:
    """Rows and columns [n, 2] from a pixel to all within a distance, the nearest first."""
    side = np.arange(-int(reach), int(reach) + 1)
    offsets = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    squares = (offsets**2).sum(axis=1)
    order = np.argsort(squares, kind="stable")
    return np.asarray(offsets[order[squares[order] <= reach**2]], np.int64)


@njit
def _grow(
    places: NDArray[np.int64],
    sizes: NDArray[np.int64],
    numbers: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Sizes [thresholds] of largest matchings of the first `sizes[k]` drawn pixels.

    `places` are those of the drawn pixels in the flat map `numbers` of the true ones, -1 where none
    is; `offsets` lead from a place to those within reach.
    """
    # of each true pixel its partner, the search that saw it last, and from where that was
    state = np.full((3, max(numbers.max() + 1, 1)), -1, np.int64)
    partners = np.full(len(places), -1, np.int64)
    queue = np.empty(len(places) + 1, np.int64)
    pairs = np.zeros(len(sizes), np.int64)
    matched, threshold = 0, len(sizes) - 1
    for new in range(len(places)):
        while threshold >= 0 and sizes[threshold] == new:
            pairs[threshold] = matched
            threshold -= 1
        free, seen = _search(new, places, numbers, offsets, state, queue)
        if free < 0:
            for at in range(1, seen):
                state[_SEEN, partners[queue[at]]] = _RULED_OUT
            continue
        matched += 1
        while free >= 0:
            at = state[_FROM, free]
            before = partners[at]
            partners[at], state[_PARTNER, free] = free, at
            free = before
    pairs[: threshold + 1] = matched
    return pairs


@njit
def _search(
    new: int,
    places: NDArray[np.int64],
    numbers: NDArray[np.int32],
    offsets: NDArray[np.int64],
    state: NDArray[np.int64],
    queue: NDArray[np.int64],
) -> tuple[int, int]:
    """A free true pixel at the end of an augmenting path, -1 where none is; drawn pixels seen."""
    queue[0] = new
    begin, end = 0, 1
    while begin < end:
        at = queue[begin]
        begin += 1
        for offset in offsets:
            number = numbers[places[at] + offset]
            if number < 0 or state[_SEEN, number] >= new:
                continue
            state[_SEEN, number], state[_FROM, number] = new, at
            partner = state[_PARTNER, number]
            if partner < 0:
                return number, end
            queue[end] = partner
            end += 1
    return -1, end
