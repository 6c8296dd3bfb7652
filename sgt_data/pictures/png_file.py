"""PNG files from streams that are packed already: signature, header, chunks, end."""

from __future__ import annotations

import struct
import zlib
from typing import Final

GREY: Final = 0
RGB: Final = 2
PALETTE: Final = 3
"""Kinds of pixels, as the header names them."""

_DATA_BYTES: Final = 1 << 16


def png_file(size: tuple[int, int], bits: int, kind: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file without interlacing.

    Args:
        size: width and height.
        bits: of a value or an index.
        kind: `GREY`, `RGB` or `PALETTE`.
        chunks: names and bodies of the chunks between header and end: `PLTE`, `IDAT`.
    """
    header = struct.pack(">IIBBBBB", *size, bits, kind, 0, 0, 0)
    whole = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in whole)


def data_chunks(stream: bytes, width: int) -> list[tuple[bytes, bytes]]:
    """A zlib stream in chunks of the length that Pillow's have for a picture of this width."""
    step = max(_DATA_BYTES, 4 * width)
    return [(b"IDAT", stream[begin : begin + step]) for begin in range(0, len(stream), step)]


def _chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(body, zlib.crc32(name))
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)
