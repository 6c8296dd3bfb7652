"""Metres that a model predicts, in the form in which they travel: inverse depth in 1/m."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAREST = 0.1
"""Metres. What a model takes for nearer counts as so far away: one pixel at 1 mm would leave all
others to steps of 1/65 1/m. So a step is at most 0.00015 1/m: below half a step of the colour walk
of `metric_depth` at every distance."""


def inverse_metres(metres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverse depth in 1/m of distances in metres, of which none counts as nearer than `NEAREST`.

    NaN and infinite distances stay what encoding refuses.
    """
    inverse: NDArray[np.float32] = np.reciprocal(np.maximum(metres, np.float32(NEAREST)))
    return np.where(np.isfinite(metres), inverse, np.float32(np.nan))
