"""Edges that are generated, against the target; and any picture against another.

The F-score follows Martin, Fowlkes and Malik (TPAMI 2004) with one threshold for the whole set
(ODS), but pixels are matched by distance alone, not one to one: a pixel is matched where the other
map has an edge within `TOLERANCE` of it. Numbers are not comparable with those of BSDS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.experiment.measure.intervals import (
    Estimate,
    Floats,
    bootstrap,
    divided,
    mean,
)

TOLERANCE = 1
TRUE_EDGE = 0.25
"""From which strength (0 to 1) on a target's pixel is an edge; soft targets have many weak ones."""

THRESHOLDS = np.arange(1, 20) / 20


def edge_counts(
    generated: NDArray[np.floating], wanted: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Of one picture and each threshold [4, thresholds]: generated edge pixels that are matched,
    generated ones, target's that are matched, target's. Pictures [3, S, S] in -1 to 1."""
    strength, truth = _strength(generated), _strength(wanted) >= TRUE_EDGE
    near_truth = _grown(truth)
    rows = []
    for threshold in THRESHOLDS:
        edges = strength >= threshold
        rows.append(
            (
                (edges & near_truth).sum(),
                edges.sum(),
                (truth & _grown(edges)).sum(),
                truth.sum(),
            )
        )
    return np.array(rows, float).T


def edge_layout(pictures: Sequence[NDArray[np.float64]], seed: int) -> dict[str, Estimate]:
    """`edge F`: the F-score of all pictures at the threshold that suits them best, which is chosen
    on these very pictures, as ODS is."""
    counts = np.stack(pictures)
    best = int(np.argmax(_f_score(np.ones((1, len(counts))), counts)[0]))
    chosen = counts[:, :, best : best + 1]
    return {"edge F": bootstrap(lambda w: _f_score(w, chosen)[:, 0], len(counts), seed)}


def picture_distance(generated: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Mean absolute difference of two pictures [3, S, S] in -1 to 1, as a share of black to
    white."""
    return float(np.abs(np.clip(generated, -1, 1).astype(float) - wanted).mean() / 2)


def picture_layout(distances: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`L1`, the mean over pictures; lower is better."""
    return {"L1": mean(np.array(distances, float), seed)}


def _f_score(weights: Floats, counts: Floats) -> Floats:
    """[R, thresholds] from weights [R, pictures] and counts [pictures, 4, thresholds]; 0 where
    nothing is matched."""
    hits, edges, found, truth = np.einsum("rp,pkt->krt", weights, counts)
    precision = np.nan_to_num(divided(hits, edges))
    recall = np.nan_to_num(divided(found, truth))
    return np.nan_to_num(divided(2 * precision * recall, precision + recall))


def _strength(picture: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray((np.clip(picture, -1, 1).astype(float).mean(axis=0) + 1) / 2)


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All pixels within `TOLERANCE` rows and columns of the mask."""
    height, width = mask.shape
    padded = np.pad(mask, TOLERANCE)
    shifts = range(2 * TOLERANCE + 1)
    grown: NDArray[np.bool_] = np.logical_or.reduce(
        [padded[down : down + height, right : right + width] for down in shifts for right in shifts]
    )
    return grown
