"""F-score of generated edges, and mean absolute difference of any two pictures.

The F-score follows Martin, Fowlkes and Malik (TPAMI 2004) with one threshold for the whole set
(ODS), but pixels are matched by distance alone, not one to one: a pixel is matched where the other
map has an edge within `TOLERANCE` of it. So numbers are not comparable with those of BSDS.
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
    """Numbers of edge pixels of one picture for each threshold [4, thresholds].

    The four rows: matched pixels of the generated edges, all of these, matched pixels of the
    target's edges, all of these. Both pictures are [3, S, S] in -1 to 1.
    """
    strength, true_edges = _strength(generated), _strength(target) >= TRUE_EDGE
    near_true_edges = _dilated(true_edges)
    rows = []
    for threshold in THRESHOLDS:
        edges = strength >= threshold
        rows.append(
            (
                (edges & near_true_edges).sum(),
                edges.sum(),
                (true_edges & _dilated(edges)).sum(),
                true_edges.sum(),
            )
        )
    return np.array(rows, float).T


def edge_layout(pictures: Sequence[NDArray[np.float64]], seed: int) -> dict[str, Estimate]:
    """`edge F`: the F-score of all pictures at their best threshold, from their `edge_counts`.

    The threshold is chosen on the same pictures, as ODS does.
    """
    counts = np.stack(pictures)
    best = int(np.argmax(_f_score(np.ones((1, len(counts))), counts)[0]))
    chosen = counts[:, :, best : best + 1]
    return {"edge F": bootstrap(lambda w: _f_score(w, chosen)[:, 0], len(counts), seed)}


def picture_distance(generated: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    """Mean absolute difference of two pictures [3, S, S] in -1 to 1; 1 is black against white."""
    return float(np.abs(np.clip(generated, -1, 1).astype(float) - target).mean() / 2)


def picture_layout(distances: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`L1`: the mean of `picture_distance` over pictures; lower is better."""
    return {"L1": mean_over_pictures(np.array(distances, float), seed)}


def _f_score(weights: Floats, counts: Floats) -> Floats:
    """F-scores [R, thresholds] from weights [R, pictures] and counts [pictures, 4, thresholds].

    The score is 0 where nothing is matched.
    """
    matched, edges, matched_true, true_edges = np.einsum("rp,pkt->krt", weights, counts)
    precision = np.nan_to_num(divide_or_nan(matched, edges))
    recall = np.nan_to_num(divide_or_nan(matched_true, true_edges))
    return np.nan_to_num(divide_or_nan(2 * precision * recall, precision + recall))


def _strength(picture: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray((np.clip(picture, -1, 1).astype(float).mean(axis=0) + 1) / 2)


def _dilated(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All pixels within `TOLERANCE` rows and columns of the mask."""
    from scipy.ndimage import binary_dilation  # type: ignore[import-untyped]

    side = 2 * TOLERANCE + 1
    dilated: NDArray[np.bool_] = binary_dilation(mask, np.ones((side, side), bool))
    return dilated
