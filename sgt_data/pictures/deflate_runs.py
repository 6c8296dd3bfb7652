"""Pack rows of bytes as zlib's strategy Z_RLE does, byte for byte: runs and Huffman codes alone.

The stream (RFC 1950 and 1951) is the one that zlib 1.2.12 and later, and Pillow with it, write with
`compress_type=3, compress_level=1`: the same runs, the same blocks, the same codes.

Why it is ours: a rough map, such as soft edges, takes nine tenths of its time in zlib, which keeps
a window of 64 KiB for every strategy and writes code by code. This takes half of that time
(benchmarks/deflate_runs.py). The oracles are zlib and Pillow (tests/test_deflate_runs.py).
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Numbers = NDArray[np.int64]

_END = 256  # symbol that ends a block
_FIRST_RUN = 257
_RUN_MIN, _RUN_MAX = 3, 258
_BLOCK_SYMBOLS = (1 << 15) - 1  # of zlib's memory level 9
_WINDOW = 1 << 15
_ENOUGH = _RUN_MAX + _RUN_MIN + 1  # bytes that zlib reads ahead
_SLIDES_AT = 2 * _WINDOW - _ENOUGH


def _numbers(values: Any) -> Numbers:
    return np.asarray(values, np.int64)


# RFC 1951, 3.2.5 to 3.2.7: extra bits and lowest value of each code, lengths of the fixed codes
_RUN_EXTRA = _numbers([*np.repeat(np.arange(6), (8, 4, 4, 4, 4, 4)), 0])
_RUN_BASE = _numbers([0, *np.cumsum(1 << _RUN_EXTRA[:-2]), 255])
_RUN_CODE = _numbers(np.searchsorted(_RUN_BASE, np.arange(256), side="right") - 1)
_SYMBOL_EXTRA = _numbers([*np.zeros(_FIRST_RUN), *_RUN_EXTRA])
_FIXED_SYMBOLS = _numbers(np.repeat([8, 9, 7, 8], (144, 112, 24, 8)))
_DISTANCE_EXTRA = _numbers(np.maximum(np.arange(30) // 2 - 1, 0))
_FIXED_DISTANCES = _numbers(np.full(30, 5))
_LENGTH_EXTRA = _numbers([0] * 16 + [2, 3, 7])
_LENGTH_ORDER = _numbers([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
_NOT_FIXED = _numbers(np.zeros(19))


def pack_runs(rows: NDArray[np.uint8]) -> bytes:
    """The zlib stream of rows of bytes.

    Args:
        rows: [H, W], contiguous, at least one byte; zlib is given one row after the other.
    """
    # at most 9 bits a byte, as in the fixed code, and 2,400 bits of lengths for 32,767 symbols
    words = np.zeros(rows.size // 4 + rows.size // 16 + 1024, np.uint32)
    bits = _pack(rows.reshape(-1), rows.shape[1], words)
    body = words.astype("<u4", copy=False).view(np.uint8)[: -(-bits // 8)].tobytes()
    return b"\x78\x01" + body + zlib.adler32(rows.data).to_bytes(4, "big")


class _Block(NamedTuple):
    """What becomes a block.

    Attributes:
        symbols: [n], bytes, and runs of the last byte as 256 + length - 3.
        data: the bytes.
        is_in_window: whether zlib still has all these bytes, and may store them as they are.
        is_last: whether the stream ends with it.
    """

    symbols: NDArray[np.uint16]
    data: NDArray[np.uint8]
    is_in_window: bool
    is_last: bool


class _Code(NamedTuple):
    """A Huffman code.

    Attributes:
        lengths: bits of each symbol's code, 0 where it does not occur.
        last: the last symbol that occurs.
        bits: of all symbols in this code, with their extra bits.
        fixed_bits: the same in the format's fixed code.
    """

    lengths: Numbers
    last: int
    bits: int
    fixed_bits: int


@njit
def _pack(data: NDArray[np.uint8], width: int, words: NDArray[np.uint32]) -> int:
    """Write all blocks as 32-bit words, lowest bit first; the number of bits."""
    symbols = np.empty(_BLOCK_SYMBOLS, np.uint16)
    window = np.zeros(3, np.int64)
    begins_run = _run_begins(data)
    size, at, begin, read, position, number = len(data), 0, 0, 0, 0, 0
    while True:
        if number == _BLOCK_SYMBOLS:
            kept = begin >= window[2]
            block = _Block(symbols, data[begin:at], kept, False)
            position = _write_block(words, position, block)
            begin, number = at, 0
        if read - at <= _RUN_MAX:
            read = _fill_window(window, at, size, width)
        if at == size:
            kept = begin >= window[2]
            block = _Block(symbols[:number], data[begin:at], kept, True)
            return _write_block(words, position, block)
        if begins_run[at]:
            length = _run_length(data, at)
            symbols[number] = 256 + length - _RUN_MIN
            at += length
        else:
            symbols[number] = data[at]
            at += 1
        number += 1


@njit
def _run_begins(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the byte before is there three times more: one test a byte that can be foreseen."""
    begins = np.zeros(len(data), np.bool_)
    for at in range(1, len(data) - 2):
        same, then = data[at] == data[at - 1], data[at + 1] == data[at - 1]
        begins[at] = same & then & (data[at + 2] == data[at - 1])
    return begins


@njit
def _run_length(data: NDArray[np.uint8], at: int) -> int:
    """How many bytes from `at` on, where a run begins, are in it."""
    length = _RUN_MIN
    longest = min(_RUN_MAX, len(data) - at)
    while length < longest and data[at + length] == data[at]:
        length += 1
    return length


@njit
def _fill_window(window: Numbers, at: int, size: int, width: int) -> int:
    """Read on as zlib does, which cannot store what has left its window; bytes that are read.

    Args:
        window: bytes that are read, bytes that are left of the row that zlib has, and where the
            window begins; changed.
        at: place in the data.
        size: bytes of the data.
        width: bytes of a row.
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
            if window[0] - at >= _ENOUGH or window[1] == 0:
                break
        if window[0] - at > _RUN_MAX or window[0] == size:
            return int(window[0])
        window[1] = width


@njit
def _write_block(words: NDArray[np.uint32], position: int, block: _Block) -> int:
    """Write a block in the shortest of its three forms; the position of the bit after it."""
    counts = _count(block.symbols)
    distance_counts = np.zeros(30, np.int64)
    distance_counts[0] = counts[_FIRST_RUN:].sum()  # the byte before has the first code
    symbols = _huffman(counts, _SYMBOL_EXTRA, _FIXED_SYMBOLS, 15)
    distances = _huffman(distance_counts, _DISTANCE_EXTRA, _FIXED_DISTANCES, 15)
    tokens = _length_tokens(symbols)
    more_tokens = _length_tokens(distances)
    token_counts = np.zeros(19, np.int64)
    for token in tokens[0]:
        token_counts[token] += 1
    for token in more_tokens[0]:
        token_counts[token] += 1
    lengths = _huffman(token_counts, _LENGTH_EXTRA, _NOT_FIXED, 7)
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
        return _write_symbols(words, position, block.symbols, _FIXED_SYMBOLS, _FIXED_DISTANCES)
    position = _put(words, position, last | 2 << 1, 3)
    position = _put(words, position, symbols.last + 1 - _FIRST_RUN, 5)
    position = _put(words, position, distances.last, 5)
    position = _put(words, position, rank + 1 - 4, 4)
    for place in range(rank + 1):
        position = _put(words, position, lengths.lengths[_LENGTH_ORDER[place]], 3)
    codes = _codes(lengths.lengths)
    for kinds, extras in (tokens, more_tokens):
        for place, kind in enumerate(kinds):
            position = _put(words, position, codes[kind], lengths.lengths[kind])
            position = _put(words, position, extras[place], _LENGTH_EXTRA[kind])
    return _write_symbols(words, position, block.symbols, symbols.lengths, distances.lengths)


@njit
def _count(symbols: NDArray[np.uint16]) -> Numbers:
    """How often each literal and each code of a run occurs, [286]; the end of the block once."""
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
    for run in range(256):
        counts[_FIRST_RUN + _RUN_CODE[run]] += even[256 + run]
    return counts


@njit
def _write_symbols(
    words: NDArray[np.uint32],
    position: int,
    symbols: NDArray[np.uint16],
    lengths: Numbers,
    distance_lengths: Numbers,
) -> int:
    """Write symbols and the end of their block in a code; the position of the bit after them."""
    codes = _codes(lengths)
    written = np.zeros(512, np.uint64)  # of each symbol: its bits, and from bit 32 on their number
    for literal in range(256):
        written[literal] = codes[literal] | lengths[literal] << 32
    distance = _codes(distance_lengths)[0]
    for run in range(256):
        code = _RUN_CODE[run]
        length, extra = lengths[_FIRST_RUN + code], _RUN_EXTRA[code]
        bits = codes[_FIRST_RUN + code] | (run - _RUN_BASE[code]) << length
        bits |= distance << (length + extra)
        written[256 + run] = bits | (length + extra + distance_lengths[0]) << 32
    word, held = np.int64(position >> 5), np.uint64(position & 31)
    pending = np.uint64(words[word])
    for symbol in symbols:
        bits_and_count = written[symbol]
        pending |= (bits_and_count & np.uint64(0xFFFFFFFF)) << held
        held += bits_and_count >> np.uint64(32)
        words[word] = np.uint32(pending & np.uint64(0xFFFFFFFF))
        full = held & np.uint64(32)  # 32 or 0, without a branch that nobody could foresee
        word += np.int64(full >> np.uint64(5))
        pending >>= full
        held -= full
    words[word] = np.uint32(pending)
    return _put(words, int(32 * word + np.int64(held)), codes[_END], lengths[_END])


@njit
def _store(words: NDArray[np.uint32], position: int, data: NDArray[np.uint8]) -> int:
    """Write bytes as they are, with their number before them."""
    position = _put(words, position, len(data), 16)
    position = _put(words, position, len(data) ^ 0xFFFF, 16)
    for byte in data:
        position = _put(words, position, byte, 8)
    return position


@njit
def _put(words: NDArray[np.uint32], position: int, bits: int, count: int) -> int:
    """Write up to 32 bits; the position after them."""
    word, shift = position >> 5, np.uint64(position & 31)
    shifted = np.uint64(bits) << shift
    words[word] |= np.uint32(shifted & np.uint64(0xFFFFFFFF))
    words[word + 1] |= np.uint32(shifted >> np.uint64(32))
    return position + count


@njit
def _length_tokens(code: _Code) -> tuple[Numbers, Numbers]:
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


@njit
def _codes(lengths: Numbers) -> Numbers:
    """The code of each symbol, its first bit lowest (RFC 1951, 3.2.2)."""
    of_length = np.zeros(17, np.int64)
    for length in lengths:
        of_length[length] += 1
    of_length[0] = 0
    following = np.zeros(17, np.int64)
    for length in range(1, 16):
        following[length] = (following[length - 1] + of_length[length - 1]) << 1
    codes = np.zeros(len(lengths), np.int64)
    for symbol, length in enumerate(lengths):
        code = following[length]
        following[length] += 1
        for _ in range(length):
            codes[symbol] = codes[symbol] << 1 | (code & 1)
            code >>= 1
    return codes


@njit
def _huffman(counts: Numbers, extra: Numbers, fixed: Numbers, longest: int) -> _Code:
    """zlib's code for symbols that occur `counts` times; of equal choices, the one it takes.

    Args:
        counts: [n], how often each symbol occurs.
        extra: [n], extra bits of each.
        fixed: [n], bits of each in the format's fixed code.
        longest: most bits of a code.
    """
    size = len(counts)
    weights, depths = np.zeros(2 * size + 1, np.int64), np.zeros(2 * size + 1, np.int64)
    parents, lengths = np.zeros(2 * size + 1, np.int64), np.zeros(2 * size + 1, np.int64)
    heap = np.zeros(size + 2, np.int64)  # from 1 on
    taken = np.zeros(2 * size + 1, np.int64)
    filled, last, bits, fixed_bits = 0, -1, 0, 0
    for symbol in range(size):
        weights[symbol] = counts[symbol]
        if counts[symbol]:
            filled += 1
            heap[filled] = last = symbol
    while filled < 2:  # the format wants two codes
        symbol = 0
        if last < 2:
            last += 1
            symbol = last
        filled += 1
        heap[filled] = symbol
        weights[symbol] = 1
        bits -= 1
        fixed_bits -= fixed[symbol]
    for place in range(filled // 2, 0, -1):
        _sift(heap, filled, place, weights, depths)
    node, number = size, 0
    while filled >= 2:
        first = heap[1]
        heap[1] = heap[filled]
        filled -= 1
        _sift(heap, filled, 1, weights, depths)
        second = heap[1]
        taken[number], taken[number + 1] = first, second
        number += 2
        weights[node] = weights[first] + weights[second]
        depths[node] = max(depths[first], depths[second]) + 1
        parents[first] = parents[second] = node
        heap[1] = node
        node += 1
        _sift(heap, filled, 1, weights, depths)
    of_length = np.zeros(longest + 1, np.int64)
    too_long = 0
    for place in range(number - 1, -1, -1):
        symbol = taken[place]
        length = lengths[parents[symbol]] + 1
        if length > longest:
            length = longest
            too_long += 1
        lengths[symbol] = length
        if symbol < size:
            of_length[length] += 1
            bits += weights[symbol] * (length + extra[symbol])
            fixed_bits += weights[symbol] * (fixed[symbol] + extra[symbol])
    if too_long:
        bits += _shorten(too_long, of_length, taken[:number], weights, lengths)
    return _Code(lengths[:size], last, bits, fixed_bits)


@njit
def _sift(heap: Numbers, filled: int, place: int, weights: Numbers, depths: Numbers) -> None:
    """Move a node of the heap down until those below it are heavier, or as heavy and deeper."""
    moved = heap[place]
    child = 2 * place
    while child <= filled:
        if child < filled and _is_lighter(heap[child + 1], heap[child], weights, depths):
            child += 1
        if _is_lighter(moved, heap[child], weights, depths):
            break
        heap[place] = heap[child]
        place = child
        child *= 2
    heap[place] = moved


@njit
def _is_lighter(node: int, other: int, weights: Numbers, depths: Numbers) -> bool:
    if weights[node] == weights[other]:
        return bool(depths[node] <= depths[other])
    return bool(weights[node] < weights[other])


@njit
def _shorten(
    too_long: int, of_length: Numbers, taken: Numbers, weights: Numbers, lengths: Numbers
) -> int:
    """Bring codes that are too long to the longest length allowed; the bits that this costs."""
    longest = len(of_length) - 1
    while too_long > 0:
        length = longest - 1
        while of_length[length] == 0:
            length -= 1
        of_length[length] -= 1
        of_length[length + 1] += 2
        of_length[longest] -= 1
        too_long -= 2
    cost, place = 0, 0
    size = (len(lengths) - 1) // 2
    for length in range(longest, 0, -1):
        rest = of_length[length]
        while rest:
            symbol = taken[place]
            place += 1
            if symbol >= size:
                continue
            cost += (length - lengths[symbol]) * weights[symbol]
            lengths[symbol] = length
            rest -= 1
    return cost
