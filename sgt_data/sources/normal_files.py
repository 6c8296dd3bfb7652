"""Files of surface normals: 8-bit RGB PNGs, or `.npy` arrays of components."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.normal_colours import Directions, signs_of
from sgt_data.records import NormalMap

SUFFIXES = (".png", ".npy")
_NPY = b"\x93NUMPY"
_HEADER_BYTES_MAX = 1024
_DEEP_BITS = 16


@dataclass(frozen=True, slots=True)
class NormalFiles:
    """How the files of a source's normals are read.

    Attributes:
        directions: where large values of the first, second and third channel point.
        none: colour of pixels without normal.
    """

    directions: Directions
    none: tuple[int, int, int]

    def read(self, data: bytes) -> NormalMap:
        """The map of a file.

        Raises:
            AnnotationError: it is no map of normals.
        """
        signs = signs_of(self.directions).astype(int).tolist()
        axes = (signs[0] * 1, signs[1] * 2, signs[2] * 3)
        if data.startswith(_NPY):
            return NormalMap(_components(data), axes)
        return NormalMap(_levels(data), axes, self.none)

    def identity(self) -> dict[str, Any]:
        """What of it shapes targets."""
        return {"directions": list(self.directions), "none": list(self.none)}


def _levels(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise AnnotationError(f"the PNG claims {image.width}x{image.height} pixels")
            deep = len(data) > 24 and data[24] == _DEEP_BITS  # Pillow reads 8 bits of them
            if image.mode != "RGB" or deep:
                kind = "16-bit" if deep else image.mode
                raise AnnotationError(
                    f"the PNG of normals is {kind}, not 8-bit RGB; finer ones are read as .npy "
                    "(float32, height x width x 3)"
                )
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise AnnotationError(f"the PNG of normals cannot be decoded: {in_words(why)}") from why


def _components(data: bytes) -> NDArray[np.float32]:
    """An array of components, which is never unpickled and has the size that its header states."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"it has version {version[0]}.{version[1]} of the format, not 1.0")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(
            stream, max_header_size=_HEADER_BYTES_MAX
        )
        if dtype.kind != "f" or dtype.itemsize > 8 or len(shape) != 3 or shape[2] != 3:
            raise ValueError(f"it holds {dtype} of shape {shape}, not floats of height x width x 3")
        if not 0 < shape[0] * shape[1] <= MAX_PIXELS:
            raise ValueError(f"it claims {shape[1]}x{shape[0]} pixels")
        if len(data) - stream.tell() != prod(shape) * dtype.itemsize:
            raise ValueError("it is not as long as its header states")
    except (ValueError, EOFError, TypeError, SyntaxError) as why:
        raise AnnotationError(f"the .npy of normals cannot be read: {in_words(why)}") from why
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if by_columns else "C").astype(np.float32)
