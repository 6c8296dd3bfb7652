"""Gradients of a grey picture, in integers: the same on every CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

GAIN_UNITS = 1024


@njit
def sobel_magnitude(grey: NDArray[np.uint8], gain: int) -> NDArray[np.uint8]:
    """Length of the 3x3 Sobel gradient, times `gain` / 1024, rounded and clipped to 8 bits.

    Args:
        grey: [H, W], both at least 2.
        gain: of an edge from black to white the gradient is 1020 long.

    Returns:
        [H, W]. The picture is mirrored at its border without repeating it, as OpenCV's
        BORDER_REFLECT_101 does.
    """
    height, width = grey.shape
    out = np.empty((height, width), np.uint8)
    left, right = np.empty(width, np.int32), np.empty(width, np.int32)
    for column in range(width):
        left[column] = abs(column - 1)
        right[column] = min(column + 1, 2 * width - 3 - column)
    sums = np.empty(width, np.int32)
    gaps = np.empty(width, np.int32)
    scale = gain / 1024.0
    for row in range(height):
        above = grey[abs(row - 1)]
        here = grey[row]
        below = grey[min(row + 1, 2 * height - 3 - row)]
        for column in range(width):
            sums[column] = np.int32(above[column]) + 2 * np.int32(here[column]) + below[column]
            gaps[column] = np.int32(below[column]) - np.int32(above[column])
        target = out[row]
        for column in range(width):
            across = sums[right[column]] - sums[left[column]]
            down = gaps[left[column]] + 2 * gaps[column] + gaps[right[column]]
            length = np.sqrt(np.float64(across * across + down * down)) * scale
            target[column] = np.uint8(min(255.0, np.floor(length + 0.5)))
    return out
