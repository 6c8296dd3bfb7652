"""The nearest of some colours, for every pixel of a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.signed_level import signed

RGB = tuple[int, int, int]
ALL_COLOURS = 1 << 24


class ColourTable(NamedTuple):
    """Colours, and for every RGB value the nearest of them, as far as it was asked for.

    Attributes:
        colours: [n, 3] int32.
        nearest: [2**24] uint16, by `R << 16 | G << 8 | B`: the number of the nearest colour plus 1;
            0 where none was asked for. Memory is taken only for values that were.
    """

    colours: NDArray[np.int32]
    nearest: NDArray[np.uint16]


def colour_table(colours: Sequence[RGB]) -> ColourTable:
    """A table of colours; tables of few colours are cheap to make, for each drawing."""
    return ColourTable(np.array(colours, np.int32).reshape(-1, 3), np.zeros(ALL_COLOURS, np.uint16))


@lru_cache(maxsize=4)
def kept_table(colours: tuple[RGB, ...]) -> ColourTable:
    """A table of the colours of a whole corpus, which all of its drawings fill together."""
    return colour_table(colours)


def nearest_numbers(picture: NDArray[np.uint8], table: ColourTable) -> Labels:
    """Numbers [H, W] of the nearest colours of a picture [H, W, 3] (Euclidean in RGB; ties go to
    the first)."""
    numbers = np.empty(picture.shape[:2], np.int32)
    _look_up(picture, table.colours, table.nearest, numbers)
    return numbers


def nearest_of_levels(levels: NDArray[np.floating], colours: Sequence[RGB]) -> Labels:
    """Numbers [H, W] of the nearest colours of a picture [H, W, 3] of fractional levels, 0 to
    255."""
    table = np.array(colours, float).reshape(-1, 3)
    wide = levels.astype(float)
    distances = (wide**2).sum(-1, keepdims=True) - 2 * wide @ table.T + (table**2).sum(-1)
    # distances that differ by the rounding of floats only are a tie, which goes to the first
    numbers: Labels = np.argmin(np.round(distances, 6), axis=-1).astype(np.int32)
    return numbers


@njit
def _look_up(
    picture: NDArray[np.uint8],
    colours: NDArray[np.int32],
    nearest: NDArray[np.uint16],
    numbers: Labels,
) -> None:
    height, width = numbers.shape
    before, number = -1, 0
    for row in range(height):
        for column in range(width):
            red = signed(picture[row, column, 0])
            green = signed(picture[row, column, 1])
            blue = signed(picture[row, column, 2])
            packed = (red << 16) | (green << 8) | blue
            if packed != before:
                before = packed
                number = int(nearest[packed]) - 1
                if number < 0:
                    number = _nearest(red, green, blue, colours)
                    nearest[packed] = number + 1
            numbers[row, column] = number


@njit
def _nearest(red: int, green: int, blue: int, colours: NDArray[np.int32]) -> int:
    best, least = 0, 1 << 30
    for number in range(len(colours)):
        across = colours[number, 0] - red
        down = colours[number, 1] - green
        deep = colours[number, 2] - blue
        distance = across * across + down * down + deep * deep
        if distance < least:
            best, least = number, distance
    return best
