"""Whether a drawing has noise, and drawings with noise at the size of their targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.compiled import njit
from sgt_data.scoring.decoding_options import Decoding


def has_noise(drawing: NDArray[np.uint8], decoding: Decoding) -> bool:
    """Whether neighbours in a drawing [H, W, 3] differ by little as often as in noise."""
    small, differing = _count_steps(drawing, decoding.noise_step)
    return bool(small > decoding.noise_share * differing)


def enlarged(
    drawing: NDArray[np.uint8], facts: Mapping[str, Any], decoding: Decoding
) -> NDArray[np.uint8]:
    """A drawing with noise at its target's size where it is smaller; any other as it is."""
    width, height = facts["size"]["width"], facts["size"]["height"]
    is_smaller = drawing.shape[0] < height or drawing.shape[1] < width
    if decoding.compare_at == "drawing" or not is_smaller or not has_noise(drawing, decoding):
        return drawing
    picture = Image.fromarray(drawing)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))


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
                    level = int(drawing[row, column, channel])
                    step = max(step, abs(level - int(drawing[down, right, channel])))
                if step > 0:
                    differing += 1
                    small += step <= noise_step
    return small, differing
