"""The measure of drawings of edges: ODS and OIS by BSDS' definition as nearly as can be.

Both maps are read as strength, the mean of their channels, and thinned to lines (`thin_edges`). The
target's lines from `true_edge` on are the true edges; the drawing's lines are tried at 19
thresholds, 0.05 to 0.95. Pixels are matched one to one within `pair_distance`, by
`edge_matching`.

- `ODS F` is the F-score of all pictures at the one threshold that is best for them together.
- `OIS F` takes for each picture its own best threshold, and adds up the counts.
- `edge F` is the measure of the experiment: one threshold, lines as they are, pixels that count
  where the other map has an edge in the 3x3 pixels around (see `edge_fidelity`).
- `L1` is the mean absolute difference of the pixels, which soft edges need: the F-scores do not ask
  how strong a line is.

What differs from BSDS: the truth is one target, not several people's lines; lines are thinned
before the thresholds, not after; 19 thresholds, not 99. Soft (Sobel), Canny's and learned edges are
measured by the same rule. The target of a Canny map is thinned as its drawing is, by which a
junction may lose a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.proxies.edge import EdgeProxy
from sgt_data.scoring.drawing_size import CompareAt, pictures_at_one_size
from sgt_data.scoring.edge_fidelity import (
    THRESHOLDS,
    TRUE_EDGE,
    best_f_score,
    f_scores,
    near_counts,
)
from sgt_data.scoring.edge_matching import matched_counts
from sgt_data.scoring.intervals import Estimate, bootstrap, mean_over_pictures
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.thin_edges import thin_edges

PAIR_DISTANCE = 0.0075
"""Largest distance of a pair as a share of the picture's diagonal, as in BSDS."""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One picture.

    Attributes:
        paired: counts [4, thresholds] of thin lines, matched one to one.
        near: counts [4, thresholds] of lines as they are, matched by distance alone.
        distance: mean absolute difference of the pixels, 0 to 1.
    """

    paired: NDArray[np.float64]
    near: NDArray[np.float64]
    distance: float


@dataclass(frozen=True, slots=True)
class EdgeMeasure:
    """`ODS F`, `OIS F`, `edge F` and `L1`.

    Attributes:
        compare_at: the size at which both are compared.
        resampling: the filter of Pillow that brings one of them to that size. Bilinear keeps thin
            lines by making them grey.
        pair_distance: largest distance of a pair as a share of the picture's diagonal.
        true_edge: strength, 0 to 1, from which a pixel of the target is an edge.
    """

    compare_at: CompareAt = "target"
    resampling: Image.Resampling = Image.Resampling.BILINEAR
    pair_distance: float = PAIR_DISTANCE
    true_edge: float = TRUE_EDGE

    def __post_init__(self) -> None:
        if not 0 <= self.pair_distance <= 1:
            raise ValueError(f"pair_distance is {self.pair_distance}; allowed: 0 to 1")
        if not 0 < self.true_edge <= 1:
            raise ValueError(f"true_edge is {self.true_edge}; allowed: above 0, up to 1")

    def picture(self, drawing: Drawing, sample: ScoredSample) -> EdgeRow:
        """Compare the lines of a drawing with those of its target.

        Raises:
            CorpusError: the target and its facts do not belong together.
        """
        target = EdgeProxy.decode(sample.target, sample.facts)
        drawing, target = pictures_at_one_size(drawing, target, self.compare_at, self.resampling)
        drawn, true = _strength(drawing), target / 255.0
        reach = self.pair_distance * float(np.hypot(*true.shape))
        true_lines = thin_edges(true, self.true_edge) > 0
        return EdgeRow(
            matched_counts(thin_edges(drawn), true_lines, THRESHOLDS, reach),
            near_counts(drawn, true >= self.true_edge),
            float(np.abs(drawing - target[..., None].astype(np.int16)).mean() / 255),
        )

    def quality(self, row: EdgeRow) -> float:
        """The F-score at the picture's best threshold; 1 where nothing is drawn of no edges."""
        if not row.paired[3, 0] and not row.paired[1].any():
            return 1.0
        return float(_scores_of_one(row.paired).max())

    def overall(self, rows: Sequence[EdgeRow], seed: int) -> dict[str, Estimate]:
        """The measures, each with its interval over pictures."""
        paired = [row.paired for row in rows]
        best = np.stack([counts[:, [_scores_of_one(counts).argmax()]] for counts in paired])
        return {
            "ODS F": best_f_score(paired, seed),
            "OIS F": bootstrap(lambda w: f_scores(w, best)[:, 0], len(rows), seed),
            "edge F": best_f_score([row.near for row in rows], seed),
            "L1": mean_over_pictures(np.array([row.distance for row in rows]), seed),
        }

    def absent(self, sample: ScoredSample) -> EdgeRow:
        """The row of a black drawing, on which no edge is matched."""
        return self.picture(np.zeros((1, 1, 3), np.uint8), sample)


def _strength(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    red, green, blue = np.moveaxis(picture, 2, 0).astype(np.uint16)
    return np.asarray((red + green + blue) / 765.0)


def _scores_of_one(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(f_scores(np.ones((1, 1)), counts[None])[0])
