"""Palette PNG -> RGB, fast: the form in which segmentation targets are stored.

Why it is ours: at the size of corpora it takes about half of the time of OpenCV's and Pillow's
readers (benchmarks/palette_png.py). Those undo row filters, expand indices, copy them and convert
colours in passes of their own; this one makes one pass over the packed bytes, a look-up for each.
Eight pixels are 24 bytes, three words of 64 bits, and are stored so. The oracle is Pillow
(tests/test_decode_pictures.py).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from sgt_data.compiled import njit

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_INDEXED = 3
_SUB, _UP, _MEAN, _PAETH = 1, 2, 3, 4
_PLAIN = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}

Empty = Callable[[tuple[int, int, int]], NDArray[np.uint8]]
"""Gives a C-contiguous uint8 array of a shape, its values undefined, as `numpy.empty` does."""


def empty_pixels(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """An array of pixels in memory of its own; see `Empty`."""
    return np.empty(shape, np.uint8)


def decode_palette(
    data: bytes, max_pixels: int, empty: Empty = empty_pixels
) -> NDArray[np.uint8] | None:
    """RGB [H, W, 3] uint8 of a palette PNG without interlacing and transparency.

    None where the data are any other picture, a damaged one, or one of more than `max_pixels`.

    Args:
        data: bytes of the file.
        max_pixels: most pixels of a picture.
        empty: gives the memory for the pixels.
    """
    chunks = _chunks(data)
    if chunks is None:
        return None
    width, height, depth, kind, _, _, interlaced = _HEADER.unpack(chunks[b"IHDR"])
    if kind != _INDEXED or interlaced or depth not in (1, 2, 4, 8):
        return None
    if not 0 < width * height <= max_pixels:
        return None
    stride = 1 + -(-width * depth // 8)
    inflater = isal_zlib.decompressobj()
    try:
        raw = inflater.decompress(chunks[b"IDAT"], stride * height)
        if not inflater.eof and inflater.decompress(inflater.unconsumed_tail, 1):
            return None
    except IsalError:  # type: ignore[misc]  # its stub calls it no exception
        return None
    if len(raw) != stride * height or not inflater.eof:
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(height, stride)
    colours = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    highest_filter = rows[:, 0].max()
    if highest_filter > _PAETH or len(colours) > 1 << depth:
        return None
    if highest_filter > 0:
        rows = rows.copy()
        _undo_filters(rows)
    table = np.zeros((1 << depth, 3), np.uint8)
    table[: len(colours)] = colours
    pixels = empty((height, width, 3))
    _fill(rows[:, 1:], depth, table, pixels.reshape(height, 3 * width))
    return pixels


def _fill(
    rows: NDArray[np.uint8], depth: int, table: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    """Packed rows [H, S] of `depth` bits a pixel become RGB `out` [H, 3 W]."""
    if surplus := -rows.shape[1] % depth:  # eight pixels are `depth` bytes
        rows = np.pad(rows, ((0, 0), (0, surplus)))
    if depth < 4:
        # for each byte of a row, the colours of all its pixels: 24 or 12 bytes
        shifts = np.arange(8 - depth, -1, -depth)
        pixels_of = (np.arange(256)[:, None] >> shifts) & ((1 << depth) - 1)
        colours = table[pixels_of].reshape(256, -1)
        _look_up(rows, colours.view(np.uint64 if depth == 1 else np.uint32), out)
        return
    red, green, blue = table.T.astype(np.uint64)
    words = red | green << np.uint64(8) | blue << np.uint64(16)
    if depth == 8:
        _look_up_eight_bits(rows, words, out)
    else:
        pairs = words[:, None] | words << np.uint64(24)
        _look_up_four_bits(rows, pairs.reshape(256), out)


def _chunks(data: bytes) -> dict[bytes, bytes] | None:
    """The chunks of a PNG by name, data parts joined; None where there are others than a plain
    palette picture needs, one is damaged or they do not end the file."""
    if not data.startswith(_SIGNATURE):
        return None
    chunks: dict[bytes, list[bytes]] = {}
    at = len(_SIGNATURE)
    while at + 12 <= len(data) and b"IEND" not in chunks:
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 8 + size
        if name not in _PLAIN or end + 4 > len(data):
            return None
        if isal_zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            return None
        chunks.setdefault(name, []).append(data[at + 8 : end])
        at = end + 4
    whole = set(chunks) == _PLAIN and at == len(data)
    if not whole or len(chunks[b"IHDR"][0]) != _HEADER.size or len(chunks[b"PLTE"][0]) % 3:
        return None
    return {name: b"".join(parts) for name, parts in chunks.items()}


@njit
def _undo_filters(rows: NDArray[np.uint8]) -> None:
    """PNG's row filters (its specification, section 9), of pictures of at most a byte a pixel, in
    place: [H, 1 + S], the filter's number first.

    Neighbours in a label map are mostly equal, and then Paeth's filter needs no distances: this is
    asked first.
    """
    height, stride = rows.shape
    for y in range(height):
        row, above = rows[y], rows[y - 1]
        kind = row[0]
        if kind == _UP and y:
            for x in range(np.uint64(1), np.uint64(stride)):
                row[x] += above[x]
        elif kind == _SUB or (kind == _PAETH and not y):
            for x in range(2, stride):
                row[x] += row[x - 1]
        elif kind == _MEAN:
            left = 0
            for x in range(1, stride):
                left = (row[x] + ((left + (above[x] if y else 0)) >> 1)) & 255
                row[x] = left
        elif kind == _PAETH:
            left, corner = 0, 0
            for x in range(np.uint64(1), np.uint64(stride)):
                up = int(above[x])
                if up == corner:
                    guess = left
                elif left == corner:
                    guess = up
                else:
                    by_left, by_up = abs(up - corner), abs(left - corner)
                    by_corner = abs(left + up - 2 * corner)
                    guess = up if by_up <= by_corner else corner
                    if by_left <= by_up and by_left <= by_corner:
                        guess = left
                left, corner = (row[x] + guess) & 255, up
                row[x] = left


# Counters below are unsigned, and so the loops are several times as fast. A row is put together in
# a line of whole words, as the rows of `out` begin at any byte.


@njit
def _look_up(rows: NDArray[np.uint8], colours: NDArray[Any], out: NDArray[np.uint8]) -> None:
    """Each byte of `rows` [H, S] becomes its 8 or 4 pixels, three words of `colours` [256, 3]."""
    line = np.empty(3 * rows.shape[1], colours.dtype)
    for y in range(rows.shape[0]):
        row = rows[y]
        for x in range(np.uint64(len(row))):
            value, at = np.uint64(row[x]), np.uint64(3) * x
            line[at] = colours[value, 0]
            line[at + np.uint64(1)] = colours[value, 1]
            line[at + np.uint64(2)] = colours[value, 2]
        _copy(line.view(np.uint8), out[y])


@njit
def _look_up_four_bits(
    rows: NDArray[np.uint8], colours: NDArray[np.uint64], out: NDArray[np.uint8]
) -> None:
    """Each four bytes of `rows` [H, 4 N] become eight pixels; the two of a byte are `colours`
    [256], the first byte lowest."""
    line = np.empty(rows.shape[1] // 4 * 3, np.uint64)
    for y in range(rows.shape[0]):
        row = rows[y]
        for x in range(np.uint64(len(row) // 4)):
            byte, at = np.uint64(4) * x, np.uint64(3) * x
            second, third = colours[row[byte + np.uint64(1)]], colours[row[byte + np.uint64(2)]]
            line[at] = colours[row[byte]] | second << np.uint64(48)
            line[at + np.uint64(1)] = second >> np.uint64(16) | third << np.uint64(32)
            line[at + np.uint64(2)] = third >> np.uint64(32) | colours[
                row[byte + np.uint64(3)]
            ] << np.uint64(16)
        _copy(line.view(np.uint8), out[y])


@njit
def _look_up_eight_bits(
    rows: NDArray[np.uint8], colours: NDArray[np.uint64], out: NDArray[np.uint8]
) -> None:
    """Each eight bytes of `rows` [H, 8 N] become eight pixels; that of a byte is `colours` [256],
    red lowest."""
    line = np.empty(rows.shape[1] // 8 * 3, np.uint64)
    for y in range(rows.shape[0]):
        row = rows[y]
        for x in range(np.uint64(len(row) // 8)):
            byte, at = np.uint64(8) * x, np.uint64(3) * x
            third, sixth = colours[row[byte + np.uint64(2)]], colours[row[byte + np.uint64(5)]]
            line[at] = (
                colours[row[byte]]
                | colours[row[byte + np.uint64(1)]] << np.uint64(24)
                | third << np.uint64(48)
            )
            line[at + np.uint64(1)] = (
                third >> np.uint64(16)
                | colours[row[byte + np.uint64(3)]] << np.uint64(8)
                | colours[row[byte + np.uint64(4)]] << np.uint64(32)
                | sixth << np.uint64(56)
            )
            line[at + np.uint64(2)] = (
                sixth >> np.uint64(8)
                | colours[row[byte + np.uint64(6)]] << np.uint64(16)
                | colours[row[byte + np.uint64(7)]] << np.uint64(40)
            )
        _copy(line.view(np.uint8), out[y])


@njit
def _copy(line: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """The beginning of a line; numba's own assignment of a slice is slower."""
    for x in range(np.uint64(len(out))):
        out[x] = line[x]
