"""Gradients of grey pictures, the same on every CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

GAIN_UNITS = 1024
"""The gain of 1, as `sobel_magnitude` takes it."""


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
    left, right = np.empty(width, np.int32), np.empty(width, np.int32)
    for column in range(width):
        left[column] = abs(column - 1)
        right[column] = min(column + 1, 2 * width - 3 - column)
    sums = np.empty(width, np.int32)
    gaps = np.empty(width, np.int32)
    scale = gain / 1024.0
    for row in range(height):
        above = grey[abs(row - 1)]
        middle = grey[row]
        below = grey[min(row + 1, 2 * height - 3 - row)]
        for column in range(width):
            sums[column] = np.int32(above[column]) + 2 * np.int32(middle[column]) + below[column]
            gaps[column] = np.int32(below[column]) - np.int32(above[column])
        target = out[row]
        for column in range(width):
            across = sums[right[column]] - sums[left[column]]
            down = gaps[left[column]] + 2 * gaps[column] + gaps[right[column]]
            length = np.sqrt(np.float64(across * across + down * down)) * scale
            target[column] = np.uint8(min(255.0, np.floor(length + 0.5)))
    return out
