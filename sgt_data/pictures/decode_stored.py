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
from sgt_data.pictures.palette_png import Empty, decode_palette, empty_pixels

_JPEG = b"\xff\xd8\xff"


def rgb_pixels(data: bytes, empty: Empty = empty_pixels) -> NDArray[np.uint8]:
    """RGB [H, W, 3] uint8 of a JPEG or PNG; of 16-bit grey the upper 8 bits.

    Args:
        data: bytes of the file.
        empty: gives the memory for the pixels of the usual formats.

    Raises:
        ValueError: the data are neither, are not whole, or are larger than `MAX_PIXELS`.
    """
    if data.startswith(_JPEG):
        pixels = _decode_jpeg(data, empty)
    else:
        pixels = decode_palette(data, MAX_PIXELS, empty)
    return _decode_with_pillow(data) if pixels is None else pixels


def _decode_jpeg(data: bytes, empty: Empty) -> NDArray[np.uint8] | None:
    """RGB of a grey or YCbCr JPEG, by libjpeg-turbo; None for other kinds and for damaged ones."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        if height * width > MAX_PIXELS or space not in ("YCbCr", "Gray"):
            return None
        pixels = empty((height, width, 3))
        simplejpeg.decode_jpeg(data, "RGB", buffer=pixels)
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
