"""Motion blur of a camera that moves along a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.degradations.pixels import (
    DIRECTION_ONE,
    Pixels,
    cosine,
    sine,
)

LENGTH_MAX = 120
"""Longest motion in pixels: sums of so many values fit 16 bits."""

_RECIPROCAL_BITS = 24  # sums up to 121 * 255 divide exactly by a product and a shift


def motion_blur(picture: Pixels, length: int, angle: int) -> Pixels:
    """Mean of a picture over a digital line; edge pixels are repeated outwards.

    Args:
        picture: the picture.
        length: of the line in pixels, 2 to 120.
        angle: of the line in whole degrees, counterclockwise from the right.
    """
    height, width, _ = picture.shape
    taps = line_taps(length, angle)
    reach = int(np.abs(taps[:, 0]).max())
    blurred = np.empty(picture.shape, np.uint8)
    _average(
        np.pad(picture, ((0, 0), (reach, reach), (0, 0)), "edge").reshape(height, -1),
        taps[:, 1].copy(),
        (taps[:, 0] + reach) * 3,
        blurred.reshape(height, width * 3),
    )
    return blurred


def line_taps(length: int, angle: int) -> NDArray[np.int64]:
    """Offsets of the pixels of a digital line, [T, 2] as x, y (down).

    There is a pixel for each step along the longer axis. The line is symmetric about 0, so that
    blurring shifts nothing.
    """
    along = np.array([int(cosine(angle)), -int(sine(angle))], np.int64)
    major = int(np.argmax(np.abs(along)))
    steps = max(1, _rounded(length * abs(int(along[major])), 2 * DIRECTION_ONE))
    ahead = [
        [_rounded(step * int(component), abs(int(along[major]))) for component in along]
        for step in range(1, steps + 1)
    ]
    behind = [[-x, -y] for x, y in reversed(ahead)]
    return np.array(behind + [[0, 0]] + ahead, np.int64)


def _rounded(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole number, halves upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


@njit
def _average(
    padded: NDArray[np.uint8],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    blurred: NDArray[np.uint8],
) -> None:
    height, width = blurred.shape
    taps = len(rows)
    half = np.uint32(taps // 2)
    reciprocal = np.uint32((1 << _RECIPROCAL_BITS) // taps + 1)
    sums = np.empty(width, np.uint16)
    for y in range(height):
        sums[:] = 0
        for tap in range(taps):
            row = min(max(y + rows[tap], 0), height - 1)
            begin = columns[tap]
            line = padded[row, begin : begin + width]
            for x in range(width):
                sums[x] += line[x]
        for x in range(width):
            total = np.uint32(sums[x]) + half
            blurred[y, x] = np.uint32(total * reciprocal) >> np.uint32(_RECIPROCAL_BITS)
