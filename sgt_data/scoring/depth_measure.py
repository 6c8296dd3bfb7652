"""The measure of drawings of relative depth, after alignment with the target.

A drawing is read as inverse depth: in grey the mean of its channels, in inferno the level of the
nearest colour of that map. Its scale and shift are fitted to the target's (see `depth_fidelity`),
so a drawing that is too bright, too pale or upside down in its levels loses nothing; one that is
the same everywhere becomes the target's mean. Drawings have 8 bits a channel; where the target has
16, even a faultless drawing is off by up to half of 1/255 of the target's range.

Relative depth has no metres. So `RMSE` is in multiples of the nearest depth of the picture, 1 to
`FARTHEST`; the other measures are ratios. Where every target holds metres (its unit is 1/m), `RMSE
in metres` is given too. Pixels without a measurement are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sgt_data.proxies.depth import DepthProxy
from sgt_data.scoring.depth_errors import DepthErrors, depth_errors, depth_scores
from sgt_data.scoring.depth_fidelity import FitTo, drawn_levels, fitted_depth, relative_error
from sgt_data.scoring.drawing_size import CompareAt
from sgt_data.scoring.intervals import Estimate, mean_over_pictures
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.overlap import resampled


@dataclass(frozen=True, slots=True)
class DepthRow:
    """One picture.

    Attributes:
        errors: of the drawing, depth in multiples of the nearest.
        flat: `AbsRel` of a picture that is the same everywhere.
        nearest: the nearest depth in metres; NaN where the depth is relative.
    """

    errors: DepthErrors
    flat: float
    nearest: float


@dataclass(frozen=True, slots=True)
class DepthMeasure:
    """`AbsRel`, `delta1` to `delta3`, `RMSE` and `log10`, and `AbsRel of a flat picture`.

    Attributes:
        compare_at: the size at which both are compared. At the `target`'s, a drawing is sampled
            at the pixel under each centre; at the `drawing`'s, the target is.
        fit_to: what the drawing's levels are fitted to.
    """

    compare_at: CompareAt = "target"
    fit_to: FitTo = "target"

    def picture(self, drawing: Drawing, sample: ScoredSample) -> DepthRow:
        """Read a drawing as depth and compare it with its target.

        Raises:
            CorpusError: the target and its facts do not belong together, or hold no depth.
        """
        decoded = DepthProxy.decode(sample.target, sample.facts)
        if self.compare_at == "target":
            drawing = resampled(drawing, *decoded.inverse_depth.shape)
        depth = fitted_depth(drawn_levels(drawing, sample.facts["colormap"]), decoded, self.fit_to)
        errors = depth_errors(depth.high / depth.fitted, depth.high / depth.target, depth.left_out)
        nearest = 1 / depth.high if decoded.unit == "1/m" else np.nan
        return DepthRow(errors, relative_error(depth.flat, depth.target), nearest)

    def quality(self, row: DepthRow) -> float:
        """1 less `AbsRel`, 0 at the least."""
        return max(0.0, 1 - row.errors.absolute_relative)

    def overall(self, rows: Sequence[DepthRow], seed: int) -> dict[str, Estimate]:
        """Means over pictures, each with its interval."""
        scores = depth_scores([row.errors for row in rows], seed)
        nearest = np.array([row.nearest for row in rows])
        if np.isfinite(nearest).all():
            multiples = np.array([row.errors.root_mean_square for row in rows])
            scores["RMSE in metres"] = mean_over_pictures(multiples * nearest, seed)
        flat = mean_over_pictures(np.array([row.flat for row in rows]), seed)
        return {**scores, "AbsRel of a flat picture": flat}

    def absent(self, sample: ScoredSample) -> DepthRow:
        """The row of a flat drawing: after alignment, none says less of the depth."""
        return self.picture(np.zeros((1, 1, 3), np.uint8), sample)
