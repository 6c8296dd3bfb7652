"""Pixels whose colour is none of those that are stated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.signed_level import signed


def rejected(
    drawing: NDArray[np.uint8],
    nearest: Labels,
    colours: NDArray[np.int32],
    distance: float | None,
    is_noisy: bool,
) -> Labels:
    """Labels [H, W] with -1 where a pixel is farther than `distance` from its nearest colour.

    Args:
        drawing: [H, W, 3].
        nearest: [H, W], numbers of the nearest colours.
        colours: [n, 3].
        distance: RGB levels, Euclidean; None rejects nothing.
        is_noisy: whether a pixel is rejected only where its eight neighbours are as far: between
            two colours, a noisy drawing has blends of both.
    """
    if distance is None:
        return nearest
    is_far = np.empty(nearest.shape, np.bool_)
    if not _mark_far(drawing, nearest, colours, distance * distance, is_far):
        return nearest
    if is_noisy:
        is_far = _without_rim(is_far)
    return np.where(is_far, np.int32(-1), nearest)


@njit
def _mark_far(
    drawing: NDArray[np.uint8],
    nearest: Labels,
    colours: NDArray[np.int32],
    limit: float,
    is_far: NDArray[np.bool_],
) -> int:
    count = 0
    height, width = nearest.shape
    for row in range(height):
        for column in range(width):
            distance = 0
            for channel in range(3):
                level = signed(drawing[row, column, channel])
                gap = level - colours[nearest[row, column], channel]
                distance += gap * gap
            is_far[row, column] = distance > limit
            count += distance > limit
    return count


def _without_rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask whose eight neighbours belong to it, too."""
    padded = np.pad(mask, 1, mode="edge")
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    inner: NDArray[np.bool_] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return inner
