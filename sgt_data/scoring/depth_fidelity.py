"""Absolute relative error of generated depth after alignment with the target.

Generated and true maps are inverse depth, the former of unknown scale and shift. Both are fitted by
least squares in inverse depth, per picture (MiDaS: Ranftl et al., TPAMI 2022, section 5); the
result is clipped to the range that the target states, and depth is its inverse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.proxies.depth import DecodedDepth
from sgt_data.proxies.inferno import inferno
from sgt_data.scoring.intervals import Estimate, mean_over_pictures
from sgt_data.scoring.overlap import resampled

FARTHEST = 100.0
"""Largest depth, in multiples of the nearest; larger depth (and inverse depth 0) counts as this."""


def generated_levels(generated: NDArray[np.floating], colormap: str) -> NDArray[np.float64]:
    """Brightness [S, S], 0 to 1, of a generated depth picture [3, S, S] in -1 to 1.

    Args:
        generated: the picture.
        colormap: `grey` for the mean of the channels, `inferno` for the level of the nearest colour
            of that colour map.
    """
    unit = (np.clip(generated, -1, 1).astype(float) + 1) / 2
    if colormap == "grey":
        return np.asarray(unit.mean(axis=0))
    table = inferno() / 255.0
    pixels = unit.reshape(3, -1).T
    distances = -2 * pixels @ table.T + (table**2).sum(axis=1)
    levels: NDArray[np.float64] = distances.argmin(axis=1) / (len(table) - 1)
    return levels.reshape(unit.shape[1:])


def aligned(levels: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels after the scale and shift that bring them nearest to the target (least squares).

    Constant levels become the target's mean, where `scipy.stats.linregress` has no fit.
    """
    centred = levels - levels.mean()
    power = float((centred**2).sum())
    scale = float((centred * target).sum()) / power if power > 1e-12 * levels.size else 0.0
    return np.asarray(scale * centred + target.mean())


def depth_error(
    generated: NDArray[np.floating], decoded: DecodedDepth, colormap: str = "grey"
) -> tuple[float, float]:
    """Absolute relative error of one picture: mean of |depth - true depth| / true depth, over the
    pixels that have a measurement.

    Returns:
        The error, and that of a constant picture, which a useful picture must stay below.

    Raises:
        CorpusError: the target has no positive inverse depth, or no measurement at these pixels.
    """
    if decoded.high <= 0:
        raise CorpusError(f"a depth target ends at an inverse depth of {decoded.high:g}")
    size = generated.shape[1:]
    low = max(decoded.low, decoded.high / FARTHEST)
    seen = resampled(decoded.inverse_depth.astype(float), *size)
    measured = ~np.isnan(seen)
    if not measured.any():
        raise CorpusError(f"a depth target has no measurement at {size[1]}x{size[0]} pixels")
    target = np.clip(seen[measured], low, decoded.high)
    levels = generated_levels(generated, colormap)[measured]
    return _relative_error(aligned(levels, target), target, low, decoded.high), _relative_error(
        np.full(target.shape, target.mean()), target, low, decoded.high
    )


def depth_layout(errors: Sequence[tuple[float, float]], seed: int) -> dict[str, Estimate]:
    """`AbsRel` and `AbsRel of a flat picture`: means over pictures; lower is better."""
    generated, flat = np.array(errors, float).T
    return {
        "AbsRel": mean_over_pictures(generated, seed),
        "AbsRel of a flat picture": mean_over_pictures(flat, seed),
    }


def _relative_error(
    inverse: NDArray[np.float64], target: NDArray[np.float64], low: float, high: float
) -> float:
    return float(np.mean(np.abs(target / np.clip(inverse, low, high) - 1)))
