"""What a target picture that was made elsewhere is: counted from its pixels, nothing is assumed.

A map of labels has few colours, wide areas of one colour, and borders without colours of their own.
Where it was resized or drawn with smooth edges, pixels along its borders are blends: each of their
colours occurs only there, between the colours of two areas. A photograph, and a map of depth or
normals, has colours that change little by little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.segmentation.connected_areas import Labels, connected_areas

COLOURS_MAX = 1024
"""Most colours of a map of labels; the largest number of masks of a picture of SA-1B is below."""
BLENDED_MAX = 0.001
"""Share of blended pixels up to which colours are labels: thin segments look like blends."""

_FLAT_MIN = 0.5
_THIN_MAX = 0.2
_SOFT_MAX = 0.5
_SOFT_STEP = 12
_ALL_COLOURS = 1 << 24

Kind = Literal["labels", "blended labels", "picture"]


@dataclass(frozen=True, slots=True)
class TargetAudit:
    """What the pixels of a target show.

    Attributes:
        kind: `labels`: each colour is a label. `blended labels`: a map of labels whose colours were
            mixed, by a resize, smooth edges or JPEG. `picture`: colours that change little by
            little, as those of a photograph or of a map of depth.
        colours: number of different colours.
        blended: share of the pixels whose colour occurs only along borders, between the colours
            around it.
        flat: share of the pixels that have the colour of the pixels above, below and beside them.
        areas: number of connected areas of one colour; 0 for pictures, where it says nothing.
    """

    kind: Kind
    colours: int
    blended: float
    flat: float
    areas: int


def audit_target(pixels: NDArray[np.uint8], *, is_lossless: bool) -> TargetAudit:
    """Count what the pixels of a target show.

    Args:
        pixels: [H, W, 3] RGB.
        is_lossless: whether its file keeps every colour as it was drawn, as PNG does.
    """
    numbers, colours = numbered_colours(pixels)
    flat, thin, blended = _border_shares(numbers, _thick_colours(numbers, len(colours)), pixels)
    soft = _soft_share(pixels)
    kind: Kind = "picture"
    if flat >= _FLAT_MIN and thin <= _THIN_MAX and (soft <= _SOFT_MAX or not is_lossless):
        kind = "blended labels"
    is_exact = is_lossless and len(colours) <= COLOURS_MAX and blended <= BLENDED_MAX
    if is_exact and soft <= _SOFT_MAX:
        kind = "labels"
    areas = connected_areas(numbers)[1] if kind != "picture" else 0
    return TargetAudit(kind, len(colours), blended, flat, areas)


def numbered_colours(pixels: NDArray[np.uint8]) -> tuple[Labels, NDArray[np.uint8]]:
    """The number of the colour of each pixel [H, W], from 0 on, and the colours [n, 3].

    Colours are in the order of their values, red first.
    """
    seen = np.zeros(_ALL_COLOURS, np.int32)  # the pages that are not touched take no memory
    numbers = np.empty(pixels.shape[:2], np.int32)
    values = np.empty(numbers.size, np.int32)
    used = values[: _number_by_first(pixels, seen, numbers, values)]
    order = np.argsort(used)
    places = np.empty(len(used), np.int32)
    places[order] = np.arange(len(used), dtype=np.int32)
    used = used[order]
    colours = np.stack((used >> 16, (used >> 8) & 255, used & 255), axis=1).astype(np.uint8)
    return places[numbers], colours


@njit
def _number_by_first(
    pixels: NDArray[np.uint8], seen: Labels, numbers: Labels, values: NDArray[np.int32]
) -> int:
    """Number the colours by their first pixel, from 0 on; returns how many there are.

    Args:
        pixels: [H, W, 3].
        seen: [2**24] zeros: gets the number of each colour, plus 1.
        numbers: [H, W]: gets the number of each pixel.
        values: gets the packed value of each number.
    """
    count = 0
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            red, green, blue = pixels[row, column]
            value = (np.int32(red) << 16) | (np.int32(green) << 8) | np.int32(blue)
            if seen[value] == 0:
                values[count] = value
                count += 1
                seen[value] = count
            numbers[row, column] = seen[value] - 1
    return count


@njit
def _thick_colours(numbers: Labels, count: int) -> NDArray[np.bool_]:
    """Colours that fill a pixel with its neighbours above, below and beside it, by number."""
    height, width = numbers.shape
    thick = np.zeros(count, np.bool_)
    for row in range(height):
        for column in range(width):
            if _is_inside(numbers, row, column):
                thick[numbers[row, column]] = True
    return thick


@njit
def _is_inside(numbers: Labels, row: int, column: int) -> bool:
    height, width = numbers.shape
    own = numbers[row, column]
    return bool(
        (row == 0 or numbers[row - 1, column] == own)
        and (row == height - 1 or numbers[row + 1, column] == own)
        and (column == 0 or numbers[row, column - 1] == own)
        and (column == width - 1 or numbers[row, column + 1] == own)
    )


@njit
def _border_shares(
    numbers: Labels, thick: NDArray[np.bool_], pixels: NDArray[np.uint8]
) -> tuple[float, float, float]:
    """Shares of the pixels inside areas, of those of colours that have no inside, and of those
    among the latter whose colour lies between the colours around them."""
    height, width = numbers.shape
    inside = thin = blended = 0
    for row in range(height):
        for column in range(width):
            inside += _is_inside(numbers, row, column)
            if not thick[numbers[row, column]]:
                thin += 1
                blended += _is_between(numbers, pixels, row, column)
    total = height * width
    return inside / total, thin / total, blended / total


@njit
def _is_between(numbers: Labels, pixels: NDArray[np.uint8], row: int, column: int) -> bool:
    """Whether each channel of a pixel lies between those of its eight neighbours of other colours,
    of which there are two at least."""
    height, width = numbers.shape
    own, first, has_two = numbers[row, column], -1, False
    low, high = np.full(3, 255, np.uint8), np.zeros(3, np.uint8)
    for down in range(max(row - 1, 0), min(row + 2, height)):
        for right in range(max(column - 1, 0), min(column + 2, width)):
            other = numbers[down, right]
            if other == own:
                continue
            has_two = has_two or (first >= 0 and other != first)
            first = other
            for channel in range(3):
                low[channel] = min(low[channel], pixels[down, right, channel])
                high[channel] = max(high[channel], pixels[down, right, channel])
    for channel in range(3):
        has_two = has_two and low[channel] <= pixels[row, column, channel] <= high[channel]
    return bool(has_two)


@njit
def _soft_share(pixels: NDArray[np.uint8]) -> float:
    """Share of small steps among the neighbours, above and beside each other, that differ."""
    height, width = pixels.shape[:2]
    soft = differing = 0
    for row in range(height):
        for column in range(width):
            for down, right in ((row - 1, column), (row, column - 1)):
                if down < 0 or right < 0:
                    continue
                step = 0
                for channel in range(3):
                    gap = int(pixels[row, column, channel]) - int(pixels[down, right, channel])
                    step = max(step, abs(gap))
                differing += step > 0
                soft += 0 < step <= _SOFT_STEP
    return soft / differing if differing else 0.0
