"""Stated colours that look alike, such as the shades of a class in the palette `category`.

They differ by single levels, which no noise leaves. The mean colour of an area does tell them
apart, where the noise averages out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.overlap import Labels
from sgt_data.segmentation.connected_areas import split_areas

_ALIKE = 16.0
"""Distance (RGB levels, Euclidean) below which colours look alike."""


def with_told_shades(
    drawing: NDArray[np.uint8], labels: Labels, colours: NDArray[np.int32]
) -> Labels:
    """Labels [H, W] in which each connected area of colours that look alike has one label: that of
    the colour nearest to the area's mean.

    Args:
        drawing: [H, W, 3].
        labels: numbers of colours, -1 for none.
        colours: [n, 3]; the first stands for nothing.
    """
    looks = first_alike(colours)
    if (looks == np.arange(len(colours))).all():
        return labels
    alike = np.where(labels > 0, looks[labels], labels).astype(np.int32)
    areas, former = split_areas(alike)
    numbers = np.maximum(areas, 0).ravel()
    pixels = np.bincount(numbers, minlength=len(former) + 1)
    means = np.stack(
        [
            np.bincount(numbers, drawing[..., channel].ravel(), len(former) + 1)
            / np.maximum(pixels, 1)
            for channel in range(3)
        ],
        axis=1,
    )
    told = np.zeros(len(former) + 1, np.int32)
    for number, look in enumerate(former.tolist(), 1):
        shades = np.flatnonzero(looks == look)
        told[number] = shades[((colours[shades] - means[number]) ** 2).sum(1).argmin()]
    return np.where(areas > 0, told[numbers].reshape(areas.shape), areas).astype(np.int32)


def first_alike(colours: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each colour [n], the number of the first that looks like it."""
    gaps = ((colours[:, None].astype(np.int64) - colours[None]) ** 2).sum(2)
    first: NDArray[np.int32] = (gaps < _ALIKE**2).argmax(axis=1).astype(np.int32)
    return first
