"""Canny's contours (1986) of grey pictures, the same on every CPU: those of OpenCV's defaults.

A pixel is a candidate where its gradient is above the lower threshold and the largest across the
edge. Candidates above the higher threshold are contours, and so are all candidates that touch a
contour. All is computed in integers: the 3x3 Sobel gradient, its length |x| + |y|, and its
direction, for which 13573 / 2^15 stands for the tangent of 22.5 degrees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

_TANGENT = 13573  # of 22.5 degrees, in units of 2 ** -15


def canny(grey: NDArray[np.uint8], low: int, high: int) -> NDArray[np.uint8]:
    """The contours of a picture: 255 (white) on a contour, else 0.

    At its border the picture goes on with its last pixels (OpenCV's BORDER_REPLICATE).

    Args:
        grey: [H, W].
        low, high: thresholds, in units of gradient (black to white is 1020 units).

    Returns:
        [H, W] uint8.
    """
    across, down = _gradient(np.pad(grey, 1, mode="edge"))
    height, width = grey.shape
    length = np.zeros((height + 2, width + 2), np.int32)  # beyond the border there is no gradient
    length[1:-1, 1:-1] = np.abs(across) + np.abs(down)
    return _joined(_candidates(across, down, length, low, high))


@njit
def _gradient(padded: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The 3x3 Sobel gradient, to the right and downwards, of all but the outermost pixels."""
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    across = np.empty((height, width), np.int32)
    down = np.empty((height, width), np.int32)
    for row in range(height):
        above, middle, below = padded[row], padded[row + 1], padded[row + 2]
        for column in range(width):
            left = np.int32(above[column]) + 2 * np.int32(middle[column]) + below[column]
            right = (
                np.int32(above[column + 2]) + 2 * np.int32(middle[column + 2]) + below[column + 2]
            )
            top = np.int32(above[column]) + 2 * np.int32(above[column + 1]) + above[column + 2]
            bottom = np.int32(below[column]) + 2 * np.int32(below[column + 1]) + below[column + 2]
            across[row, column] = right - left
            down[row, column] = bottom - top
    return across, down


@njit
def _candidates(
    across: NDArray[np.int32],
    down: NDArray[np.int32],
    length: NDArray[np.int32],
    low: int,
    high: int,
) -> NDArray[np.uint8]:
    """1 for candidates, 2 for those above `high`, else 0; with a border of zeros, as `length`."""
    out = np.zeros(length.shape, np.uint8)
    for row in range(across.shape[0]):
        above, middle, below = length[row], length[row + 1], length[row + 2]
        for column in range(across.shape[1]):
            own = middle[column + 1]
            if own <= low:
                continue
            x, y = np.int64(across[row, column]), np.int64(down[row, column])
            flat = abs(x) * _TANGENT
            steep = flat + (abs(x) << 16)
            height = abs(y) << 15
            if height < flat:
                largest = own > middle[column] and own >= middle[column + 2]
            elif height > steep:
                largest = own > above[column + 1] and own >= below[column + 1]
            elif (x < 0) != (y < 0):
                largest = own > above[column + 2] and own > below[column]
            else:
                largest = own > above[column] and own > below[column + 2]
            if largest:
                out[row + 1, column + 1] = 2 if own > high else 1
    return out


@njit
def _joined(marks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contours without the border: marks of 2, and those of 1 that touch them."""
    height, width = marks.shape
    places = np.empty((height * width, 2), np.int32)
    count = 0
    for row in range(height):
        for column in range(width):
            if marks[row, column] == 2:
                places[count] = row, column
                count += 1
    while count:
        count -= 1
        row, column = places[count]
        for r in range(row - 1, row + 2):
            for c in range(column - 1, column + 2):
                if marks[r, c] == 1:
                    marks[r, c] = 2
                    places[count] = r, c
                    count += 1
    return np.where(marks[1:-1, 1:-1] == 2, np.uint8(255), np.uint8(0))
