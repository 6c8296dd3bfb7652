"""Errors of depth, as benchmarks of depth report them (Eigen et al., NeurIPS 2014, section 4.1).

Every number is of one picture; over pictures their mean is taken, so that each picture counts the
same, however many of its pixels have a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.scoring.intervals import Estimate, as_share, mean_over_pictures

_RATIO = 1.25


@dataclass(frozen=True, slots=True)
class DepthErrors:
    """Errors of one picture; all but the counts are NaN where no pixel counts.

    Attributes:
        absolute_relative: mean of |depth - true depth| / true depth.
        near: shares of pixels whose depth is within a factor of 1.25, 1.25^2 and 1.25^3.
        root_mean_square: root of the mean of (depth - true depth)^2, in the unit of the depth.
        logarithmic: mean of |log10(depth / true depth)|.
        pixels: number of pixels that count.
        left_out: number of pixels that do not.
    """

    absolute_relative: float
    near: tuple[float, float, float]
    root_mean_square: float
    logarithmic: float
    pixels: int
    left_out: int


def depth_errors(
    depth: NDArray[np.float64], target: NDArray[np.float64], left_out: int
) -> DepthErrors:
    """Errors of depth [n] against the true depth [n], both positive and finite."""
    if not len(target):
        return DepthErrors(np.nan, (np.nan, np.nan, np.nan), np.nan, np.nan, 0, left_out)
    ratios = depth / target
    factors = np.maximum(ratios, 1 / ratios)
    differences = depth - target
    return DepthErrors(
        float(np.abs(ratios - 1).mean()),
        tuple(float((factors < _RATIO**power).mean()) for power in (1, 2, 3)),  # type: ignore[arg-type]
        float(np.sqrt(differences @ differences / len(target))),
        float(np.log10(factors).mean()),
        len(target),
        left_out,
    )


def depth_scores(rows: Sequence[DepthErrors], seed: int) -> dict[str, Estimate]:
    """`AbsRel`, `delta1` to `delta3`, `RMSE` and `log10`: means over the pictures that count.

    Raises:
        CorpusError: no picture has a pixel that counts.
    """
    counted = [row for row in rows if row.pixels]
    if not counted:
        raise CorpusError(f"none of the {len(rows)} depth targets has a pixel that counts")
    near = np.array([row.near for row in counted])
    means = {
        "AbsRel": [row.absolute_relative for row in counted],
        "RMSE": [row.root_mean_square for row in counted],
        "log10": [row.logarithmic for row in counted],
    }
    scores = {name: mean_over_pictures(np.array(values), seed) for name, values in means.items()}
    shares = {
        f"delta{number}": as_share(mean_over_pictures(near[:, number - 1], seed))
        for number in (1, 2, 3)
    }
    return {"AbsRel": scores.pop("AbsRel"), **shares, **scores}
