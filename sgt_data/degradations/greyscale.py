"""Greyscale: pictures without colour, and a measure of colour."""

from __future__ import annotations

import numpy as np

from sgt_data.degradations.pixels import Pixels
from sgt_data.pictures.gradients import grey_levels


def greyscale(picture: Pixels) -> Pixels:
    """The luma of a picture (ITU-R BT.601) in all three channels."""
    return np.repeat(grey_levels(np.ascontiguousarray(picture))[..., None], 3, axis=2)


def colourfulness(picture: Pixels) -> float:
    """Mean distance between a pixel's largest and smallest channel, in grey levels; 0 is grey.

    Every eighth pixel of every eighth row counts.
    """
    sampled = picture[::8, ::8].astype(np.int64)
    return float((sampled.max(axis=2) - sampled.min(axis=2)).mean())
