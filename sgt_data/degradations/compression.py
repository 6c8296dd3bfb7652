"""Blocks and ringing of a JPEG saved at low quality."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sgt_data.degradations.pixels import Pixels


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """Through a baseline JPEG of `quality` (1 to 100) with 4:2:0 chroma and back."""
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(stored, formats=["JPEG"]) as image:
        return np.array(image)
