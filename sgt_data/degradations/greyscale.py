"""A picture without its colours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sgt_data.degradations.pixels import Pixels


def greyscale(picture: Pixels) -> Pixels:
    """Luma by ITU-R 601 in all three channels."""
    return np.array(Image.fromarray(picture).convert("L").convert("RGB"))


def colourfulness(picture: Pixels) -> float:
    """Mean distance between a pixel's largest and smallest channel, in grey levels; 0 is grey.

    Every eighth pixel of every eighth row counts.
    """
    some = picture[::8, ::8].astype(np.int64)
    return float((some.max(axis=2) - some.min(axis=2)).mean())
