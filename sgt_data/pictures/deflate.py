"""Pack rows of bytes as zlib does, byte for byte, in less time.

The streams (RFC 1950 and 1951) are those of zlib 1.2.12 to 1.3 at level 1 and memory level 9, which
Pillow asks for: the same matches, the same blocks, the same codes. `pack_runs` is its strategy
Z_RLE, which matches the byte before alone; `pack_matches` its default, which looks back by hashes
of three bytes.

Why it is ours: most of the time of an edge map or a label map goes into packing it, and Pillow
takes 1.4 to 2.3 times as long for the same bytes (benchmarks/deflate.py). These bytes do not depend
on the zlib of a machine, as Pillow's do. The oracles are zlib and Pillow (tests/test_deflate.py).
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.pictures.deflate_blocks import (
    FIRST_MATCH,
    MATCH_MAX,
    MATCH_MIN,
    Block,
    Words,
    write_block,
)
from sgt_data.pictures.huffman import Numbers

Bytes = NDArray[np.uint8]

_BLOCK_SYMBOLS = (1 << 15) - 1  # of memory level 9
_WINDOW = 1 << 15
_LOOKAHEAD = MATCH_MAX + MATCH_MIN + 1  # bytes that zlib wants to see
_SLIDES_AT = 2 * _WINDOW - _LOOKAHEAD
_FARTHEST = _WINDOW - _LOOKAHEAD
_HASH_MASK, _HASH_SHIFT = (1 << 16) - 1, 6
_STRIDE = 32  # bytes that vector instructions compare at once
_TRIES, _NICE_LENGTH, _ALL_INSERTED = 4, 8, 4  # of level 1: chain, nice and lazy


def pack_runs(rows: Bytes) -> bytes:
    """The zlib stream of rows of bytes with the strategy Z_RLE.

    Args:
        rows: [H, W], contiguous, at least one byte; zlib is given one row after the other.
    """
    return _stream(rows, runs_alone=True)


def pack_matches(rows: Bytes) -> bytes:
    """The zlib stream of rows of bytes with the default strategy; see `pack_runs`."""
    return _stream(rows, runs_alone=False)


def _stream(rows: Bytes, *, runs_alone: bool) -> bytes:
    # at most 9 bits a byte, as in the fixed code, and the lengths of codes
    words = np.empty(rows.size // 4 + rows.size // 16 + 1024, np.uint32)
    words[0] = 0
    bits = _pack(rows.reshape(-1), rows.shape[1], words, runs_alone)
    body = words.astype("<u4", copy=False).view(np.uint8)[: -(-bits // 8)].tobytes()
    return b"\x78\x01" + body + zlib.adler32(rows.data).to_bytes(4, "big")


@njit
def _pack(data: Bytes, width: int, words: Words, runs_alone: bool) -> int:
    """Write all blocks as 32-bit words, lowest bit first; the number of bits."""
    symbols = np.empty(_BLOCK_SYMBOLS, np.uint16)
    distances = np.empty(_BLOCK_SYMBOLS, np.uint16)
    window = np.zeros(3, np.int64)
    begins_run = _run_begins(data if runs_alone else data[:0])
    newest = np.zeros(0 if runs_alone else _HASH_MASK + 1, np.int32)
    before = np.zeros(0 if runs_alone else _WINDOW, np.int32)
    low = MATCH_MAX if runs_alone else _LOOKAHEAD - 1
    size, at, begin, read, position, number = len(data), 0, 0, 0, 0, 0
    while True:
        is_full = number == _BLOCK_SYMBOLS
        if not is_full and read - at <= low:
            read = _fill_window(window, at, size, width, low)
        if is_full or at == size:
            kept, is_last = begin >= window[2], not is_full
            block = Block(symbols[:number], distances[:number], data[begin:at], kept, is_last)
            position = write_block(words, position, block)
            if is_last:
                return position
            begin, number = at, 0
            continue
        length, match = 0, at - 1
        if runs_alone:
            if begins_run[at]:
                length = _match_length(data, match, at)
        elif at + MATCH_MIN <= size:
            candidate = _insert(data, at, newest, before)
            if candidate > window[2] and at - candidate <= _FARTHEST:
                length, match = _longest(data, at, candidate, before, window[2])
        if length < MATCH_MIN:
            symbols[number] = data[at]
            length = 1
        else:
            symbols[number] = FIRST_MATCH + length - MATCH_MIN
            distances[number] = at - match - 1
            is_short = length <= _ALL_INSERTED and at + length + MATCH_MIN <= size
            if is_short and not runs_alone:
                for inner in range(at + 1, at + length):
                    _insert(data, inner, newest, before)
        number += 1
        at += length


@njit
def _run_begins(data: Bytes) -> NDArray[np.bool_]:
    """Where the byte before is there three times more: one test a byte that can be foreseen."""
    begins = np.zeros(len(data), np.bool_)
    for at in range(1, len(data) - 2):
        same, then = data[at] == data[at - 1], data[at + 1] == data[at - 1]
        begins[at] = same & then & (data[at + 2] == data[at - 1])
    return begins


@njit
def _insert(data: Bytes, at: int, newest: NDArray[np.int32], before: NDArray[np.int32]) -> int:
    """Enter a place under the hash of its three bytes; the newest place under it before."""
    first, second, third = np.int64(data[at]), np.int64(data[at + 1]), np.int64(data[at + 2])
    key = (first << 2 * _HASH_SHIFT ^ second << _HASH_SHIFT ^ third) & _HASH_MASK
    candidate = newest[key]
    before[at & (_WINDOW - 1)] = candidate
    newest[key] = at
    return int(candidate)


@njit
def _longest(
    data: Bytes, at: int, candidate: int, before: NDArray[np.int32], window_begin: int
) -> tuple[int, int]:
    """The longest match among the newest candidates, and where it is; 2 for none."""
    longest, match = MATCH_MIN - 1, 0
    enough = min(_NICE_LENGTH, len(data) - at)
    limit = max(at - _FARTHEST, window_begin)
    for _ in range(_TRIES):
        if (
            data[candidate + longest] == data[at + longest]
            and data[candidate + longest - 1] == data[at + longest - 1]
            and data[candidate] == data[at]
            and data[candidate + 1] == data[at + 1]
        ):
            length = _match_length(data, candidate, at)
            if length > longest:
                longest, match = length, candidate
                if length >= enough:
                    break
        candidate = int(before[candidate & (_WINDOW - 1)])
        if candidate <= limit:
            break
    return longest, match


@njit
def _match_length(data: Bytes, match: int, at: int) -> int:
    """How many bytes from `at` on equal those from `match` on; the first three do."""
    most = min(MATCH_MAX, len(data) - at)
    following, matched = data[at : at + most], data[match : match + most]
    length = MATCH_MIN
    while length + _STRIDE <= most:
        differing = np.uint8(0)
        for step in range(_STRIDE):
            differing |= following[length + step] ^ matched[length + step]
        if differing:
            break
        length += _STRIDE
    while length < most and following[length] == matched[length]:
        length += 1
    return length


@njit
def _fill_window(window: Numbers, at: int, size: int, width: int, low: int) -> int:
    """Read on as zlib does, which cannot use what has left its window; bytes that are read.

    Args:
        window: bytes that are read, bytes that are left of the row that zlib has, and where the
            window begins; changed.
        at: place in the data.
        size: bytes of the data.
        width: bytes of a row.
        low: zlib asks for another row where it has no more bytes than these.
    """
    while True:
        while True:
            room = 2 * _WINDOW - (window[0] - window[2])
            if at - window[2] >= _SLIDES_AT:
                window[2] += _WINDOW
                room += _WINDOW
            read = min(window[1], room)
            window[0] += read
            window[1] -= read
            if window[0] - at >= _LOOKAHEAD or window[1] == 0:
                break
        if window[0] - at > low or window[0] == size:
            return int(window[0])
        window[1] = width
