"""Maps of colours <-> lossless RGB PNG, 8 bits a channel."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.codec_clock import timed_codec
from sgt_data.pictures.deflate import pack_runs
from sgt_data.pictures.png_file import RGB, data_chunks, png_file
from sgt_data.pictures.png_filters import filtered_rows


@timed_codec("PNG encoding")
def encode_rgb(pixels: NDArray[np.uint8]) -> bytes:
    """RGB PNG of colours [H, W, 3], with PNG's row filters: for smooth maps.

    Its bytes are those that Pillow writes at compression level 1 with Z_RLE.
    """
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    stream = pack_runs(filtered_rows(rows, channels))
    return png_file((width, height), 8, RGB, *data_chunks(stream, width))


def decode_rgb(target: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Colours [H, W, 3] of an RGB PNG.

    Args:
        target: the PNG.
        size: width and height that it must have.

    Raises:
        CorpusError: the data are no PNG of this size and kind.
    """
    try:
        with Image.open(io.BytesIO(target), formats=["PNG"]) as image:
            if image.size != size:
                raise CorpusError(f"the target is {image.size}, its facts say {size}")
            if image.mode != "RGB":
                raise CorpusError(f"the target is {image.mode}, not 8-bit RGB")
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {in_words(why)}") from why
