"""Stored pictures as the cells of a contact sheet show them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from sgt_data.pictures.resample import resized

_OVERSAMPLING = 4  # the slanting line is drawn this many times larger, for smooth edges
_SLANT = 0.12  # share of the width, to either side of the middle
_LINE_WIDTH = 3


def fitted(data: bytes, width: int, height: int) -> Image.Image:
    """A stored JPEG or PNG as RGB, at most `width` x `height` pixels.

    A larger picture is shrunk. A small one is enlarged by a whole factor, pixel by pixel, as any
    other factor would blur it.
    """
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        picture = _eight_bit(image).convert("RGB")
    factor = min(width // picture.width, height // picture.height)
    if factor > 1:
        size = picture.width * factor, picture.height * factor
        return picture.resize(size, Image.Resampling.NEAREST)
    scale = min(1.0, width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture if size == picture.size else resized(picture, size)


def split_view(left: Image.Image, right: Image.Image) -> Image.Image:
    """The left part of a picture and the right part of another, parted by a slanting white line.

    Args:
        left: RGB picture whose left part is shown.
        right: RGB picture of the same size whose right part is shown.
    """
    width, height = left.size
    top, bottom = (round(width * _OVERSAMPLING * (0.5 + side * _SLANT)) for side in (1, -1))
    mask_height = height * _OVERSAMPLING
    mask = Image.new("L", (width * _OVERSAMPLING, mask_height))
    ImageDraw.Draw(mask).polygon([(0, 0), (top, 0), (bottom, mask_height), (0, mask_height)], 255)
    line = Image.new("L", mask.size)
    # the line reaches beyond both edges, so that the edges cut its ends
    reach = (top - bottom) * _OVERSAMPLING / mask_height
    ImageDraw.Draw(line).line(
        [(top + reach, -_OVERSAMPLING), (bottom - reach, mask_height + _OVERSAMPLING)],
        255,
        _LINE_WIDTH * _OVERSAMPLING,
    )
    view = Image.composite(left, right, mask.resize(left.size, Image.Resampling.BOX))
    view.paste("white", (0, 0), line.resize(left.size, Image.Resampling.BOX))
    return view


def _eight_bit(image: Image.Image) -> Image.Image:
    """A 16-bit grey picture scaled to 8 bits, as Pillow would clip its values."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
