"""Maps of scenes -> PNG: rows stored as differences to the row above (filter "up"), zlib level 3.

This writer stays beside Pillow's and OpenCV's because the digests of these files are part of the
identity of corpora, and no setting of the others gives the same bytes: Pillow has no fixed filter,
OpenCV writes no palettes and shortens zlib's window for small pictures.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GREY, _RGB, _PALETTE = 0, 2, 3
_LEVEL: Final = 3


def grey16_png(values: NDArray[np.uint16]) -> bytes:
    """PNG, 16-bit greyscale, of a map [H, W] uint16."""
    height, width = values.shape
    raw = values.astype(">u2").view(np.uint8).reshape(height, 2 * width)
    return _png(raw, width, 16, _GREY)


def rgb_png(values: NDArray[np.uint8]) -> bytes:
    """PNG, 8-bit RGB, of a picture [H, W, 3] uint8."""
    height, width, _ = values.shape
    return _png(values.reshape(height, 3 * width), width, 8, _RGB)


def palette_png(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """PNG with a palette of a map [H, W] uint8; `palette` [256, 3] uint8 RGB."""
    return _png(values, values.shape[1], 8, _PALETTE, _chunk(b"PLTE", palette.tobytes()))


def _png(raw: NDArray[np.uint8], width: int, bits: int, kind: int, extra: bytes = b"") -> bytes:
    rows = np.empty((raw.shape[0], raw.shape[1] + 1), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = raw[0]
    np.subtract(raw[1:], raw[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, raw.shape[0], bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + extra
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), _LEVEL))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
