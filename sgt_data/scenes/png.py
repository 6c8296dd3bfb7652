"""Maps of scenes -> PNG: rows stored as differences to the row above (filter "up"), zlib level 3.

This writer stays beside Pillow's and OpenCV's because the digests of these files are part of the
identity of corpora, and no setting of the others gives the same bytes: Pillow has no fixed filter,
OpenCV writes no palettes and shortens zlib's window for small pictures.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.pictures.png_file import GREY, PALETTE, RGB, png_file

_LEVEL: Final = 3


def grey16_png(values: NDArray[np.uint16]) -> bytes:
    """PNG, 16-bit greyscale, of a map [H, W] uint16."""
    height, width = values.shape
    raw = values.astype(">u2").view(np.uint8).reshape(height, 2 * width)
    return png_file((width, height), 16, GREY, (b"IDAT", _packed(raw)))


def rgb_png(values: NDArray[np.uint8]) -> bytes:
    """PNG, 8-bit RGB, of a picture [H, W, 3] uint8."""
    height, width, _ = values.shape
    raw = values.reshape(height, 3 * width)
    return png_file((width, height), 8, RGB, (b"IDAT", _packed(raw)))


def palette_png(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """PNG with a palette of a map [H, W] uint8; `palette` [256, 3] uint8 RGB."""
    colours = (b"PLTE", palette.tobytes())
    return png_file(values.shape[::-1], 8, PALETTE, colours, (b"IDAT", _packed(values)))


def _packed(raw: NDArray[np.uint8]) -> bytes:
    rows = np.empty((raw.shape[0], raw.shape[1] + 1), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=rows[1:, 1:])
    return zlib.compress(rows.tobytes(), _LEVEL)
