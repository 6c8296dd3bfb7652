"""The colours that a drawing with noise was painted in.

Flat areas of the drawing are averaged, which takes the noise from their colour; the largest come
first, and each joins the nearest colour before it within a bandwidth. Small areas next to borders
are mostly blends, so that they join from farther away: up to a share of the distance that the
colours of the large ones keep.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.signed_level import signed
from sgt_data.segmentation.connected_areas import joined, root_of

LARGE = 64
"""Pixels from which a flat area has a colour of its own; the inside of 10 by 10 pixels."""

_SURE = 200
_SPREAD_MAX = 80.0


def painted_colours(
    drawing: NDArray[np.uint8], background: RGB, decoding: Decoding
) -> NDArray[np.uint8]:
    """Colours [n, 3] of the segments of a drawing [H, W, 3], the background's left out.

    Args:
        drawing: the drawing.
        background: the colour of what is unlabelled, which is always one of the colours.
        decoding: bandwidths, see `Decoding`.
    """
    sums = np.zeros((drawing.shape[0] * drawing.shape[1], 4))
    _sum_flat_areas(drawing, decoding.flat, decoding.join, sums)
    sums = sums[sums[:, 0] > 0]
    sums = sums[np.argsort(-sums[:, 0], kind="stable")]
    means = sums[:, 1:] / sums[:, :1]
    clusters = np.zeros((len(sums) + 1, 4))
    clusters[0] = (np.inf, *background)
    large = int((sums[:, 0] >= LARGE).sum())
    count = _gather(sums[:large, 0], means[:large], decoding.bandwidth, clusters, 1)
    reach = _reach_of_small(clusters[:count], decoding)
    count = _gather(sums[large:, 0], means[large:], reach, clusters, count)
    return np.round(clusters[1:count, 1:]).astype(np.uint8)


def _reach_of_small(clusters: NDArray[np.float64], decoding: Decoding) -> float:
    sure = clusters[clusters[:, 0] >= _SURE, 1:]
    gaps = np.sqrt(((sure[:, None] - sure[None]) ** 2).sum(2))
    np.fill_diagonal(gaps, np.inf)
    return min(_SPREAD_MAX, max(decoding.bandwidth, decoding.spread * float(gaps.min())))


@njit
def _gather(
    areas: NDArray[np.float64],
    means: NDArray[np.float64],
    bandwidth: float,
    clusters: NDArray[np.float64],
    count: int,
) -> int:
    """Add areas to the clusters [pixels, R, G, B], of which the first never moves; their number."""
    for place in range(len(areas)):
        best, least = -1, bandwidth * bandwidth
        for number in range(count):
            distance = 0.0
            for channel in range(3):
                gap = means[place, channel] - clusters[number, 1 + channel]
                distance += gap * gap
            if distance <= least:
                best, least = number, distance
        if best < 0:
            clusters[count, 0] = areas[place]
            clusters[count, 1:] = means[place]
            count += 1
        elif best > 0:
            share = areas[place] / (clusters[best, 0] + areas[place])
            clusters[best, 0] += areas[place]
            for channel in range(3):
                gap = means[place, channel] - clusters[best, 1 + channel]
                clusters[best, 1 + channel] += share * gap
    return count


@njit
def _sum_flat_areas(
    drawing: NDArray[np.uint8], flat: int, join: int, sums: NDArray[np.float64]
) -> None:
    """Pixels and sums of the channels of each flat area, at the number of one of its pixels."""
    height, width, _ = drawing.shape
    is_flat = np.empty((height, width), np.bool_)
    _mark_flat(drawing, flat, is_flat)
    parents = np.arange(height * width, dtype=np.int32)
    for row in range(height):
        for column in range(width):
            place = row * width + column
            if not is_flat[row, column]:
                continue
            colour, left, above = drawing[row, column], max(column - 1, 0), max(row - 1, 0)
            if is_flat[row, left] and _near(colour, drawing[row, left], join):
                joined(parents, place, row * width + left)
            if is_flat[above, column] and _near(colour, drawing[above, column], join):
                joined(parents, place, above * width + column)
    for row in range(height):
        for column in range(width):
            if is_flat[row, column]:
                root = root_of(parents, row * width + column)
                sums[root, 0] += 1
                for channel in range(3):
                    sums[root, 1 + channel] += drawing[row, column, channel]


@njit
def _mark_flat(drawing: NDArray[np.uint8], flat: int, is_flat: NDArray[np.bool_]) -> None:
    height, width, channels = drawing.shape
    low, high = np.empty_like(drawing), np.empty_like(drawing)
    for row in range(height):
        for column in range(width):
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            for channel in range(channels):
                first, middle = drawing[row, left, channel], drawing[row, column, channel]
                last = drawing[row, right, channel]
                low[row, column, channel] = min(first, middle, last)
                high[row, column, channel] = max(first, middle, last)
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            widest = 0
            for channel in range(channels):
                lowest = min(low[above, column, channel], low[row, column, channel])
                highest = max(high[above, column, channel], high[row, column, channel])
                lowest = min(lowest, low[below, column, channel])
                highest = max(highest, high[below, column, channel])
                widest = max(widest, int(highest) - int(lowest))
            is_flat[row, column] = widest <= flat


@njit
def _near(first: NDArray[np.uint8], second: NDArray[np.uint8], join: int) -> bool:
    step = 0
    for channel in range(3):
        step = max(step, abs(signed(first[channel]) - signed(second[channel])))
    return step <= join
