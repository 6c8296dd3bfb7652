"""Lines of edge strength, thinned to one pixel by non-maximum suppression.

As in Canny's second step and in the evaluation of Dollár and Zitnick (PAMI 2015): a pixel stays
where the smooth strength is the largest across the line, whose direction the second derivatives
give. It keeps the strength that was drawn there. BSDS thins the pixels of each threshold by
morphology instead; by suppression the lines of a high threshold are part of those of a low one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

SMOOTHING = 1.0
"""Sigma in pixels of the Gaussian: two neighbouring rows of white become one line."""


LEAST = 0.05
"""Strength, 0 to 1, below which a pixel is no edge."""


def thin_edges(strength: NDArray[np.float64], least: float = LEAST) -> NDArray[np.float64]:
    """Strength [H, W] of the middle of each line, 0 elsewhere.

    Args:
        strength: [H, W], 0 to 1.
        least: strength below which a pixel is no edge, above 0.
    """
    from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]

    smooth = gaussian_filter(strength.astype(np.float32), SMOOTHING, mode="nearest", truncate=3.0)
    middle = _ridges(np.pad(smooth, 2, mode="edge"), strength >= least)
    return np.where(middle, strength, 0.0)


@njit
def _ridges(smooth: NDArray[np.float32], asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether asked pixels [H, W] of a map with a margin of 2 are the largest across their line."""
    height, width = asked.shape
    ridges = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            if not asked[row, column]:
                continue
            y, x = row + 2, column + 2
            here = smooth[y, x]
            xx = smooth[y, x + 1] - 2 * here + smooth[y, x - 1]
            yy = smooth[y + 1, x] - 2 * here + smooth[y - 1, x]
            xy = smooth[y + 1, x + 1] - smooth[y + 1, x - 1]
            xy = (xy - smooth[y - 1, x + 1] + smooth[y - 1, x - 1]) / 4
            # the direction of the strongest downward bend: the eigenvector of the least eigenvalue
            spread = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
            if xx + yy - spread >= 0.0:
                continue
            across_x, across_y = 1.0, 0.0
            if spread > 0.0:
                # sine and cosine of half the angle whose cosine is (xx - yy) / spread
                across_x = np.sqrt(max(0.5 - (xx - yy) / (2 * spread), 0.0))
                across_y = np.sqrt(max(0.5 + (xx - yy) / (2 * spread), 0.0))
                if xy > 0.0:
                    across_x = -across_x
            before = _between(smooth, y - across_y, x - across_x)
            after = _between(smooth, y + across_y, x + across_x)
            # strict on one side: of two pixels with the same strength one stays
            ridges[row, column] = here > before and here >= after
    return ridges


@njit
def _between(values: NDArray[np.float32], y: float, x: float) -> float:
    """The bilinear value at a place between pixels."""
    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = y - top, x - left
    upper = (1 - right) * values[top, left] + right * values[top, left + 1]
    lower = (1 - right) * values[top + 1, left] + right * values[top + 1, left + 1]
    return float((1 - down) * upper + down * lower)
