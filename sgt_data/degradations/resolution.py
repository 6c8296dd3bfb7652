"""Lost resolution: pictures that were shrunk and enlarged again.

Bicubic resampling as Pillow does it (a = -1/2, support widened when shrinking), with the passes in
the cheaper order: rows first when shrinking, columns first when enlarging.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.degradations.pixels import Pixels

_WEIGHT_BITS = 20  # sums of weights times 255 fit 32 bits
_HALF = 1 << (_WEIGHT_BITS - 1)
_SUPPORT = 2


def down_and_up(picture: Pixels, factor: int) -> Pixels:
    """A picture shrunk by `factor` on both sides (to one pixel at least) and enlarged again."""
    height, width, _ = picture.shape
    low, narrow = max(1, height // factor), max(1, width // factor)
    small = _resize_columns(_resize_rows(picture, low), narrow)
    return _resize_rows(_resize_columns(small, width), height)


def _resize_rows(picture: Pixels, rows: int) -> Pixels:
    height, width, _ = picture.shape
    resized = np.empty((rows, width, 3), np.uint8)
    _mix_rows(
        picture.reshape(height, -1), *bicubic_weights(height, rows), resized.reshape(rows, -1)
    )
    return resized


def _resize_columns(picture: Pixels, columns: int) -> Pixels:
    height, width, _ = picture.shape
    resized = np.empty((height, columns, 3), np.uint8)
    _mix_columns(picture, *bicubic_weights(width, columns), resized)
    return resized


@lru_cache(maxsize=64)
def bicubic_weights(size: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Weights by which `size` pixels along a side become `new` pixels.

    Returns:
        For each new pixel its first source pixel [new], and the weights [new, T] of that pixel and
        those after it, in 2^-20.
    """
    scale = size / new
    widened = max(scale, 1.0)
    centres = (np.arange(new) + 0.5) * scale
    reach = _SUPPORT * widened
    begins = np.maximum((centres - reach + 0.5).astype(np.int64), 0)
    ends = np.minimum((centres + reach + 0.5).astype(np.int64), size)
    taps = int((ends - begins).max())
    begins = np.minimum(begins, size - taps)
    places = begins[:, None] + np.arange(taps)
    weights = _cubic(np.abs((places + 0.5 - centres[:, None]) / widened))
    # a running sum: the order in which numpy's own sum adds may differ between CPUs
    total = np.cumsum(weights, axis=1)[:, -1:]
    whole = np.floor(weights / total * (1 << _WEIGHT_BITS) + 0.5)
    return begins, whole.astype(np.int32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic kernel with a = -1/2, in sums and products, which are exactly rounded."""
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    zero = np.zeros_like(distance)
    return np.where(distance < 1, near, np.where(distance < _SUPPORT, far, zero))


@njit
def _level(total: Any) -> Any:
    return min(max(total >> np.int32(_WEIGHT_BITS), np.int32(0)), np.int32(255))


@njit
def _mix_rows(
    values: NDArray[np.uint8],
    begins: NDArray[np.int64],
    weights: NDArray[np.int32],
    mixed: NDArray[np.uint8],
) -> None:
    rows, width = mixed.shape
    sums = np.empty(width, np.int32)
    for y in range(rows):
        sums[:] = _HALF
        for tap in range(weights.shape[1]):
            weight = weights[y, tap]
            line = values[begins[y] + tap]
            for x in range(width):
                sums[x] += weight * np.int32(line[x])
        for x in range(width):
            mixed[y, x] = _level(sums[x])


@njit
def _mix_columns(
    picture: NDArray[np.uint8],
    begins: NDArray[np.int64],
    weights: NDArray[np.int32],
    mixed: NDArray[np.uint8],
) -> None:
    rows, columns, _ = mixed.shape
    for y in range(rows):
        for x in range(columns):
            red = green = blue = np.int32(_HALF)
            begin = begins[x]
            for tap in range(weights.shape[1]):
                weight = weights[x, tap]
                red += weight * np.int32(picture[y, begin + tap, 0])
                green += weight * np.int32(picture[y, begin + tap, 1])
                blue += weight * np.int32(picture[y, begin + tap, 2])
            mixed[y, x, 0] = _level(red)
            mixed[y, x, 1] = _level(green)
            mixed[y, x, 2] = _level(blue)
