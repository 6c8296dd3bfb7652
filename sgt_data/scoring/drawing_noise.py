"""Whether a drawing has noise, and drawings with noise at the size of their targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.compiled import njit
from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.signed_level import signed

_SOFT_MIN = 0.25
"""Share of the pixels at borders from which on borders are soft; in label maps few areas are as
thin as a pixel."""

_BLENDS_MAX = 0.002
"""Share of pixels up to which a drawing has no blends."""


def has_noise(drawing: NDArray[np.uint8], decoding: Decoding) -> bool:
    """Whether neighbours in a drawing [H, W, 3] differ by little as often as in noise."""
    small, differing = _count_steps(drawing, decoding.noise_step)
    return bool(small > decoding.noise_share * differing)


def enlarged(
    drawing: NDArray[np.uint8], facts: Mapping[str, Any], decoding: Decoding
) -> NDArray[np.uint8]:
    """A drawing with noise, or with soft borders, at its target's size where it is smaller; any
    other as it is."""
    width, height = facts["size"]["width"], facts["size"]["height"]
    is_smaller = drawing.shape[0] < height or drawing.shape[1] < width
    if decoding.compare_at == "drawing" or not is_smaller:
        return drawing
    if not has_noise(drawing, decoding) and not has_soft_borders(drawing):
        return drawing
    picture = Image.fromarray(drawing)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


def has_soft_borders(drawing: NDArray[np.uint8]) -> bool:
    """Whether borders in a drawing [H, W, 3] are of pixels of their own, as where a larger drawing
    was averaged; whatever its colours mean."""
    between, at_borders = _count_between(drawing)
    return between > _SOFT_MIN * at_borders


def has_blends(
    drawing: NDArray[np.uint8], nearest: NDArray[np.int32], colours: NDArray[np.int32]
) -> bool:
    """Whether a drawing [H, W, 3] has blends of colours at borders; saturated colours hide the
    noise beside these.

    Args:
        drawing: the drawing.
        nearest: [H, W], numbers of the nearest colours.
        colours: [n, 3], the stated ones.
    """
    return _count_blends(drawing, nearest, colours) > _BLENDS_MAX * nearest.size


@njit
def _count_blends(
    drawing: NDArray[np.uint8], nearest: NDArray[np.int32], colours: NDArray[np.int32]
) -> int:
    """Number of pixels of no stated colour that lie between two others, in a row or a column."""
    height, width = nearest.shape
    count = 0
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            step = 0
            across, before, below, above = 0, 0, 0, 0
            for channel in range(3):
                level = signed(drawing[row, column, channel])
                step += abs(level - colours[nearest[row, column], channel])
                before += abs(level - signed(drawing[row, column - 1, channel]))
                across += abs(level - signed(drawing[row, column + 1, channel]))
                above += abs(level - signed(drawing[row - 1, column, channel]))
                below += abs(level - signed(drawing[row + 1, column, channel]))
            is_between = (before > 0 and across > 0) or (above > 0 and below > 0)
            count += step > 0 and is_between
    return count


@njit
def _count_between(drawing: NDArray[np.uint8]) -> tuple[int, int]:
    """Numbers of pixels that differ from both neighbours in their row or column, which differ from
    each other, and of those that differ from any of the four."""
    height, width, _ = drawing.shape
    between, at_borders = 0, 0
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            left, right, above, below, wide, high = 0, 0, 0, 0, 0, 0
            for channel in range(3):
                level = signed(drawing[row, column, channel])
                before, after = drawing[row, column - 1, channel], drawing[row, column + 1, channel]
                over, under = drawing[row - 1, column, channel], drawing[row + 1, column, channel]
                left += abs(level - signed(before))
                right += abs(level - signed(after))
                above += abs(level - signed(over))
                below += abs(level - signed(under))
                wide += abs(signed(before) - signed(after))
                high += abs(signed(over) - signed(under))
            is_across = left > 0 and right > 0 and wide > 0
            is_down = above > 0 and below > 0 and high > 0
            between += is_across or is_down
            at_borders += left > 0 or right > 0 or above > 0 or below > 0
    return between, at_borders


@njit
def _count_steps(drawing: NDArray[np.uint8], noise_step: int) -> tuple[int, int]:
    """Numbers of neighbouring pixels that differ by at most `noise_step`, and that differ."""
    height, width, _ = drawing.shape
    small, differing = 0, 0
    for row in range(height):
        for column in range(width):
            for side in range(2):
                down, right = row + side, column + 1 - side
                if down == height or right == width:
                    continue
                step = 0
                for channel in range(3):
                    level = signed(drawing[row, column, channel])
                    step = max(step, abs(level - signed(drawing[down, right, channel])))
                if step > 0:
                    differing += 1
                    small += step <= noise_step
    return small, differing
