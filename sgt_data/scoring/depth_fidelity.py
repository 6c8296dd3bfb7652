"""Relative depth of a picture: read, brought to the target's scale and shift, and compared.

Drawn and true maps are inverse depth, the former of unknown scale and shift. Both are fitted by
least squares in inverse depth, per picture (MiDaS: Ranftl et al., TPAMI 2022, section 5); the
result is clipped to the range that the target states, and depth is its inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.proxies.depth import DecodedDepth
from sgt_data.proxies.inferno import inferno
from sgt_data.scoring.intervals import Estimate, mean_over_pictures
from sgt_data.scoring.nearest_colours import RGB, kept_table, nearest_numbers, nearest_of_levels
from sgt_data.scoring.overlap import resampled

FARTHEST = 100.0
"""Largest depth, in multiples of the nearest; larger depth (and inverse depth 0) counts as this."""

FitTo = Literal["target", "clipped target"]
"""Whether levels are fitted to the target's inverse depth, or to what is left of it after clipping
(as in the published experiment), by which a faultless drawing of a far background is off a little.
"""


@dataclass(frozen=True, slots=True)
class FittedDepth:
    """Inverse depth at the measured pixels [n] of one picture.

    Attributes:
        fitted: of the drawing, after alignment, clipped to `low` and `high`.
        flat: of a picture that is the same everywhere, which a useful drawing must beat.
        target: the true one, clipped to `low` and `high`.
        low, high: the least and the largest that count.
        left_out: number of pixels without a measurement.
    """

    fitted: NDArray[np.float64]
    flat: NDArray[np.float64]
    target: NDArray[np.float64]
    low: float
    high: float
    left_out: int


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
    return np.asarray(nearest_of_levels(unit.transpose(1, 2, 0) * 255, _inferno()) / 255)


def drawn_levels(drawing: NDArray[np.uint8], colormap: str) -> NDArray[np.float64]:
    """Brightness [H, W], 0 to 1, of a drawing [H, W, 3], by the rule of `generated_levels`."""
    if colormap == "grey":
        red, green, blue = np.moveaxis(drawing, 2, 0).astype(np.uint16)
        return np.asarray((red + green + blue) / 765.0)
    return np.asarray(nearest_numbers(drawing, kept_table(_inferno())) / 255)


def fitted_depth(
    levels: NDArray[np.float64], decoded: DecodedDepth, fit_to: FitTo = "target"
) -> FittedDepth:
    """Bring the levels [H, W] of a picture to the scale and shift of its target.

    The target is sampled at the picture's size.

    Args:
        levels: of the picture, 0 to 1.
        decoded: the target.
        fit_to: what the levels are fitted to; see `FitTo`.

    Raises:
        CorpusError: the target has no positive inverse depth, or no measurement at these pixels.
    """
    if decoded.high <= 0:
        raise CorpusError(f"a depth target ends at an inverse depth of {decoded.high:g}")
    height, width = levels.shape
    low, high = max(decoded.low, decoded.high / FARTHEST), decoded.high
    seen = resampled(decoded.inverse_depth.astype(float), height, width)
    measured = ~np.isnan(seen)
    if not measured.any():
        raise CorpusError(f"a depth target has no measurement at {width}x{height} pixels")
    target = seen[measured]
    clipped = np.clip(target, low, high)
    ideal = target if fit_to == "target" else clipped
    fitted = aligned(levels[measured], ideal)
    return FittedDepth(
        np.clip(fitted, low, high),
        np.clip(np.full(clipped.shape, ideal.mean()), low, high),
        clipped,
        low,
        high,
        int(seen.size - target.size),
    )


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
    depth = fitted_depth(generated_levels(generated, colormap), decoded, "clipped target")
    return relative_error(depth.fitted, depth.target), relative_error(depth.flat, depth.target)


def depth_layout(errors: Sequence[tuple[float, float]], seed: int) -> dict[str, Estimate]:
    """`AbsRel` and `AbsRel of a flat picture`: means over pictures; lower is better."""
    generated, flat = np.array(errors, float).T
    return {
        "AbsRel": mean_over_pictures(generated, seed),
        "AbsRel of a flat picture": mean_over_pictures(flat, seed),
    }


def relative_error(inverse: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """Mean of |depth - true depth| / true depth, from inverse depth [n] and its target [n]."""
    return float(np.mean(np.abs(target / inverse - 1)))


@lru_cache(maxsize=1)
def _inferno() -> tuple[RGB, ...]:
    return tuple((red, green, blue) for red, green, blue in inferno().tolist())
