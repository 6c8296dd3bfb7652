"""SSIM, the structural similarity of two pictures.

As Wang et al. (IEEE TIP 2004) define it: means, variances and covariance in a Gaussian window of
11 pixels with sigma 1.5; K1 = 0.01, K2 = 0.03. It is computed for each of the channels R, G and B
and averaged over channels and pixels, with the borders mirrored, as `torchmetrics` does (0.0 to
255.0 as data range); the authors' own program has luma alone and leaves the borders out.

With p = x + y and m = x - y, the four maps p, m, p^2 and m^2 give all that the five maps of the
definition do, and two equal pictures have a similarity of exactly 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

_SIGMA, _REACH = 1.5, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def structural_similarity(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """SSIM, -1 to 1, of two pictures [H, W, 3] of the same size, 6 pixels a side at the least."""
    height, width, channels = first.shape
    shape = height, width * channels
    return float(_similarity(first.reshape(shape), second.reshape(shape), channels, _window()))


def _window() -> NDArray[np.float64]:
    """The middle weight of the Gaussian and those of one side; both sides add up to 1."""
    weights = np.exp(-(np.arange(_REACH + 1) ** 2) / (2 * _SIGMA**2))
    return np.asarray(weights / (2 * weights.sum() - weights[0]))


@njit
def _similarity(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    channels: int,
    window: NDArray[np.float64],
) -> float:
    """Mean similarity of rows [H, W * channels] of interleaved channels."""
    height, length = first.shape
    reach = len(window) - 1
    margin = reach * channels
    tall = np.empty((4, length + 2 * margin))
    maps = np.empty((4, length))
    row_sum = np.empty(length)
    total = 0.0
    for row in range(height):
        _down_columns(first, second, row, window, tall[:, margin : margin + length])
        _mirror_ends(tall, margin, channels)
        _along_row(tall, channels, window, maps)
        _similarity_of_row(maps, row_sum)
        total += row_sum.sum()
    return total / (height * length)


@njit
def _down_columns(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    row: int,
    window: NDArray[np.float64],
    maps: NDArray[np.float64],
) -> None:
    """Sum, difference and their squares [4, length] of two pictures, weighed around a row."""
    height, length = first.shape
    reach = len(window) - 1
    plus, minus, plus2, minus2 = maps[0], maps[1], maps[2], maps[3]
    maps[:] = 0.0
    for tap in range(reach + 1):
        above, below = abs(row - tap), row + tap
        if below >= height:
            below = 2 * (height - 1) - below
        # the middle row counts twice, at half its weight
        weight = window[tap] if tap else window[tap] / 2
        one, other, next_one, next_other = first[above], second[above], first[below], second[below]
        for column in range(length):
            x, y = np.int32(one[column]), np.int32(other[column])
            next_x, next_y = np.int32(next_one[column]), np.int32(next_other[column])
            p, m, next_p, next_m = x + y, x - y, next_x + next_y, next_x - next_y
            plus[column] += weight * np.int32(p + next_p)
            minus[column] += weight * np.int32(m + next_m)
            plus2[column] += weight * np.int32(p * p + next_p * next_p)
            minus2[column] += weight * np.int32(m * m + next_m * next_m)


@njit
def _mirror_ends(maps: NDArray[np.float64], margin: int, channels: int) -> None:
    """Fill the margins at both ends of rows with the pixels beside them, mirrored."""
    last = maps.shape[1] - margin - channels
    for kind in range(len(maps)):
        for pixel in range(1, margin // channels + 1):
            for channel in range(channels):
                step = pixel * channels
                maps[kind, margin - step + channel] = maps[kind, margin + step + channel]
                maps[kind, last + step + channel] = maps[kind, last - step + channel]


@njit
def _along_row(
    tall: NDArray[np.float64], channels: int, window: NDArray[np.float64], maps: NDArray[np.float64]
) -> None:
    """Weigh rows with margins [4, length + 2 * margin] along themselves."""
    reach = len(window) - 1
    length = maps.shape[1]
    for kind in range(len(maps)):
        source, sums = tall[kind], maps[kind]
        middle = reach * channels
        for column in range(length):
            sums[column] = window[0] * source[middle + column]
        for tap in range(1, reach + 1):
            weight, left, right = window[tap], (reach - tap) * channels, (reach + tap) * channels
            for column in range(length):
                sums[column] += weight * (source[left + column] + source[right + column])


@njit
def _similarity_of_row(maps: NDArray[np.float64], similarity: NDArray[np.float64]) -> None:
    """Similarity [length] from the four smooth maps, by Wang's equation 13."""
    for column in range(len(similarity)):
        p, m = maps[0, column] * maps[0, column], maps[1, column] * maps[1, column]
        plus, minus = max(maps[2, column] - p, 0.0), max(maps[3, column] - m, 0.0)
        # 2 * mean * mean is (p - m) / 2, the sum of both squares (p + m) / 2; variances likewise
        similarity[column] = (
            ((p - m) / 2 + _C1)
            * ((plus - minus) / 2 + _C2)
            / (((p + m) / 2 + _C1) * ((plus + minus) / 2 + _C2))
        )
