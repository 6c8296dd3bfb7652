"""Blocks of a DEFLATE stream (RFC 1951), as zlib writes them.

Why it is ours, the baseline and the oracles: see `deflate`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.pictures.huffman import HuffmanCode, Numbers, codes_of, huffman_code

Words = NDArray[np.uint32]

MATCH_MIN, MATCH_MAX = 3, 258
"""Bytes of a match."""
FIRST_MATCH = 256
"""Symbol of the shortest match; those below are literals."""

_END = 256  # code that ends a block
_FIRST_LENGTH = 257


def _numbers(values: Any) -> Numbers:
    return np.asarray(values, np.int64)


# RFC 1951, 3.2.5 to 3.2.7: extra bits and lowest value of each code, lengths of the fixed codes
_MATCH_EXTRA = _numbers([*np.repeat(np.arange(6), (8, 4, 4, 4, 4, 4)), 0])
_MATCH_BASE = _numbers([0, *np.cumsum(1 << _MATCH_EXTRA[:-2]), 255])
_MATCH_CODE = _numbers(np.searchsorted(_MATCH_BASE, np.arange(256), side="right") - 1)
_SYMBOL_EXTRA = _numbers([*np.zeros(_FIRST_LENGTH), *_MATCH_EXTRA])
_FIXED_SYMBOLS = _numbers(np.repeat([8, 9, 7, 8], (144, 112, 24, 8)))
_DISTANCE_EXTRA = _numbers(np.maximum(np.arange(30) // 2 - 1, 0))
_DISTANCE_BASE = _numbers([0, *np.cumsum(1 << _DISTANCE_EXTRA[:-1])])
_DISTANCE_CODE = (np.searchsorted(_DISTANCE_BASE, np.arange(1 << 15), side="right") - 1).astype(
    np.uint8
)
_FIXED_DISTANCES = _numbers(np.full(30, 5))
_LENGTH_EXTRA = _numbers([0] * 16 + [2, 3, 7])
_LENGTH_ORDER = _numbers([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
_NOT_FIXED = _numbers(np.zeros(19))


class Block(NamedTuple):
    """What becomes a block.

    Attributes:
        symbols: [n], literals, and matches as FIRST_MATCH + length - MATCH_MIN.
        distances: [n], distance of each match less one; of literals anything.
        data: the bytes.
        is_in_window: whether zlib still has all these bytes, and may store them as they are.
        is_last: whether the stream ends with it.
    """

    symbols: NDArray[np.uint16]
    distances: NDArray[np.uint16]
    data: NDArray[np.uint8]
    is_in_window: bool
    is_last: bool


@njit
def write_block(words: Words, position: int, block: Block) -> int:
    """Write a block in the shortest of its three forms; the position of the bit after it."""
    counts, distance_counts = _count(block.symbols), _count_distances(block)
    symbols = huffman_code(counts, _SYMBOL_EXTRA, _FIXED_SYMBOLS, 15)
    distances = huffman_code(distance_counts, _DISTANCE_EXTRA, _FIXED_DISTANCES, 15)
    tokens = _length_tokens(symbols)
    more_tokens = _length_tokens(distances)
    token_counts = np.zeros(19, np.int64)
    for token in tokens[0]:
        token_counts[token] += 1
    for token in more_tokens[0]:
        token_counts[token] += 1
    lengths = huffman_code(token_counts, _LENGTH_EXTRA, _NOT_FIXED, 7)
    rank = 18
    while rank >= 3 and lengths.lengths[_LENGTH_ORDER[rank]] == 0:
        rank -= 1
    own_bits = symbols.bits + distances.bits + lengths.bits + 3 * (rank + 1) + 14
    own = (own_bits + 10) >> 3
    fixed = (symbols.fixed_bits + distances.fixed_bits + 10) >> 3
    last = 1 if block.is_last else 0
    if block.is_in_window and len(block.data) + 4 <= min(own, fixed):
        position = _put(words, position, last, 3)
        return _store(words, -(-position // 8) * 8, block.data)
    if fixed <= own:
        position = _put(words, position, last | 1 << 1, 3)
        return _write_symbols(words, position, block, _FIXED_SYMBOLS, _FIXED_DISTANCES)
    position = _put(words, position, last | 2 << 1, 3)
    position = _put(words, position, symbols.last + 1 - _FIRST_LENGTH, 5)
    position = _put(words, position, distances.last, 5)
    position = _put(words, position, rank + 1 - 4, 4)
    for place in range(rank + 1):
        position = _put(words, position, lengths.lengths[_LENGTH_ORDER[place]], 3)
    codes = codes_of(lengths.lengths)
    for kinds, extras in (tokens, more_tokens):
        for place, kind in enumerate(kinds):
            position = _put(words, position, codes[kind], lengths.lengths[kind])
            position = _put(words, position, extras[place], _LENGTH_EXTRA[kind])
    return _write_symbols(words, position, block, symbols.lengths, distances.lengths)


@njit
def _count(symbols: NDArray[np.uint16]) -> Numbers:
    """How often each literal and each code of a length occurs, [286]; the end of the block once."""
    # neighbours are often equal, and adding twice to one place in memory has to wait
    odd, even = np.zeros(512, np.int64), np.zeros(512, np.int64)
    for at in range(0, len(symbols) - 1, 2):
        even[symbols[at]] += 1
        odd[symbols[at + 1]] += 1
    if len(symbols) % 2:
        even[symbols[-1]] += 1
    even += odd
    counts = np.zeros(286, np.int64)
    counts[:256] = even[:256]
    counts[_END] = 1
    for match in range(256):
        counts[_FIRST_LENGTH + _MATCH_CODE[match]] += even[FIRST_MATCH + match]
    return counts


@njit
def _count_distances(block: Block) -> Numbers:
    """How often each code of a distance occurs, [30]."""
    counts = np.zeros(30, np.int64)
    for at, symbol in enumerate(block.symbols):
        if symbol >= FIRST_MATCH:
            counts[_DISTANCE_CODE[block.distances[at]]] += 1
    return counts


@njit
def _write_symbols(
    words: Words, position: int, block: Block, lengths: Numbers, distance_lengths: Numbers
) -> int:
    """Write symbols and the end of their block in a code; the position of the bit after them."""
    codes, distance_codes = codes_of(lengths), codes_of(distance_lengths)
    written = np.zeros(512, np.uint64)  # of each symbol: its bits, and from bit 32 on their number
    for literal in range(256):
        written[literal] = codes[literal] | lengths[literal] << 32
    for match in range(256):
        code = _MATCH_CODE[match]
        length = lengths[_FIRST_LENGTH + code]
        bits = codes[_FIRST_LENGTH + code] | (match - _MATCH_BASE[code]) << length
        written[FIRST_MATCH + match] = bits | (length + _MATCH_EXTRA[code]) << 32
    low, word, held = np.uint64(0xFFFFFFFF), np.int64(position >> 5), np.uint64(position & 31)
    pending = np.uint64(words[word])
    for at, symbol in enumerate(block.symbols):
        bits_and_count = written[symbol]
        pending |= (bits_and_count & low) << held
        held += bits_and_count >> np.uint64(32)
        words[word] = np.uint32(pending & low)
        full = held & np.uint64(32)  # 32 or 0, without a branch that nobody could foresee
        word += np.int64(full >> np.uint64(5))
        pending >>= full
        held -= full
        if symbol >= FIRST_MATCH:
            distance = np.int64(block.distances[at])
            code = np.int64(_DISTANCE_CODE[distance])
            length = distance_lengths[code]
            bits = distance_codes[code] | (distance - _DISTANCE_BASE[code]) << length
            pending |= np.uint64(bits) << held
            held += np.uint64(length + _DISTANCE_EXTRA[code])
            if held >= np.uint64(32):
                words[word] = np.uint32(pending & low)
                word += 1
                pending >>= np.uint64(32)
                held -= np.uint64(32)
    words[word] = np.uint32(pending)
    return _put(words, int(32 * word + np.int64(held)), codes[_END], lengths[_END])


@njit
def _store(words: Words, position: int, data: NDArray[np.uint8]) -> int:
    """Write bytes as they are, with their number before them."""
    position = _put(words, position, len(data), 16)
    position = _put(words, position, len(data) ^ 0xFFFF, 16)
    for byte in data:
        position = _put(words, position, byte, 8)
    return position


@njit
def _put(words: Words, position: int, bits: int, count: int) -> int:
    """Write up to 32 bits; the position after them. The word that follows is begun with zeros."""
    word, shift = position >> 5, np.uint64(position & 31)
    shifted = np.uint64(bits) << shift
    words[word] |= np.uint32(shifted & np.uint64(0xFFFFFFFF))
    words[word + 1] = np.uint32(shifted >> np.uint64(32))
    return position + count


@njit
def _length_tokens(code: HuffmanCode) -> tuple[Numbers, Numbers]:
    """The lengths of a code as the format writes them: 0 to 15 a length, 16 the last length 3 to 6
    times, 17 and 18 zero 3 to 10 and 11 to 138 times; and the extra bits of each."""
    kinds, extras = np.empty(code.last + 1, np.int64), np.zeros(code.last + 1, np.int64)
    number, before, at = 0, -1, 0
    while at <= code.last:
        length = code.lengths[at]
        most = 138 if length == 0 else (6 if length == before else 7)
        count = 1
        while count < most and at + count <= code.last and code.lengths[at + count] == length:
            count += 1
        at += count
        if count < (4 if length != 0 and length != before else 3):
            for _ in range(count):
                kinds[number] = length
                number += 1
        elif length == 0:
            kinds[number] = 17 if count <= 10 else 18
            extras[number] = count - (3 if count <= 10 else 11)
            number += 1
        else:
            if length != before:
                kinds[number] = length
                number += 1
                count -= 1
            kinds[number], extras[number] = 16, count - 3
            number += 1
        before = length
    return kinds[:number], extras[:number]
