"""Decode stored pictures to RGB, for training.

Each format has its fastest decoder; the pixels are those of Pillow.
"""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.palette_png import decode_palette

_JPEG = b"\xff\xd8\xff"


def rgb_pixels(data: bytes) -> NDArray[np.uint8]:
    """RGB [H, W, 3] uint8 of a JPEG or PNG; of 16-bit grey the upper 8 bits.

    Raises:
        ValueError: the data are neither, are not whole, or are larger than `MAX_PIXELS`.
    """
    pixels = _decode_jpeg(data) if data.startswith(_JPEG) else decode_palette(data, MAX_PIXELS)
    return _decode_with_pillow(data) if pixels is None else pixels


def _decode_jpeg(data: bytes) -> NDArray[np.uint8] | None:
    """RGB of a grey or YCbCr JPEG, by libjpeg-turbo; None for other kinds and for damaged ones."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        if height * width > MAX_PIXELS or space not in ("YCbCr", "Gray"):
            return None
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB")
    except ValueError:
        return None
    return pixels


def _decode_with_pillow(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
            if image.mode.startswith("I"):
                return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as why:
        raise ValueError(str(why)) from why
