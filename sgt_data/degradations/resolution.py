"""Lost resolution: pictures that were shrunk and enlarged again.

Bicubic resampling as Pillow does it (a = -1/2, support widened when shrinking), but with weights of
20 bits and the passes in another order: rows first when shrinking, columns first when enlarging.
Targets that were drawn so stay as they are; the loops are those of `pictures.mix_lines`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.degradations.pixels import Pixels
from sgt_data.pictures.mix_lines import WEIGHT_BITS, Taps, mixed_columns, mixed_rows, taps_of

_WEIGHT_BITS = 20
_SUPPORT = 2


def down_and_up(picture: Pixels, factor: int) -> Pixels:
    """A picture shrunk by `factor` on both sides (to one pixel at least) and enlarged again."""
    height, width, _ = picture.shape
    low, narrow = max(1, height // factor), max(1, width // factor)
    small = mixed_columns(mixed_rows(picture, _taps(height, low)), _taps(width, narrow))
    return mixed_rows(mixed_columns(small, _taps(narrow, width)), _taps(low, height))


@lru_cache(maxsize=64)
def _taps(size: int, new: int) -> Taps:
    begins, weights = bicubic_weights(size, new)
    counts = np.full(new, weights.shape[1])
    return taps_of(begins, counts, weights << (WEIGHT_BITS - _WEIGHT_BITS))


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
