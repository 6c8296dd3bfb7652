"""JPEG artefacts: blocks and ringing."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sgt_data.degradations.pixels import Pixels


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """Encode a picture as a baseline JPEG of `quality` (1 to 100), chroma 4:2:0, and decode it."""
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(stored, formats=["JPEG"]) as image:
        return np.array(image)
