"""Dense maps (a number for every pixel) as bytes: 16-bit grey PNGs, and the form of annotators."""

from __future__ import annotations

import hashlib
import io
import posixpath
import struct
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError, FileMissing, RequestError
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import absolute, join
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.records import DenseMap, RawInput

CODES = 65535
"""Largest code of a dense map."""
_HEAD = struct.Struct("<4sIIdd?")
_MAGIC = b"sgtD"
_PNG = b"\x89PNG"
_THREADS = 8
_ROUNDING = 2.0**-20  # a few units in the last place of float32


def encode_dense(values: NDArray[np.float32]) -> bytes:
    """Encode an upright map [H, W] of finite values in 65,536 steps over its range.

    Raises:
        AnnotationError: a value is NaN or infinite.
    """
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise AnnotationError("the map holds NaN or infinite values")
    if high - low <= _ROUNDING * max(abs(low), abs(high)):
        high = low  # what differs is the rounding of a constant
    span = high - low
    codes = np.zeros(values.shape, np.uint16)
    if span > 0:
        codes[:] = np.rint((values.astype(np.float64) - low) * (CODES / span))
    return _HEAD.pack(_MAGIC, *values.shape, low, high, True) + codes.tobytes()


def encode_strength(values: NDArray[np.uint8]) -> bytes:
    """Encode an upright map [H, W] of grey levels, which mean values from 0 to 1 in 255 steps."""
    codes = values.astype(np.uint16) * (CODES // 255)
    return _HEAD.pack(_MAGIC, *values.shape, 0.0, 1.0, True) + codes.tobytes()


def parse_dense(data: bytes) -> DenseMap:
    """Decode a dense map: bytes of `encode_dense`, or a 16-bit grey PNG of the stored picture.

    The values of a PNG are from 0 to 1.

    Raises:
        AnnotationError: the data are neither.
    """
    if data[:4] == _PNG:
        return DenseMap(_grey16(data), 0.0, 1.0, upright=False)
    try:
        magic, height, width, low, high, upright = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("it is neither a 16-bit PNG nor an annotator's map")
        codes = np.frombuffer(data, np.uint16, offset=_HEAD.size).reshape(height, width)
    except (struct.error, ValueError) as why:
        raise AnnotationError(f"the map cannot be read: {in_words(why)}") from why
    return DenseMap(codes, low, high, upright)


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


def with_files(inputs: Iterable[RawInput], folder: str, role: str) -> tuple[RawInput, ...]:
    """The inputs with `<folder>/<name of the picture>.png` as the layer `role`.

    Where the file does not exist, `layer_problems` says so.

    Raises:
        SourceError: a file cannot be read at present.
    """
    root = absolute(folder)

    def attach(raw: RawInput) -> RawInput:
        name = posixpath.splitext(posixpath.basename(raw.member))[0] + ".png"
        try:
            return replace(raw, layer_bytes={**raw.layer_bytes, role: read_bytes(join(root, name))})
        except FileMissing:
            return replace(
                raw, layer_problems={**raw.layer_problems, role: f"{role}: there is no {name}"}
            )

    with ThreadPoolExecutor(_THREADS) as threads:
        return tuple(threads.map(attach, inputs))


def files_identity(folder: str, field: str) -> str:
    """A digest over the names and sizes of the files of a folder.

    Raises:
        RequestError: the folder has no PNGs; the message names `field`.
    """
    files = sorted(list_files(absolute(folder)).items())
    if not files:
        raise RequestError(f"{field}: no file in {folder}")
    if not any(name.lower().endswith(".png") for name, _ in files):
        raise RequestError(
            f"{field}: depth files are 16-bit grey PNGs with the names of the pictures; "
            f"{folder} holds {len(files)} other files, such as {files[0][0]}"
        )
    listing = "\n".join(f"{name} {size}" for name, size in files)
    return f"{len(files)} files, listing sha256:{hashlib.sha256(listing.encode()).hexdigest()[:32]}"
