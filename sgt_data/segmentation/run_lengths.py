"""Run-length encodings of masks in COCO's form, read strictly.

A mask of height H and width W is a list of run lengths over its pixels in column-major order,
zeros first. The compressed form writes each run as a little-endian base-32 number, one character
(code 48 + 6 bits) per digit with a continuation bit, runs from the fourth on as the difference to
the run two before (the scheme of `rleToString` in cocoapi's maskApi.c).

Why it is ours: cocoapi trusts its input (an overrun writes past the bitmap, a missing digit reads
past the string) and decodes to full-size bitmaps, where painting needs the runs alone. Here every
violation is an `AnnotationError` that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import AnnotationError
from sgt_data.records import RunLengths

_DIGITS_MAX = 7  # 35 bits: more than any picture needs, less than int64 can hold

_OK, _BAD_CHARACTER, _UNFINISHED, _TOO_LONG, _NEGATIVE, _OVERRUN, _SHORT = range(7)
_MESSAGES = {
    _BAD_CHARACTER: "holds a character outside '0'..'o'",
    _UNFINISHED: "ends in the middle of a number",
    _TOO_LONG: "holds a number of more than 35 bits",
    _NEGATIVE: "holds a negative run",
    _OVERRUN: "runs past the end of the picture",
    _SHORT: "ends before the last pixel of the picture",
}


@dataclass(frozen=True, slots=True)
class MaskRuns:
    """Checked runs of the K masks of one picture, one mask after the other.

    Attributes:
        height, width: size of the picture in pixels.
        runs: [R] int64; mask k has `runs[starts[k]:starts[k + 1]]`, zeros first.
        starts: [K + 1] int64.
        areas: [K] int64, pixels of each mask.
    """

    height: int
    width: int
    runs: NDArray[np.int64]
    starts: NDArray[np.int64]
    areas: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.areas)


def parse_masks(masks: Sequence[RunLengths], height: int, width: int) -> MaskRuns:
    """Read the masks of a picture, each compressed or plain.

    Raises:
        AnnotationError: a mask is wrong; names its position and what is wrong with its runs.
    """
    texts = [mask if isinstance(mask, bytes) else compress(mask) for mask in masks]
    buffer = np.frombuffer(b"".join(texts), dtype=np.uint8)
    ends = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    runs, starts, areas, mask, problem = _parse(buffer, ends, height * width)
    if problem != _OK:
        raise AnnotationError(
            f"mask {mask}: its run-length encoding {_MESSAGES[problem]} ({width}x{height})"
        )
    return MaskRuns(height, width, runs, starts, areas)


def compress(counts: Sequence[int]) -> bytes:
    """Plain counts -> compressed counts (ASCII).

    Raises:
        AnnotationError: a count is not an integer, or not within 0 to 2**34.
    """
    digits = bytearray()
    for index, count in enumerate(counts):
        if not isinstance(count, int) or isinstance(count, bool):
            raise AnnotationError(f"run length {index} is {count!r}, not an integer")
        if not 0 <= count < 1 << 34:
            raise AnnotationError(f"run length {index} is {count}, not within 0..2**34")
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            digit = value & 0x1F
            value >>= 5
            more = value != (-1 if digit & 0x10 else 0)
            digits.append(48 + (digit | 0x20 if more else digit))
    return bytes(digits)


@njit
def _parse(
    buffer: NDArray[np.uint8], ends: NDArray[np.int64], pixels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int, int]:
    """Runs, starts and areas of all masks; the mask that is wrong, and the code of the problem."""
    masks = len(ends) - 1
    runs = np.empty(len(buffer), np.int64)
    starts = np.zeros(masks + 1, np.int64)
    areas = np.zeros(masks, np.int64)
    count = 0
    for mask in range(masks):
        first = count
        position = ends[mask]
        total = np.int64(0)
        area = np.int64(0)
        while position < ends[mask + 1]:
            value = np.int64(0)
            digits = 0
            while True:
                if position >= ends[mask + 1]:
                    return runs, starts, areas, mask, _UNFINISHED
                digit = np.int64(buffer[position]) - np.int64(48)
                position += 1
                if digit < 0 or digit > 63:
                    return runs, starts, areas, mask, _BAD_CHARACTER
                if digits == _DIGITS_MAX:
                    return runs, starts, areas, mask, _TOO_LONG
                value |= (digit & 0x1F) << (5 * digits)
                digits += 1
                if not digit & 0x20:
                    if digit & 0x10:
                        value |= -1 << (5 * digits)
                    break
            if count - first > 2:
                value += runs[count - 2]
            if value < 0:
                return runs, starts, areas, mask, _NEGATIVE
            total += value
            if total > pixels:
                return runs, starts, areas, mask, _OVERRUN
            if (count - first) & 1:
                area += value
            runs[count] = value
            count += 1
        if total != pixels:
            return runs, starts, areas, mask, _SHORT
        starts[mask + 1] = count
        areas[mask] = area
    return runs[:count], starts, areas, 0, _OK
