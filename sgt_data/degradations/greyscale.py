"""Greyscale: pictures without colour, and a measure of colour."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sgt_data.degradations.pixels import Pixels


def greyscale(picture: Pixels) -> Pixels:
    """The luma of a picture (ITU-R BT.601) in all three channels."""
    return np.array(Image.fromarray(picture).convert("L").convert("RGB"))


def colourfulness(picture: Pixels) -> float:
    """Mean distance between a pixel's largest and smallest channel, in grey levels; 0 is grey.

    Every eighth pixel of every eighth row counts.
    """
    sampled = picture[::8, ::8].astype(np.int64)
    return float((sampled.max(axis=2) - sampled.min(axis=2)).mean())
