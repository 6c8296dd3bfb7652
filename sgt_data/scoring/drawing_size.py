"""Drawings of another size than their target's.

Maps whose colours are codes (depth, normals) are sampled by `resampled`, because a mean of two
codes is a third value that neither pixel holds. Pictures and edges are resized by Pillow's filters,
which weigh all the pixels that they cover.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.pictures.resample import resized_pixels

CompareAt = Literal["target", "drawing"]
"""Whose size the other one is brought to before both are compared."""


def pictures_at_one_size(
    drawing: NDArray[np.uint8],
    target: NDArray[np.uint8],
    compare_at: CompareAt,
    resampling: Image.Resampling,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A drawing [H, W, 3] and its target, in RGB or grey, at the size of one of them."""
    if compare_at == "target":
        return resized_pixels(drawing, target.shape[1::-1], resampling), target
    return drawing, resized_pixels(target, drawing.shape[1::-1], resampling)
