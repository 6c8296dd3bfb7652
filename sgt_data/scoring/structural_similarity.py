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
    """SSIM, -1 to 1, of two pictures [H, W, 3] of the same size."""
    height, width, channels = first.shape
    shape = height, width * channels
    left_row, other = np.ascontiguousarray(first), np.ascontiguousarray(second)
    return _similarity(left_row.reshape(shape), other.reshape(shape), channels, _window())


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
    # the four maps of the rows around the present left_row, by number of the row
    around = np.empty((2 * reach + 1, 4, length))
    tall = np.empty((4, length + 2 * reach * channels))
    maps = np.empty((4, length))
    total = 0.0
    for row in range(min(reach, height)):
        _read_row(first[row], second[row], around[row % len(around)])
    for row in range(height):
        if row + reach < height:
            coming = row + reach
            _read_row(first[coming], second[coming], around[coming % len(around)])
        _down_columns(around, row, height, window, tall)
        _along_row(tall, channels, window, maps)
        total += _sum_of_row(maps)
    return float(total / (height * length))


@njit
def _read_row(
    left_row: NDArray[np.uint8], other: NDArray[np.uint8], maps: NDArray[np.float64]
) -> None:
    """Sum, difference and their squares [4, length] of a row of two pictures."""
    plus, minus, plus_squares, minus_squares = maps[0], maps[1], maps[2], maps[3]
    for column in range(len(left_row)):
        plus[column] = np.int32(left_row[column]) + np.int32(other[column])
    for column in range(len(left_row)):
        minus[column] = np.int32(left_row[column]) - np.int32(other[column])
    for column in range(len(left_row)):
        plus_squares[column] = plus[column] * plus[column]
    for column in range(len(left_row)):
        minus_squares[column] = minus[column] * minus[column]


@njit
def _down_columns(
    around: NDArray[np.float64],
    row: int,
    height: int,
    window: NDArray[np.float64],
    tall: NDArray[np.float64],
) -> None:
    """Weigh the maps of the rows around `row` into the middle of rows with margins."""
    rows, kinds, length = around.shape
    margin = (tall.shape[1] - length) // 2
    for kind in range(kinds):
        sums = tall[kind][margin : margin + length]
        _weigh_one(around[row % rows, kind], window[0], sums)
        for tap in range(1, len(window)):
            above, below = _mirrored(row - tap, height), _mirrored(row + tap, height)
            _weigh_two(around[above % rows, kind], around[below % rows, kind], window[tap], sums)


@njit
def _along_row(
    tall: NDArray[np.float64], channels: int, window: NDArray[np.float64], maps: NDArray[np.float64]
) -> None:
    """Fill the margins of rows [4, length + 2 * margin], and weigh the rows along themselves."""
    reach, length = len(window) - 1, maps.shape[1]
    margin = reach * channels
    pixels = length // channels
    for kind in range(len(maps)):
        source, sums = tall[kind], maps[kind]
        for outside in range(1, reach + 1):
            for place in (-outside, pixels - 1 + outside):
                into = margin + place * channels
                mirrored = margin + _mirrored(place, pixels) * channels
                for channel in range(channels):
                    source[into + channel] = source[mirrored + channel]
        _weigh_one(source[margin : margin + length], window[0], sums)
        for tap in range(1, len(window)):
            left, right = margin - tap * channels, margin + tap * channels
            left_row, other = source[left : left + length], source[right : right + length]
            _weigh_two(left_row, other, window[tap], sums)


@njit
def _weigh_one(left_row: NDArray[np.float64], weight: float, sums: NDArray[np.float64]) -> None:
    for column in range(len(sums)):
        sums[column] = weight * left_row[column]


@njit
def _weigh_two(
    left_row: NDArray[np.float64],
    other: NDArray[np.float64],
    weight: float,
    sums: NDArray[np.float64],
) -> None:
    for column in range(len(sums)):
        sums[column] += weight * (left_row[column] + other[column])


@njit
def _mirrored(place: int, length: int) -> int:
    """The place within 0 to `length - 1` that a place beyond mirrors; ends are not repeated."""
    period = max(2 * (length - 1), 1)
    place = abs(place) % period
    return place if place < length else period - place


@njit
def _sum_of_row(maps: NDArray[np.float64]) -> float:
    """Sum of the similarity (Wang's equation 13) of a row's four smooth maps [4, length]."""
    total = 0.0
    for column in range(maps.shape[1]):
        p, m = maps[0, column] * maps[0, column], maps[1, column] * maps[1, column]
        plus, minus = max(maps[2, column] - p, 0.0), max(maps[3, column] - m, 0.0)
        # 2 * mean * mean is (p - m) / 2, the sum of both squares (p + m) / 2; variances likewise
        total += (
            ((p - m) / 2 + _C1)
            * ((plus - minus) / 2 + _C2)
            / (((p + m) / 2 + _C1) * ((plus + minus) / 2 + _C2))
        )
    return total
