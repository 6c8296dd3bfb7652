"""Connected areas of a label map, and those too small to be meant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Labels = NDArray[np.int32]
"""[H, W] int32; -1 is a pixel that is none of the labels."""

Areas = NDArray[np.int32]
"""[H, W] int32, numbers of connected areas from 0 on."""


def connected_areas(labels: Labels) -> tuple[Areas, int]:
    """Areas of pixels of the same label that share sides, in reading order, and their number."""
    areas = np.empty(labels.shape, np.int32)
    return areas, _number_areas(labels, areas)


def without_specks(labels: Labels, speck: int) -> Labels:
    """A label map [H, W] in which areas of fewer than `speck` pixels have the label around them.

    Each of their pixels takes the most frequent label of its eight neighbours, from outside in.
    """
    areas, count = connected_areas(labels)
    is_speck = np.bincount(areas.ravel(), minlength=count) < speck
    if is_speck.all() or not is_speck.any():
        return labels
    result, open_pixels = labels.copy(), is_speck[areas]
    while _fill_rim(result, open_pixels):
        pass
    return result


def split_areas(labels: Labels) -> tuple[Labels, NDArray[np.int64]]:
    """A label map in which every connected area of a label from 1 on has a label of its own.

    Returns:
        The map, and the former label of each new one [n]; labels up to 0 stay as they are.
    """
    areas, count = connected_areas(labels)
    former = np.zeros(count, np.int32)
    former[areas.ravel()] = labels.ravel()
    numbers = np.where(former > 0, np.cumsum(former > 0), former).astype(np.int32)
    return numbers[areas], former[former > 0].astype(np.int64)


def largest_areas(labels: Labels, most: int, rest: int) -> tuple[Labels, NDArray[np.int64]]:
    """`split_areas`, of the largest areas alone.

    Args:
        labels: the map.
        most: so many areas are kept; the first of equal ones in reading order.
        rest: label of the pixels of the others.
    """
    split, former = split_areas(labels)
    if len(former) <= most:
        return split, former
    sizes = np.bincount(split[split > 0], minlength=len(former) + 1)[1:]
    kept = np.sort(np.argsort(-sizes, kind="stable")[:most])
    table = np.full(len(former) + 1, rest, np.int32)
    table[kept + 1] = np.arange(1, most + 1)
    return np.where(split > 0, table[np.maximum(split, 0)], split).astype(np.int32), former[kept]


@njit
def _number_areas(labels: Labels, areas: Areas) -> int:
    height, width = labels.shape
    parents = np.empty(height * width, np.int32)
    count = np.int32(0)
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            above = row > 0 and labels[row - 1, column] == label
            left = column > 0 and labels[row, column - 1] == label
            if above and left:
                area = areas[row, column - 1]
                if areas[row - 1, column] != area:
                    area = joined(parents, area, areas[row - 1, column])
            elif above:
                area = areas[row - 1, column]
            elif left:
                area = areas[row, column - 1]
            else:
                area = count
                parents[count] = count
                count += 1
            areas[row, column] = area
    numbers = np.empty(count, np.int32)
    used = np.int32(0)
    for area in range(count):
        root = root_of(parents, area)
        if root == area:
            numbers[area] = used
            used += 1
        else:
            numbers[area] = numbers[root]
    for row in range(height):
        for column in range(width):
            areas[row, column] = numbers[areas[row, column]]
    return int(used)


@njit
def root_of(parents: NDArray[np.int32], area: int) -> int:
    """The area that an area was joined with, by way of others; paths are shortened on the way."""
    while parents[area] != area:
        parents[area] = parents[parents[area]]
        area = int(parents[area])
    return area


@njit
def joined(parents: NDArray[np.int32], first: int, second: int) -> int:
    """Join two areas; the number of both from now on, the lower of the two."""
    first, second = root_of(parents, first), root_of(parents, second)
    low, high = min(first, second), max(first, second)
    parents[high] = low
    return low


@njit
def _fill_rim(labels: Labels, open_pixels: NDArray[np.bool_]) -> bool:
    """Fill the open pixels that have a closed neighbour; whether there were any."""
    height, width = labels.shape
    rows, columns = np.nonzero(open_pixels)
    chosen = np.empty(len(rows), np.int32)
    filled = np.zeros(len(rows), np.bool_)
    seen = np.empty(8, np.int32)
    for place in range(len(rows)):
        row, column, count = rows[place], columns[place], 0
        for down in range(max(row - 1, 0), min(row + 2, height)):
            for right in range(max(column - 1, 0), min(column + 2, width)):
                if not open_pixels[down, right]:
                    seen[count] = labels[down, right]
                    count += 1
        if count:
            chosen[place] = _most_frequent(seen[:count])
            filled[place] = True
    for place in range(len(rows)):
        if filled[place]:
            labels[rows[place], columns[place]] = chosen[place]
            open_pixels[rows[place], columns[place]] = False
    return bool(filled.any())


@njit
def _most_frequent(labels: NDArray[np.int32]) -> int:
    best, most = labels[0], 0
    for label in labels:
        count = 0
        for other in labels:
            count += other == label
        if count > most or (count == most and label < best):
            best, most = label, count
    return int(best)
