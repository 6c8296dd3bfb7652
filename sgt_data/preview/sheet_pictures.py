"""Stored pictures as the cells of a contact sheet show them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

_FINE = 4  # the slanting line is drawn so many times larger, for smooth edges
_SLANT = 0.12  # of the width, to either side of the middle
_LINE_WIDTH = 3


def fitted(data: bytes, width: int, height: int) -> Image.Image:
    """A stored JPEG or PNG as RGB, shrunk to fit; a small one grows by a whole factor, pixel by
    pixel, for anything else would blur it."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        picture = _eight_bit(image).convert("RGB")
    factor = min(width // picture.width, height // picture.height)
    if factor > 1:
        size = picture.width * factor, picture.height * factor
        return picture.resize(size, Image.Resampling.NEAREST)
    scale = min(1.0, width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def split(left: Image.Image, right: Image.Image) -> Image.Image:
    """The left part of one picture and the right part of another of the same size, on either side
    of a thin white slanting line."""
    width, height = left.size
    top, bottom = (round(width * _FINE * (0.5 + side * _SLANT)) for side in (1, -1))
    high = height * _FINE
    mask = Image.new("L", (width * _FINE, high))
    ImageDraw.Draw(mask).polygon([(0, 0), (top, 0), (bottom, high), (0, high)], 255)
    line = Image.new("L", mask.size)
    # beyond both edges, so that its ends are cut by them
    reach = (top - bottom) * _FINE / high
    ImageDraw.Draw(line).line(
        [(top + reach, -_FINE), (bottom - reach, high + _FINE)], 255, _LINE_WIDTH * _FINE
    )
    both = Image.composite(left, right, mask.resize(left.size, Image.Resampling.BOX))
    both.paste("white", (0, 0), line.resize(left.size, Image.Resampling.BOX))
    return both


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit greys in 8 bits, which Pillow would clip."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
