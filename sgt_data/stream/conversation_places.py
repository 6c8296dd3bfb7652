"""Where the conversations of a JSON file lie: its lines (JSONL), or the items of its array.

A file is looked through once, without parsing it, so that each conversation can be read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import CorpusError
from sgt_data.value_text import counted

_BOM = b"\xef\xbb\xbf"
_NO_TEXT = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "packed with gzip"}
_SPACE, _NEWLINE, _QUOTE, _BACKSLASH, _COMMA = 32, 10, 34, 92, 44
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = 91, 93, 123, 125

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ConversationPlaces:
    """Where n conversations lie in their file.

    Attributes:
        starts, stops: [n] the first byte of each, and the byte after its last.
        numbers: [n] their numbers from 1: of their lines, or in the array.
        word: what a number counts, `line` or `item`.
    """

    starts: Numbers
    stops: Numbers
    numbers: Numbers
    word: str


def find_places(data: Bytes, where: str) -> ConversationPlaces:
    """The places of the conversations of a file.

    Args:
        data: [bytes] of the file: UTF-8, which may begin with a byte order mark. Blank lines, and
            carriage returns at the ends of lines, do not count.
        where: its URL, for messages.

    Raises:
        CorpusError: it is no text, or an array that does not end.
    """
    head = data[:4].tobytes()
    for mark, kind in _NO_TEXT.items():
        if head.startswith(mark):
            raise CorpusError(f"{where}: found a file that is {kind}; allowed: UTF-8 text")
    begin = len(_BOM) if head.startswith(_BOM) else 0
    first = _after_space(data, begin)
    if first == len(data) or data[first] != _OPEN_LIST:
        count = _lines(data, begin, np.empty((0, 3), np.int64))
        places = np.empty((count, 3), np.int64)
        _lines(data, begin, places)
        return ConversationPlaces(places[:, 0], places[:, 1], places[:, 2], "line")
    count, end = _items(data, first + 1, np.empty((0, 2), np.int64))
    if end < 0:
        raise CorpusError(
            f"{where}: its JSON array does not end; after {counted(count, 'item')}, the file "
            "ends too early"
        )
    if _after_space(data, end) != len(data):
        line = 1 + int(np.count_nonzero(data[:end] == _NEWLINE))
        raise CorpusError(f"{where}, line {line}: something follows the end of its JSON array")
    items = np.empty((count, 2), np.int64)
    _items(data, first + 1, items)
    return ConversationPlaces(items[:, 0], items[:, 1], np.arange(1, count + 1), "item")


@njit
def _after_space(data: Bytes, start: int) -> int:
    """Position of the first byte from `start` on that is no white space; else the end."""
    while start < len(data) and data[start] <= _SPACE:
        start += 1
    return start


@njit
def _lines(data: Bytes, start: int, places: Numbers) -> int:
    """Start, stop and number of every line that is not blank, as far as `places` [n, 3] has room.

    Returns:
        How many there are.
    """
    count, number, first, blank = 0, 1, start, True
    for position in range(start, len(data) + 1):
        at_end = position == len(data)
        if at_end or data[position] == _NEWLINE:
            if not blank:
                if count < len(places):
                    places[count, 0], places[count, 1], places[count, 2] = first, position, number
                count += 1
            number += 1
            first, blank = position + 1, True
        elif data[position] > _SPACE:
            blank = False
    return count


@njit
def _items(data: Bytes, start: int, places: Numbers) -> tuple[int, int]:
    """Start and stop of every item of an array, as far as `places` [n, 2] has room.

    Args:
        data: [bytes] of the file.
        start: the position after the bracket that opens the array.
        places: [n, 2], is written.

    Returns:
        How many items there are, and the position after the bracket that closes the array; -1 where
        there is none.
    """
    count, depth, in_text, escaped, first, last = 0, 0, False, False, -1, -1
    for position in range(start, len(data)):
        byte = data[position]
        if in_text:
            if escaped:
                escaped = False
            elif byte == _BACKSLASH:
                escaped = True
            elif byte == _QUOTE:
                in_text = False
            last = position
            continue
        ends_item = depth == 0 and byte in (_COMMA, _CLOSE_LIST)
        if ends_item:
            if first >= 0:
                if count < len(places):
                    places[count, 0], places[count, 1] = first, last + 1
                count += 1
            first = -1
            if byte == _CLOSE_LIST:
                return count, position + 1
            continue
        if byte > _SPACE:
            if first < 0:
                first = position
            last = position
        if byte == _QUOTE:
            in_text = True
        elif byte in (_OPEN_LIST, _OPEN_OBJECT):
            depth += 1
        elif byte in (_CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
    return count, -1
