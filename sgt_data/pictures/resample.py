"""Resize 8-bit pictures with Pillow's pixels, in a fraction of Pillow's time.

`resized` and `resized_pixels` give what `PIL.Image.resize` gives, bit for bit: a filter whose
support grows with the step when shrinking, weights of 22 bits after the point, two passes, each
rounded to 8 bits. The pixels are those of Pillow 13, whatever Pillow is installed: earlier versions
never take the rows first.

Why it is ours: resizing is the dearest step of a sample, and Pillow does it one pixel at a time
without vector instructions. This takes a quarter of its time (benchmarks/resample.py). OpenCV's
cubic filter has another kernel (a = -3/4) and does not widen it when shrinking; libvips and
torchvision round otherwise; Pillow-SIMD is an old fork of Pillow. Their pixels differ, and the
digests of corpora with them. The oracle is Pillow itself (tests/test_resample.py).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.compiled import njit
from sgt_data.pictures.mix_lines import WEIGHT_BITS, Bytes, Taps, mixed_columns, mixed_rows, taps_of

_REACH = {Image.Resampling.BILINEAR: 1, Image.Resampling.BICUBIC: 2}


def resized(
    image: Image.Image,
    size: tuple[int, int],
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """A picture at another size, with the pixels of `image.resize(size, resampling)`.

    A picture that has that size is returned itself. Pictures of other modes than RGB and L, and
    other filters than bicubic and bilinear, are left to Pillow.

    Args:
        image: the picture.
        size: new width and height, each at least 1.
        resampling: the filter.

    Raises:
        ValueError: a side is below 1.
    """
    if resampling not in _REACH or image.mode not in ("RGB", "L") or min(size) < 1:
        return image.resize(size, resampling)
    if image.size == size:
        return image
    new = Image.fromarray(resized_pixels(np.asarray(image), size, resampling))
    new.info = image.info.copy()  # as Pillow does: comment, profile
    return new


def resized_pixels(
    pixels: Bytes,
    size: tuple[int, int],
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Bytes:
    """Pixels at another size; see `resized`.

    Args:
        pixels: [H, W, 3] RGB or [H, W] grey, uint8.
        size: new width and height, each at least 1.
        resampling: the filter.

    Returns:
        [height, width, 3] or [height, width]; `pixels` themselves where they have that size.

    Raises:
        ValueError: a side is below 1.
    """
    if resampling not in _REACH or min(size) < 1:
        return np.array(Image.fromarray(pixels).resize(size, resampling))
    if pixels.shape[1::-1] == size:
        return pixels
    source = np.ascontiguousarray(pixels)
    width, height = size
    rows, columns = source.shape[:2]
    reach = _REACH[resampling]
    # as Pillow does from version 13 on: rows first where they are by far the more that go away
    rows_first = rows - height > max(0, 2 * (columns - width))
    mixed = source
    if rows_first:
        mixed = mixed_rows(mixed, _taps(rows, height, reach))
    if columns != width:
        mixed = mixed_columns(mixed, _taps(columns, width, reach))
    if rows != height and not rows_first:
        mixed = mixed_rows(mixed, _taps(rows, height, reach))
    return mixed


@lru_cache(maxsize=64)
def _taps(size: int, new: int, reach: int) -> Taps:
    """Taps by which `size` pixels along a side become `new` pixels."""
    return taps_of(*_weights(size, new, reach))


@njit
def _weights(
    size: int, new: int, reach: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Begins, counts and weights of a filter that reaches `reach` pixels, as Pillow computes them.

    Every operation is Pillow's, in Pillow's order, so that every rounding is its own.
    """
    scale = np.float64(np.float32(size)) / new
    widened = max(scale, 1.0)
    support = reach * widened
    begins, counts = np.zeros(new, np.int32), np.zeros(new, np.int32)
    weights = np.zeros((new, int(np.ceil(support)) * 2 + 1), np.int32)
    heights = np.zeros(weights.shape[1])
    step = 1.0 / widened
    for pixel in range(new):
        centre = (pixel + 0.5) * scale
        begin = max(int(centre - support + 0.5), 0)
        count = min(int(centre + support + 0.5), size) - begin
        total = 0.0
        for tap in range(count):
            heights[tap] = _height(abs((tap + begin - centre + 0.5) * step), reach)
            total += heights[tap]
        for tap in range(count):
            weight = heights[tap] / total if total != 0.0 else heights[tap]
            scaled = weight * (1 << WEIGHT_BITS)
            weights[pixel, tap] = np.int32(scaled - 0.5 if scaled < 0 else scaled + 0.5)
        begins[pixel] = begin
        counts[pixel] = count
    return begins, counts, weights


@njit
def _height(distance: float, reach: int) -> float:
    """Height of the filter at a distance: a triangle, or Keys' cubic kernel with a = -1/2."""
    if reach == 1:
        return max(1.0 - distance, 0.0)
    if distance < 1.0:
        return (1.5 * distance - 2.5) * distance * distance + 1
    if distance < 2.0:
        return (((distance - 5) * distance + 8) * distance - 4) * -0.5
    return 0.0
