"""Pixels of a drawing: any picture that a model's program wrote, as 8-bit RGB.

Alpha is laid over black, which is the ground of targets; of 16 bits the upper 8 are taken; grey is
repeated in the three channels; palettes and CMYK become RGB as Pillow converts them. Colour
profiles and EXIF orientation are passed over: programs of models write neither, and a value of a
drawing is a code, not a colour to look at.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import PictureError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.codec_clock import codec_at_work
from sgt_data.pictures.decode_source import FORMATS, decoding
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.scoring.measure import Drawing
from sgt_data.value_text import cut

DRAWING_PIXELS_MAX = 16_777_216
"""Most pixels of a drawing, 4096 x 4096: measures take some hundred bytes for each of them."""

DRAWING_BYTES_MAX = 268_435_456
"""Most bytes of a file of a drawing, which is read as a whole; 4096 x 4096 pixels of 16 bits that
are not packed take less."""

_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_PLAIN = ("L", "RGB", "P")


def drawing_of_file(data: bytes) -> Drawing:
    """Decode a file of a drawing: [H, W, 3] uint8 RGB.

    Raises:
        PictureError: it is no picture of a known format, is damaged or too large.
    """
    if not data:
        raise PictureError("the file is empty")
    with decoding(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_size(*image.size)
        is_usual = image.format in ("JPEG", "PNG") and image.mode in _PLAIN
        if not is_usual or "transparency" in image.info:
            with codec_at_work("picture decoding"):
                image.load()
            return np.asarray(_as_rgb(image))
        return rgb_pixels(data)


def drawing_of_array(key: str, value: Any) -> Drawing:
    """A drawing that a program gives: an array [H, W, 3] or [H, W] of uint8, or a Pillow image.

    Args:
        key: of its sample, for messages.
        value: the array, of numpy, or of a library whose arrays numpy can read.

    Raises:
        RequestError: it is something else, or too large.
    """
    if isinstance(value, Image.Image):
        try:
            _check_size(*value.size)
            return np.asarray(_as_rgb(value))
        except PictureError as why:
            raise RequestError(f"drawing of {key}: {why}") from why
    try:
        array = np.asarray(value)
    except Exception as why:  # whatever a library's own array raises, as where it is on a GPU
        raise RequestError(
            f"drawing of {key}: found {cut(type(value).__name__)}, which numpy cannot read: "
            f"{in_words(why)}; allowed: uint8 [H, W, 3], such as tensor.cpu().numpy()"
        ) from why
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not is_picture or 0 in array.shape:
        raise RequestError(
            f"drawing of {key}: found {array.dtype} {list(array.shape)}; allowed: uint8 [H, W, 3] "
            "or [H, W], 0 to 255 (a tensor of -1 to 1 [3, H, W] becomes one by "
            "((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy())"
        )
    try:
        _check_size(array.shape[1], array.shape[0])
    except PictureError as why:
        raise RequestError(f"drawing of {key}: {why}") from why
    pixels: NDArray[np.uint8] = array if array.ndim == 3 else np.repeat(array[..., None], 3, 2)
    return pixels


def _check_size(width: int, height: int) -> None:
    if width * height > DRAWING_PIXELS_MAX:
        raise PictureError(
            f"the picture claims {width}x{height} pixels, more than {DRAWING_PIXELS_MAX:,}"
        )


def _as_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "black")
        return Image.alpha_composite(ground, layer).convert("RGB")
    if image.mode.startswith("I"):
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise PictureError(f"the picture's values ({image.mode}) exceed 16 bits")
        return Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBX", "HSV"):
        return image.convert("RGB")
    raise PictureError(f"pictures of mode {image.mode} are not supported")
