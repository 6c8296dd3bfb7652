"""F-score of edges matched by distance alone, and mean absolute difference of any two pictures.

The F-score follows Martin, Fowlkes and Malik (TPAMI 2004) with one threshold for the whole set
(ODS), but pixels are matched by distance alone, not one to one, and lines are not thinned: a pixel
is matched where the other map has an edge within `TOLERANCE` of it. So numbers are not comparable
with those of BSDS; `edge_measure` has both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    bootstrap,
    divide_or_nan,
    mean_over_pictures,
)

TOLERANCE = 1
"""Largest distance of matched edge pixels, in rows and in columns."""

TRUE_EDGE = 0.25
"""Strength (0 to 1) from which a pixel of a target is an edge; soft targets have many weak ones."""

THRESHOLDS = np.arange(1, 20) / 20


def edge_counts(
    generated: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Numbers of edge pixels of one picture for each threshold, as `near_counts` gives them.

    Both pictures are [3, S, S] in -1 to 1.
    """
    return near_counts(_strength(generated), _strength(target) >= TRUE_EDGE)


def near_counts(
    strength: NDArray[np.float64], true_edges: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Numbers of edge pixels of one picture for each threshold [4, thresholds].

    The four rows: matched pixels of the drawn edges, all of these, matched pixels of the target's
    edges, all of these.

    Args:
        strength: of the drawn edges [H, W], 0 to 1.
        true_edges: the target's edges [H, W].
    """
    from scipy.ndimage import maximum_filter  # type: ignore[import-untyped]

    side = 2 * TOLERANCE + 1
    near_true_edges = maximum_filter(true_edges, side, mode="constant")
    # the edges of a threshold, dilated, are where the largest strength nearby reaches it
    near_edges = maximum_filter(strength, side, mode="constant")
    return np.stack(
        (
            _reaching(strength[near_true_edges]),
            _reaching(strength),
            _reaching(near_edges[true_edges]),
            np.full(len(THRESHOLDS), float(true_edges.sum())),
        )
    )


def edge_layout(pictures: Sequence[NDArray[np.float64]], seed: int) -> dict[str, Estimate]:
    """`edge F`: the F-score of all pictures at their best threshold, from their `edge_counts`."""
    return {"edge F": best_f_score(pictures, seed)}


def best_f_score(pictures: Sequence[NDArray[np.float64]], seed: int) -> Estimate:
    """The F-score of all pictures at their best threshold, from counts [4, thresholds] of each.

    The threshold is chosen on the same pictures, as ODS does.
    """
    counts = np.stack(pictures)
    best = int(np.argmax(f_scores(np.ones((1, len(counts))), counts)[0]))
    chosen = counts[:, :, best : best + 1]
    return bootstrap(lambda w: f_scores(w, chosen)[:, 0], len(counts), seed)


def picture_distance(generated: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    """Mean absolute difference of two pictures [3, S, S] in -1 to 1; 1 is black against white."""
    return float(np.abs(np.clip(generated, -1, 1).astype(float) - target).mean() / 2)


def picture_layout(distances: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`L1`: the mean of `picture_distance` over pictures; lower is better."""
    return {"L1": mean_over_pictures(np.array(distances, float), seed)}


def f_scores(weights: Floats, counts: Floats) -> Floats:
    """F-scores [R, thresholds] from weights [R, pictures] and counts [pictures, 4, thresholds].

    The score is 0 where nothing is matched.
    """
    matched, edges, matched_true, true_edges = np.einsum("rp,pkt->krt", weights, counts)
    precision = np.nan_to_num(divide_or_nan(matched, edges))
    recall = np.nan_to_num(divide_or_nan(matched_true, true_edges))
    return np.nan_to_num(divide_or_nan(2 * precision * recall, precision + recall))


def _strength(picture: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray((np.clip(picture, -1, 1).astype(float).mean(axis=0) + 1) / 2)


def _reaching(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many strengths reach each threshold [thresholds]."""
    reached = np.searchsorted(THRESHOLDS, strengths.ravel(), side="right")
    by_number = np.bincount(reached, minlength=len(THRESHOLDS) + 1)
    return by_number[::-1].cumsum()[::-1][1:].astype(np.float64)
