"""PNG's row filters, chosen as Pillow chooses them: the least sum of distances from zero.

Of the filters none, up, sub and Paeth (in this order) a row gets the first of the smallest sum,
values above 127 counted as negative.

Why it is ours: Pillow computes the filters of a row byte by byte; with vector instructions and our
packing, maps of depth take half of Pillow's time (benchmarks/deflate.py). The oracle is Pillow
(tests/test_deflate.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Bytes = NDArray[np.uint8]

_NONE, _SUB, _UP, _PAETH = 0, 1, 2, 4


def unfiltered_rows(rows: Bytes) -> Bytes:
    """Rows without filters, [H, 1 + W]: zero, then the bytes as they are."""
    unfiltered = np.zeros((len(rows), 1 + rows.shape[1]), np.uint8)
    unfiltered[:, 1:] = rows
    return unfiltered


@njit
def filtered_rows(rows: Bytes, step: int) -> Bytes:
    """Rows with their filters, [H, 1 + W]: the number of the filter, then the filtered bytes.

    Args:
        rows: [H, W], bytes of the pixels.
        step: bytes of a pixel.
    """
    height, width = rows.shape
    filtered = np.empty((height, 1 + width), np.uint8)
    # a pixel of zeros before each row, and a row of zeros above the first
    above, row = np.zeros(step + width, np.uint8), np.zeros(step + width, np.uint8)
    up, sub, paeth = np.empty((3, width), np.uint8)
    for y in range(height):
        row[step:] = rows[y]
        _subtract(row[step:], above[step:], up)
        _subtract(row[step:], row[:width], sub)
        _subtract_nearest(row, above, step, paeth)
        kind, values, least = _NONE, rows[y], _distance(rows[y])
        for other_kind, other in ((_UP, up), (_SUB, sub), (_PAETH, paeth)):
            distance = _distance(other)
            if distance < least:
                kind, values, least = other_kind, other, distance
        filtered[y, 0] = kind
        filtered[y, 1:] = values
        above, row = row, above
    return filtered


@njit
def _subtract(values: Bytes, predicted: Bytes, rest: Bytes) -> None:
    for x in range(len(rest)):
        rest[x] = np.uint8(values[x] - predicted[x])


@njit
def _subtract_nearest(row: Bytes, above: Bytes, step: int, rest: Bytes) -> None:
    """Paeth's filter: of left, up and corner, the nearest to left + up - corner is subtracted."""
    values, lefts, ups, corners = row[step:], row, above[step:], above
    for x in range(len(rest)):
        left, up, corner = np.int16(lefts[x]), np.int16(ups[x]), np.int16(corners[x])
        down, across = np.int16(up - corner), np.int16(left - corner)
        to_left, to_up = np.int16(abs(down)), np.int16(abs(across))
        to_corner = np.int16(abs(np.int16(down + across)))
        nearest = up if to_up <= to_corner else corner
        nearest = left if (to_left <= to_up) & (to_left <= to_corner) else nearest
        rest[x] = np.uint8(np.int16(values[x]) - nearest)


@njit
def _distance(values: Bytes) -> int:
    """Sum of the values' distances from zero, those above 127 counted as negative."""
    total = np.uint32(0)
    for x in range(len(values)):
        total += np.uint32(min(values[x], np.uint8(-values[x])))
    return int(total)
