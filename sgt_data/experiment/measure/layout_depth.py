"""Depth that is generated, against the target: absolute relative error after alignment.

Generated and true maps are inverse depth, the former of unknown scale and shift: both are fitted by
least squares in inverse depth, per picture (MiDaS: Ranftl et al., TPAMI 2022, section 5), the
result is clipped to the range that the target states, and depth is its inverse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.intervals import Estimate, mean
from sgt_data.experiment.measure.layout import sampled
from sgt_data.proxies.depth import DecodedDepth, inferno

FARTHEST = 100.0
"""Depth beyond so many times the nearest counts as this far (also where inverse depth is 0)."""


def generated_levels(generated: NDArray[np.floating], colormap: str) -> NDArray[np.float64]:
    """Brightness 0 to 1 [S, S] of a generated picture [3, S, S] in -1 to 1: the mean of its
    channels, or the level of the nearest colour of `inferno`."""
    unit = (np.clip(generated, -1, 1).astype(float) + 1) / 2
    if colormap == "grey":
        return np.asarray(unit.mean(axis=0))
    table = inferno() / 255.0
    pixels = unit.reshape(3, -1).T
    distances = -2 * pixels @ table.T + (table**2).sum(axis=1)
    levels: NDArray[np.float64] = distances.argmin(axis=1) / (len(table) - 1)
    return levels.reshape(unit.shape[1:])


def aligned(levels: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """`scale * levels + shift` nearest to `truth` in the sum of squares; flat levels become its
    mean."""
    about = levels - levels.mean()
    power = float((about**2).sum())
    scale = float((about * truth).sum()) / power if power > 1e-12 * levels.size else 0.0
    return np.asarray(scale * about + truth.mean())


def depth_error(
    generated: NDArray[np.floating], decoded: DecodedDepth, colormap: str = "grey"
) -> tuple[float, float]:
    """Absolute relative error of one picture: mean of |depth - true depth| / true depth.

    Returns:
        The error, and that of a flat picture, which any useful one must stay below.

    Raises:
        CorpusError: the target has no positive inverse depth.
    """
    if decoded.high <= 0:
        raise CorpusError(f"a depth target ends at an inverse depth of {decoded.high:g}")
    size = generated.shape[1:]
    low = max(decoded.low, decoded.high / FARTHEST)
    truth = np.clip(sampled(decoded.inverse_depth.astype(float), *size), low, decoded.high)
    levels = generated_levels(generated, colormap)
    return _relative(aligned(levels, truth), truth, low, decoded.high), _relative(
        np.full(truth.shape, truth.mean()), truth, low, decoded.high
    )


def depth_layout(errors: Sequence[tuple[float, float]], seed: int) -> dict[str, Estimate]:
    """`AbsRel` and `AbsRel of a flat picture`, means over pictures; lower is better."""
    ours, flat = np.array(errors, float).T
    return {"AbsRel": mean(ours, seed), "AbsRel of a flat picture": mean(flat, seed)}


def _relative(
    inverse: NDArray[np.float64], truth: NDArray[np.float64], low: float, high: float
) -> float:
    return float(np.mean(np.abs(truth / np.clip(inverse, low, high) - 1)))
