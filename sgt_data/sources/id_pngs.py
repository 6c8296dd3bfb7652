"""PNGs that hold numbers: COCO's panoptic maps (RGB ids) and pixelmaps (one number a pixel).

Tools save such PNGs anew in other forms: with an alpha channel, a palette, as grey, with 16 bits.
Every form that keeps the numbers is read; one that may have changed them is refused.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError, PictureError
from sgt_data.pictures.decode_source import FORMATS, decoding, inspect
from sgt_data.segmentation.id_map import panoptic_ids

_DEPTH, _COLOUR_TYPE = 24, 25  # bytes of a PNG's header (PNG specification, 11.2.2 IHDR)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """Pixels of a PNG as its file states them.

    Attributes:
        pixels: [H, W] of grey or palette indices, or [H, W, 3] RGB.
        palette: [n, 3] RGB, where the pixels are indices.
    """

    pixels: NDArray[np.int32]
    palette: NDArray[np.int32] | None = None


def read_colour_ids(png: bytes, height: int, width: int) -> NDArray[np.int32]:
    """Ids [height, width] int32 of a panoptic map: `R + 256 G + 65536 B`, or the grey value.

    Raises:
        AnnotationError: the PNG has another size, or its form may have changed the ids.
    """
    decoded = _decoded(png, height, width)
    if decoded.palette is not None:
        return panoptic_ids(decoded.palette.astype(np.uint8)[decoded.pixels])
    if decoded.pixels.ndim == 2:
        return decoded.pixels
    return panoptic_ids(decoded.pixels.astype(np.uint8))


def read_numbers(png: bytes, height: int, width: int) -> NDArray[np.int32]:
    """Numbers [height, width] int32 of a pixelmap: the palette index, or the grey value.

    Raises:
        AnnotationError: the PNG has another size, or colours that are no grey.
    """
    decoded = _decoded(png, height, width)
    if decoded.pixels.ndim == 2:
        return decoded.pixels
    red, green, blue = np.moveaxis(decoded.pixels, -1, 0)
    if (red != green).any() or (red != blue).any():
        raise AnnotationError(
            "the map is RGB with colours; allowed are palette indices and grey values, which are "
            "category ids"
        )
    return np.ascontiguousarray(red)


def _decoded(png: bytes, height: int, width: int) -> _Decoded:
    try:
        stored = inspect(png)
        if (stored.height, stored.width) != (height, width):
            raise AnnotationError(
                f"the map is {stored.width}x{stored.height}, the image {width}x{height}"
            )
        with decoding(), Image.open(io.BytesIO(png), formats=FORMATS) as image:
            if image.format != "PNG":
                raise AnnotationError(
                    f"the map is a {image.format}, whatever its name says; ids need a lossless PNG"
                )
            return _as_stored(image, png[_DEPTH])
    except PictureError as why:
        raise AnnotationError(f"the map: {why}") from why


def _as_stored(image: Image.Image, depth: int) -> _Decoded:
    """The pixels of an opened PNG of `depth` bits, without what Pillow does to them."""
    mode = image.mode
    if mode == "P":
        palette = np.asarray(image.getpalette(), np.int32).reshape(-1, 3)
        indices = np.asarray(image).astype(np.int32)
        if indices.max() >= len(palette):
            raise AnnotationError(
                f"the map holds palette index {indices.max()}; its palette has {len(palette)} "
                "colours"
            )
        return _Decoded(indices, palette)
    if mode in ("1", "L", "I;16", "I"):
        grey = np.asarray(image).astype(np.int32)
        # Pillow stretches grey of 2 and 4 bits over 0 to 255
        return _Decoded(grey // (255 // (2**depth - 1)) if mode == "L" and depth < 8 else grey)
    if depth == 16:
        raise AnnotationError(
            "the map has colours of 16 bits a channel, which mean no ids; allowed are RGB of 8 "
            "bits and grey of up to 16"
        )
    pixels = np.asarray(image).astype(np.int32)
    if mode in ("RGBA", "LA"):
        if (pixels[..., -1] != 255).any():
            raise AnnotationError(
                "the map has pixels that are not opaque (alpha below 255), whose colours may have "
                "been changed; save it without alpha"
            )
        return _Decoded(pixels[..., :3] if mode == "RGBA" else pixels[..., 0])
    if mode == "RGB":
        return _Decoded(pixels)
    raise AnnotationError(f"the map has mode {mode}; allowed are RGB, RGBA, palette and grey")
