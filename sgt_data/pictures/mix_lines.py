"""Weighted sums of a picture's lines: the two passes of a resize, in integers.

Both passes are one loop over bytes that lie side by side, which compilers turn into vector
instructions. In one pass the lines are the rows of the picture. In the other they are its columns:
a band of rows at a time is turned on its side, so that the bytes of a column lie side by side. The
turns are written out for one and for three bytes a pixel: a loop over them would double the time of
this pass (benchmarks/resample.py).

Why it is ours, the baseline and the oracle: see `resample`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Bytes = NDArray[np.uint8]

WEIGHT_BITS = 22
"""Bits of a weight after the point: with them, sums of 255 times the weights fit 32 bits."""

_GROUP = 4  # lines that are added in one go
_TURNED_BYTES = 192  # of a column, from as many rows at once as that are


class Taps(NamedTuple):
    """How source lines become new lines.

    Attributes:
        begins: [new] int32, the first source line of each new line.
        counts: [new] int32, how many source lines it is made of.
        weights: [new, T] int32, their weights in 2^-22, then zeros. T is a multiple of 4.
    """

    begins: NDArray[np.int32]
    counts: NDArray[np.int32]
    weights: NDArray[np.int32]


def taps_of(
    begins: NDArray[np.integer[Any]],
    counts: NDArray[np.integer[Any]],
    weights: NDArray[np.int32],
) -> Taps:
    """Taps from weights [new, T] in 2^-22 of any T, which are zero after the last of each line."""
    padded = np.zeros((len(weights), -(-weights.shape[1] // _GROUP) * _GROUP), np.int32)
    padded[:, : weights.shape[1]] = weights
    return Taps(begins.astype(np.int32), counts.astype(np.int32), padded)


def mixed_rows(picture: Bytes, taps: Taps) -> Bytes:
    """Each new row is a weighted sum of rows, rounded and clipped to 8 bits.

    Args:
        picture: [H, W, C] or [H, W], contiguous.
        taps: of the new rows.
    """
    shape = (len(taps.begins), *picture.shape[1:])
    lines = _read_only(picture.reshape(len(picture), -1))
    mixed = np.empty((shape[0], lines.shape[1]), np.uint8)
    _mix_lines(lines, taps, mixed)
    return mixed.reshape(shape)


def mixed_columns(picture: Bytes, taps: Taps) -> Bytes:
    """Each new column is a weighted sum of columns, rounded and clipped to 8 bits.

    Args:
        picture: [H, W] grey or [H, W, 3], contiguous.
        taps: of the new columns.
    """
    height, columns = len(picture), len(taps.begins)
    lines = _read_only(picture.reshape(height, -1))
    if picture.ndim == 2:
        mixed = np.empty((height, columns), np.uint8)
        _mix_grey_columns(lines, taps, mixed)
        return mixed
    mixed = np.empty((height, 3 * columns), np.uint8)
    _mix_rgb_columns(lines, taps, mixed)
    return mixed.reshape(height, columns, 3)


def _read_only(lines: Bytes) -> Bytes:
    """A view that is not writeable: compiled code has a version for each of the two kinds."""
    view = lines.view()
    view.flags.writeable = False
    return view


@njit
def _level(total: Any) -> Any:
    return np.uint8(min(max(total >> np.int32(WEIGHT_BITS), np.int32(0)), np.int32(255)))


@njit
def _places(begin: int, last: int) -> Any:
    """Four lines from `begin` on; the last line of the picture for those beyond it, whose weights
    are zero."""
    return min(begin, last), min(begin + 1, last), min(begin + 2, last), min(begin + 3, last)


@njit
def _factors(weights: NDArray[np.int32], line: int, tap: int) -> Any:
    """Four weights from `tap` on."""
    return (
        weights[line, tap],
        weights[line, tap + 1],
        weights[line, tap + 2],
        weights[line, tap + 3],
    )


@njit
def _four(lines: Bytes, x: int, places: Any, factors: Any) -> Any:
    """Weighted sum of a byte of four lines."""
    return (
        factors[0] * np.int32(lines[places[0], x])
        + factors[1] * np.int32(lines[places[1], x])
        + factors[2] * np.int32(lines[places[2], x])
        + factors[3] * np.int32(lines[places[3], x])
    )


@njit
def _mix_lines(lines: Bytes, taps: Taps, mixed: Bytes) -> None:
    begins, counts, weights = taps
    new, width = mixed.shape
    last = len(lines) - 1
    half = np.int32(1 << (WEIGHT_BITS - 1))
    sums = np.empty(width, np.int32)
    for line in range(new):
        begin, count = begins[line], counts[line]
        places, factors = _places(begin, last), _factors(weights, line, 0)
        for x in range(width):
            sums[x] = half + _four(lines, x, places, factors)
        for tap in range(_GROUP, count, _GROUP):
            places, factors = _places(begin + tap, last), _factors(weights, line, tap)
            for x in range(width):
                sums[x] += _four(lines, x, places, factors)
        for x in range(width):
            mixed[line, x] = _level(sums[x])


@njit
def _mix_rgb_columns(lines: Bytes, taps: Taps, mixed: Bytes) -> None:
    rows, columns, new = len(lines), lines.shape[1] // 3, len(taps.begins)
    band = _TURNED_BYTES // 3
    turned = np.zeros((columns, _TURNED_BYTES), np.uint8)
    turned_mixed = np.empty((new, _TURNED_BYTES), np.uint8)
    for top in range(0, rows, band):
        height = min(band, rows - top)
        for row in range(height):
            for x in range(columns):
                turned[x, 3 * row] = lines[top + row, 3 * x]
                turned[x, 3 * row + 1] = lines[top + row, 3 * x + 1]
                turned[x, 3 * row + 2] = lines[top + row, 3 * x + 2]
        _mix_lines(turned, taps, turned_mixed)
        for row in range(height):
            for x in range(new):
                mixed[top + row, 3 * x] = turned_mixed[x, 3 * row]
                mixed[top + row, 3 * x + 1] = turned_mixed[x, 3 * row + 1]
                mixed[top + row, 3 * x + 2] = turned_mixed[x, 3 * row + 2]


@njit
def _mix_grey_columns(lines: Bytes, taps: Taps, mixed: Bytes) -> None:
    rows, columns = lines.shape
    new = len(taps.begins)
    turned = np.zeros((columns, _TURNED_BYTES), np.uint8)
    turned_mixed = np.empty((new, _TURNED_BYTES), np.uint8)
    for top in range(0, rows, _TURNED_BYTES):
        height = min(_TURNED_BYTES, rows - top)
        for row in range(height):
            for x in range(columns):
                turned[x, row] = lines[top + row, x]
        _mix_lines(turned, taps, turned_mixed)
        for row in range(height):
            for x in range(new):
                mixed[top + row, x] = turned_mixed[x, row]
