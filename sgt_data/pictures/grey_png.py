"""Maps of grey levels <-> lossless PNG: 8-bit grey, 8-bit with a palette, 16-bit grey."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.codec_clock import timed_codec
from sgt_data.pictures.deflate import pack_runs
from sgt_data.pictures.palette_file import palette_file
from sgt_data.pictures.png_file import GREY, data_chunks, png_file
from sgt_data.pictures.png_filters import filtered_rows

_RAMP: NDArray[np.uint8] = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


@timed_codec("PNG encoding")
def encode_grey(levels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Grey PNG of 8 or 16 bits of grey levels [H, W], with PNG's row filters: for smooth maps.

    As of all files of this module, its bytes are those that Pillow writes at compression level 1
    with Z_RLE, which makes files as small as the level's own strategy in less time.
    """
    height, width = levels.shape
    step = levels.dtype.itemsize
    pixels = np.ascontiguousarray(levels, levels.dtype.newbyteorder(">"))
    rows = filtered_rows(pixels.view(np.uint8).reshape(height, step * width), step)
    return png_file((width, height), 8 * step, GREY, *data_chunks(pack_runs(rows), width))


def encode_rough(levels: NDArray[np.uint8]) -> bytes:
    """PNG with a grey palette of grey levels [H, W]: for rough or two-valued maps.

    PNG's row filters make such maps no smaller; without the filters, writing takes a third of the
    time.
    """
    return encode_coloured(levels, _RAMP)


def encode_coloured(levels: NDArray[np.uint8], table: NDArray[np.uint8]) -> bytes:
    """Palette PNG of levels [H, W], shown in the colours of `table` [256, 3] RGB."""
    return palette_file(levels, table, "runs")


def decode_grey(target: bytes, size: tuple[int, int], bits: int) -> NDArray[np.uint16]:
    """Levels [H, W] uint16 of a grey PNG, with or without a grey palette.

    Args:
        target: the PNG.
        size: width and height that it must have.
        bits: 8 or 16.

    Raises:
        CorpusError: the data are no PNG of this size and kind.
    """
    image = _open(target, size)
    if bits == 8 and image.mode == "P" and image.getpalette() == _RAMP.ravel().tolist():
        image = image.convert("L")
    allowed = ("L",) if bits == 8 else ("I;16", "I")
    if image.mode not in allowed:
        raise CorpusError(f"the target is {image.mode}, not {bits}-bit grey")
    return np.asarray(image).astype(np.uint16)


def decode_coloured(
    target: bytes, size: tuple[int, int], table: NDArray[np.uint8]
) -> NDArray[np.uint16]:
    """Levels [H, W] uint16 of a PNG in the colours of a table, by inverse lookup.

    Args:
        target: the PNG.
        size: width and height that it must have.
        table: [256, 3] RGB, the colour of each level.

    Raises:
        CorpusError: the data are no PNG of this size, or hold a colour that is not in the table.
    """
    pixels = np.asarray(_open(target, size).convert("RGB")).astype(np.int64)
    packed = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    wide = table.astype(np.int64)
    packed_table = (wide[:, 0] << 16) + (wide[:, 1] << 8) + wide[:, 2]
    order = np.argsort(packed_table)
    places = np.searchsorted(packed_table[order], packed)
    places = np.minimum(places, len(packed_table) - 1)
    if (packed_table[order][places] != packed).any():
        raise CorpusError("the target holds a colour that its colour map has not")
    return order[places].astype(np.uint16)


def _open(target: bytes, size: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(io.BytesIO(target), formats=["PNG"]) as image:
            if image.size != size:
                raise CorpusError(f"the target is {image.size}, its facts say {size}")
            image.load()
            return image.copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {in_words(why)}") from why
