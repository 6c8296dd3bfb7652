"""Borders of a drawing with noise: pixels there are blends, and belong to an area next to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.overlap import Labels


def settled(
    drawing: NDArray[np.uint8], labels: Labels, colours: NDArray[np.int32], reach: int
) -> Labels:
    """Labels [H, W] in which each pixel of a border has the nearest colour of the areas nearby.

    A pixel is inside an area where it and its eight neighbours have the same label. Any other takes
    the nearest colour of those that have such a pixel within `reach` rows and columns; where none
    has, it keeps its label.

    Args:
        drawing: [H, W, 3].
        labels: the number of the nearest of all colours; -1 for none, which stays.
        colours: [n, 3].
        reach: in pixels.
    """
    inside = np.empty(labels.shape, np.bool_)
    _mark_inside(labels, inside)
    result = labels.copy()
    _settle(drawing, labels, inside, colours, reach, result)
    return result


@njit
def _mark_inside(labels: Labels, inside: NDArray[np.bool_]) -> None:
    height, width = labels.shape
    alike = np.empty((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            alike[row, column] = (
                label >= 0 and labels[row, left] == label and labels[row, right] == label
            )
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            label = labels[row, column]
            inside[row, column] = (
                alike[row, column]
                and alike[above, column]
                and alike[below, column]
                and labels[above, column] == label
                and labels[below, column] == label
            )


@njit
def _settle(
    drawing: NDArray[np.uint8],
    labels: Labels,
    inside: NDArray[np.bool_],
    colours: NDArray[np.int32],
    reach: int,
    result: Labels,
) -> None:
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            if inside[row, column] or labels[row, column] < 0:
                continue
            best, least = np.int32(-1), np.int64(1 << 40)
            for down in range(max(row - reach, 0), min(row + reach + 1, height)):
                for right in range(max(column - reach, 0), min(column + reach + 1, width)):
                    label = labels[down, right]
                    if not inside[down, right] or label == best:
                        continue
                    distance = np.int64(0)
                    for channel in range(3):
                        gap = np.int64(drawing[row, column, channel]) - colours[label, channel]
                        distance += gap * gap
                    if distance < least:
                        best, least = label, distance
            if best >= 0:
                result[row, column] = best
