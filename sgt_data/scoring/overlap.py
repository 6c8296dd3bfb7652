"""How many pixels the labels of two maps share."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.segmentation.pixel_sampling import centre_samples

Counts = NDArray[np.int64]
Labels = NDArray[np.int32]
"""[H, W] int32: 0 is unlabelled, -1 a pixel that was read as nothing."""


def resampled(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A map [H, W] at another size: each pixel takes the value under its centre."""
    if values.shape[:2] == (height, width):
        return values
    rows = centre_samples(values.shape[0], height)
    columns = centre_samples(values.shape[1], width)
    return values[np.ix_(rows, columns)]


def at_one_size(
    target: NDArray[Any], drawn: NDArray[Any], compare_at: Literal["target", "drawing"]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The maps of a target and a drawing, at the size of the target or of the drawing."""
    if compare_at == "target":
        return target, resampled(drawn, target.shape[0], target.shape[1])
    return resampled(target, drawn.shape[0], drawn.shape[1]), drawn


def shared_pixels(
    target: NDArray[Any], drawn: NDArray[Any], target_labels: int, drawn_labels: int
) -> Counts:
    """Numbers of pixels that labels of two maps [H, W] share.

    Args:
        target: labels 0 to `target_labels - 1`.
        drawn: labels -1 to `drawn_labels - 1`.
        target_labels, drawn_labels: numbers of labels, 0 included.

    Returns:
        [target_labels, drawn_labels + 1]; the last column is that of the label -1.
    """
    shared = np.zeros((target_labels, drawn_labels + 1), np.int64)
    _count(np.ascontiguousarray(target).ravel(), np.ascontiguousarray(drawn).ravel(), shared)
    return shared


@njit
def _count(target: NDArray[Any], drawn: NDArray[Any], shared: Counts) -> None:
    last = shared.shape[1] - 1
    for place in range(len(target)):
        label = np.int64(drawn[place])
        shared[np.int64(target[place]), last if label < 0 else label] += 1
