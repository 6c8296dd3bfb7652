"""Huffman codes as zlib makes them: of equal choices, the one that it takes.

Why it is ours: see `deflate`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Numbers = NDArray[np.int64]


class HuffmanCode(NamedTuple):
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
def codes_of(lengths: Numbers) -> Numbers:
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
def huffman_code(counts: Numbers, extra: Numbers, fixed: Numbers, longest: int) -> HuffmanCode:
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
    return HuffmanCode(lengths[:size], last, bits, fixed_bits)


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
