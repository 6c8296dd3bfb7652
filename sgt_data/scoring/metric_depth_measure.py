"""The measure of drawings of depth in metres: no scale and no shift is fitted.

A drawing's pixel has the distance of the nearest point of the walk of colours (see `colour_walk`),
with the transform that the sample's facts state. Pixels that count are those whose true distance is
measured and lies within
`nearest_metres` and `farthest_metres`; what is drawn there is clipped to these two. So
the sky, infinitely far, and pixels without a measurement are left out, as in the benchmarks of
depth, whose sensors see no sky. `far IoU` says how well the left-out distance is drawn: the pixels
beyond `farthest_metres` that drawing and target share, over those of either, in all pictures.

No filter is applied before or after the projection. Colours that JPEG and resizing blend across an
edge of depth lie off the walk and project to any distance, but they are few: a median of 3x3 pixels
takes 5 % off `AbsRel` after JPEG, and a faultless drawing is then no longer faultless
(`benchmarks/score_dense.py` measures it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.geometry.colour_walk import metres_of_points, projected_points
from sgt_data.proxies.metric_depth import MetricDepthProxy
from sgt_data.scoring.depth_errors import DepthErrors, depth_errors, depth_scores
from sgt_data.scoring.drawing_size import CompareAt
from sgt_data.scoring.intervals import Estimate, ratio_of_sums
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.overlap import at_one_size

NEAREST, FARTHEST = 0.001, 80.0
"""The least and the largest distance that count, metres: those of KITTI's evaluation."""


@dataclass(frozen=True, slots=True)
class MetricDepthRow:
    """One picture.

    Attributes:
        errors: of the pixels that count, in metres.
        far_shared, far_either: pixels beyond the farthest distance in both, and in either.
    """

    errors: DepthErrors
    far_shared: int
    far_either: int


@dataclass(frozen=True, slots=True)
class MetricDepthMeasure:
    """`AbsRel`, `delta1` to `delta3`, `RMSE` (metres) and `log10`; `far IoU` where any is far.

    Attributes:
        compare_at: the size at which both are compared; the other one is sampled at the pixel under
            each centre.
        nearest_metres, farthest_metres: the least and the largest distance that count, metres.
    """

    compare_at: CompareAt = "target"
    nearest_metres: float = NEAREST
    farthest_metres: float = FARTHEST

    def __post_init__(self) -> None:
        if not 0 < self.nearest_metres < self.farthest_metres:
            raise ValueError(
                f"nearest_metres is {self.nearest_metres} and farthest_metres "
                f"{self.farthest_metres}; allowed: above 0, the nearest first"
            )

    def picture(self, drawing: Drawing, sample: ScoredSample) -> MetricDepthRow:
        """Read a drawing as metres and compare it with its target.

        Raises:
            CorpusError: the target and its facts do not belong together.
        """
        decoded = MetricDepthProxy.decode(sample.target, sample.facts)
        target = decoded.metres.astype(np.float64)
        target, drawing = at_one_size(target, drawing, self.compare_at)
        # rounded as the target's are, so that the same colour is the same distance
        metres = metres_of_points(decoded.lam, decoded.c).astype(np.float32).astype(np.float64)
        return self._row(metres[projected_points(drawing)], target)

    def quality(self, row: MetricDepthRow) -> float:
        """1 less `AbsRel`, 0 at the least; of a picture without a pixel that counts, `far IoU`."""
        if not row.errors.pixels:
            return row.far_shared / max(row.far_either, 1)
        return max(0.0, 1 - row.errors.absolute_relative)

    def overall(self, rows: Sequence[MetricDepthRow], seed: int) -> dict[str, Estimate]:
        """Means over the pictures that have a pixel that counts, each with its interval.

        Raises:
            CorpusError: no picture has one.
        """
        scores = depth_scores([row.errors for row in rows], seed)
        shared = np.array([row.far_shared for row in rows], float)
        either = np.array([row.far_either for row in rows], float)
        if either.any():
            scores["far IoU"] = ratio_of_sums(shared, either, seed)
        return scores

    def absent(self, sample: ScoredSample) -> MetricDepthRow:
        """The row of a drawing that says of each pixel the end of the range that is less true."""
        target = MetricDepthProxy.decode(sample.target, sample.facts).metres.astype(np.float64)
        is_nearer_to_far = target * target > self.nearest_metres * self.farthest_metres
        return self._row(np.where(is_nearer_to_far, 0.0, np.inf), target)

    def _row(self, metres: NDArray[np.float64], target: NDArray[np.float64]) -> MetricDepthRow:
        counts = (target >= self.nearest_metres) & (target <= self.farthest_metres)
        true = target[counts]
        drawn = np.clip(metres[counts], self.nearest_metres, self.farthest_metres)
        measured = ~np.isnan(target)
        far, drawn_far = target > self.farthest_metres, (metres > self.farthest_metres) & measured
        return MetricDepthRow(
            depth_errors(drawn, true, int(target.size - true.size)),
            int(np.count_nonzero(far & drawn_far)),
            int(np.count_nonzero(far | drawn_far)),
        )
