"""Grey levels of pictures, and the gradients of these: the same on every CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

GAIN_UNITS = 1024
"""The gain of 1, as `sobel_magnitude` takes it."""


# in unsigned 32 bits, so that compilers take vector instructions
_BITS, _HALF = np.uint32(16), np.uint32(1 << 15)
_RED, _GREEN, _BLUE = np.uint32(19595), np.uint32(38470), np.uint32(7471)


@njit
def grey_levels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of ITU-R 601, rounded: the grey levels that Pillow gives as mode L.

    Args:
        pixels: [H, W, 3] uint8 RGB, contiguous.

    Returns:
        [H, W] uint8.
    """
    height, width, _ = pixels.shape
    grey = np.empty((height, width), np.uint8)
    for row in range(height):
        values, levels = pixels[row].reshape(-1), grey[row]
        for column in range(width):
            luma = (
                _RED * np.uint32(values[3 * column])
                + _GREEN * np.uint32(values[3 * column + 1])
                + _BLUE * np.uint32(values[3 * column + 2])
            )
            levels[column] = np.uint8((luma + _HALF) >> _BITS)
    return grey


@njit
def sobel_magnitude(grey: NDArray[np.uint8], gain: int) -> NDArray[np.uint8]:
    """Length of the 3x3 Sobel gradient, times `gain` / 1024, rounded and clipped to 8 bits.

    At its border the picture is mirrored without repeating the last pixel, as OpenCV's
    BORDER_REFLECT_101 does.

    Args:
        grey: [H, W], both at least 2.
        gain: 1024 is a gain of 1, with which an edge from black to white has the length 1020.

    Returns:
        [H, W] uint8.
    """
    height, width = grey.shape
    out = np.empty((height, width), np.uint8)
    # one column more on either side, so that all columns are computed alike
    sums, gaps = np.empty(width + 2, np.int32), np.empty(width + 2, np.int32)
    scale = gain / 1024.0
    for row in range(height):
        above = grey[abs(row - 1)]
        middle = grey[row]
        below = grey[min(row + 1, 2 * height - 3 - row)]
        for column in range(width):
            top, bottom = np.int32(above[column]), np.int32(below[column])
            sums[column + 1] = top + 2 * np.int32(middle[column]) + bottom
            gaps[column + 1] = bottom - top
        for mixed in (sums, gaps):
            mixed[0], mixed[width + 1] = mixed[2], mixed[width - 1]
        target = out[row]
        for column in range(width):
            across = sums[column + 2] - sums[column]
            down = gaps[column] + 2 * gaps[column + 1] + gaps[column + 2]
            length = np.sqrt(np.float64(across * across + down * down)) * scale
            target[column] = np.uint8(min(255.0, np.floor(length + 0.5)))
    return out
