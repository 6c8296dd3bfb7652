"""Dense maps (a number for every pixel) as bytes: 16-bit grey PNGs, and the form of annotators.

An annotator's map is a header and codes. The header of relative maps is of the mark `sgtD`; that of
inverse depth in 1/m is of the mark `sgtM`, and has the focal length beside.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.records import DenseMap

CODES = 65535
"""Largest code of a dense map."""
_HEAD = struct.Struct("<4sIIdd?")
_MAGIC = b"sgtD"
_METRIC_HEAD = struct.Struct("<4sIIdd?d")
_METRIC_MAGIC = b"sgtM"
_PNG = b"\x89PNG"
_ROUNDING = 2.0**-20  # a few units in the last place of float32


def encode_dense(values: NDArray[np.float32]) -> bytes:
    """Encode an upright map [H, W] of finite values in 65,536 steps over its range.

    Raises:
        AnnotationError: a value is NaN or infinite.
    """
    low, high, codes = _coded(values)
    return _HEAD.pack(_MAGIC, *values.shape, low, high, True) + codes.tobytes()


def encode_inverse_metres(values: NDArray[np.float32], focal_pixels: float | None = None) -> bytes:
    """Encode an upright map [H, W] of inverse depth in 1/m in 65,536 steps over its range.

    Args:
        values: inverse depth in 1/m, 0 infinitely far.
        focal_pixels: focal length in pixels of the map, where it is known.

    Raises:
        AnnotationError: a value is NaN, infinite or below 0.
    """
    low, high, codes = _coded(values)
    if low < 0:
        raise AnnotationError(f"the map holds the inverse depth {low:g} 1/m, below 0")
    focal = focal_pixels or 0.0
    return _METRIC_HEAD.pack(_METRIC_MAGIC, *values.shape, low, high, True, focal) + codes.tobytes()


def _coded(values: NDArray[np.float32]) -> tuple[float, float, NDArray[np.uint16]]:
    """Values of code 0 and code 65535, and the codes."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise AnnotationError("the map holds NaN or infinite values")
    if high - low <= _ROUNDING * max(abs(low), abs(high)):
        high = low  # what differs is the rounding of a constant
    span = high - low
    codes = np.zeros(values.shape, np.uint16)
    if span > 0:
        codes[:] = np.rint((values.astype(np.float64) - low) * (CODES / span))
    return low, high, codes


def encode_strength(values: NDArray[np.uint8]) -> bytes:
    """Encode an upright map [H, W] of grey levels, which mean values from 0 to 1 in 255 steps."""
    codes = values.astype(np.uint16) * (CODES // 255)
    return _HEAD.pack(_MAGIC, *values.shape, 0.0, 1.0, True) + codes.tobytes()


def parse_dense(data: bytes) -> DenseMap:
    """Decode a dense map: an annotator's bytes, or a 16-bit grey PNG of the stored picture.

    The values of a PNG are from 0 to 1.

    Raises:
        AnnotationError: the data are neither.
    """
    if data[:4] == _PNG:
        return DenseMap(_grey16(data), 0.0, 1.0, upright=False)
    try:
        is_metric = data[:4] == _METRIC_MAGIC
        head = _METRIC_HEAD if is_metric else _HEAD
        magic, height, width, low, high, upright, *focal = head.unpack_from(data)
        if magic not in (_MAGIC, _METRIC_MAGIC):
            raise ValueError("it is neither a 16-bit PNG nor an annotator's map")
        codes = np.frombuffer(data, np.uint16, offset=head.size).reshape(height, width)
    except (struct.error, ValueError) as why:
        raise AnnotationError(f"the map cannot be read: {in_words(why)}") from why
    if not is_metric:
        return DenseMap(codes, low, high, upright)
    return DenseMap(codes, low, high, upright, unit="1/m", focal_pixels=focal[0] or None)


def _grey16(data: bytes) -> NDArray[np.uint16]:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode not in ("I;16", "I"):
                raise AnnotationError(f"the PNG is {image.mode}, not 16-bit grey")
            if image.width * image.height > MAX_PIXELS:
                raise AnnotationError(f"the PNG claims {image.width}x{image.height} pixels")
            return np.asarray(image).astype(np.uint16)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise AnnotationError(f"the PNG cannot be decoded: {in_words(why)}") from why
