"""Palette PNG -> RGB, fast: the form in which segmentation targets are stored.

Why it is ours: at the size of corpora it takes about half of the time of OpenCV's and Pillow's
readers (benchmarks/palette_png.py). Those undo row filters, expand indices, copy them and convert
colours in passes of their own; this one makes one pass over the packed bytes, a look-up for each.
"""

from __future__ import annotations

import struct

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


def decode_palette(data: bytes, max_pixels: int) -> NDArray[np.uint8] | None:
    """RGB [H, W, 3] uint8 of a palette PNG without interlacing and transparency.

    None where the data are any other picture, a damaged one, or one of more than `max_pixels`.
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
    if rows[:, 0].max() > _PAETH or len(colours) > 1 << depth:
        return None
    if rows[:, 0].any():
        rows = rows.copy()
        _undo_filters(rows)
    table = np.zeros((1 << depth, 3), np.uint8)
    table[: len(colours)] = colours
    if depth == 8:
        return _eight_bits(rows[:, 1:], table)
    # for each byte of a row, the colours of all its pixels
    shifts = np.arange(8 - depth, -1, -depth)
    pixels_of = (np.arange(256)[:, None] >> shifts) & ((1 << depth) - 1)
    expanded = table[pixels_of].reshape(256, -1).view(np.uint16)
    out = np.empty((height, (stride - 1) * expanded.shape[1]), np.uint16)
    _look_up(rows[:, 1:], expanded, out)
    return _cut(out, width)


def _eight_bits(rows: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB [H, W, 3] of a byte per pixel [H, W]."""
    height, width = rows.shape
    if width % 2:
        rows = np.pad(rows, ((0, 0), (0, 1)))
    wide = table.astype(np.uint32)
    out = np.empty((height, rows.shape[1] // 2 * 3), np.uint16)
    packed = (wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16).astype(np.uint32)
    _look_up_pairs(rows, packed, out)
    return _cut(out, width)


def _cut(out: NDArray[np.uint16], width: int) -> NDArray[np.uint8]:
    """Rows of pixels, two bytes at a time, without the padding at their end: [H, W, 3]."""
    pixels = out.view(np.uint8).reshape(len(out), -1, 3)
    return np.ascontiguousarray(pixels[:, :width])


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
    place: [H, 1 + S], the filter's number first."""
    height, stride = rows.shape
    for y in range(height):
        row, above = rows[y], rows[y - 1]
        kind = row[0]
        if kind == _UP and y:
            for x in range(1, stride):
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
            for x in range(1, stride):
                up = int(above[x])
                by_left, by_up = abs(up - corner), abs(left - corner)
                by_corner = abs(left + up - 2 * corner)
                guess = up if by_up <= by_corner else corner
                if by_left <= by_up and by_left <= by_corner:
                    guess = left
                left, corner = (row[x] + guess) & 255, up
                row[x] = left


# Counters below are unsigned and stores are two bytes wide: three to five times as fast.


@njit
def _look_up(
    rows: NDArray[np.uint8], expanded: NDArray[np.uint16], out: NDArray[np.uint16]
) -> None:
    """Each byte of `rows` [H, S] becomes its pixels, `expanded` [256, P], in `out` [H, S * P]."""
    per_byte = np.uint64(expanded.shape[1])  # a multiple of 3
    for y in range(rows.shape[0]):
        row, line = rows[y], out[y]
        for x in range(np.uint64(len(row))):
            value, at = np.uint64(row[x]), per_byte * x
            for k in range(np.uint64(0), per_byte, np.uint64(3)):
                line[at + k] = expanded[value, k]
                line[at + k + np.uint64(1)] = expanded[value, k + np.uint64(1)]
                line[at + k + np.uint64(2)] = expanded[value, k + np.uint64(2)]


@njit
def _look_up_pairs(
    rows: NDArray[np.uint8], colours: NDArray[np.uint32], out: NDArray[np.uint16]
) -> None:
    """Each two bytes of `rows` [H, 2 S] become two pixels in `out` [H, 3 S]; colours are
    R + 256 G + 65536 B."""
    for y in range(rows.shape[0]):
        row, line = rows[y], out[y]
        for x in range(np.uint64(len(row) // 2)):
            first = colours[np.uint64(row[np.uint64(2) * x])]
            second = colours[np.uint64(row[np.uint64(2) * x + np.uint64(1)])]
            at = np.uint64(3) * x
            line[at] = np.uint16(first)
            line[at + np.uint64(1)] = np.uint16(first >> np.uint32(16) | second << np.uint32(8))
            line[at + np.uint64(2)] = np.uint16(second >> np.uint32(8))
