"""A target picture that somebody else made: read from its file, and brought to the output size."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError, PictureError
from sgt_data.pictures.decode_source import FORMATS, StoredPicture, decoding, inspect, prepare
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.grey_png import encode_grey
from sgt_data.pictures.palette_file import palette_file
from sgt_data.pictures.rgb_png import encode_rgb
from sgt_data.pictures.size_rule import AsStored, Exactly
from sgt_data.segmentation.pixel_sampling import sample_grid, upright
from sgt_data.segmentation.target_audit import numbered_colours

_LOSSLESS = frozenset({"PNG", "GIF", "BMP", "TIFF", "PPM"})
_EXTENSIONS: dict[str, Literal["png", "jpg"]] = {"PNG": "png", "JPEG": "jpg"}
_PLAIN_MODES = {"PNG": ("1", "L", "P", "RGB", "I;16", "I"), "JPEG": ("L", "RGB")}
_PALETTE_MAX = 256

How = Literal["as it is", "nearest centre", "as PNG", "bicubic", "as JPEG"]
"""What was done to a target: nothing, resized without blends, packed anew, resized as a picture."""


@dataclass(frozen=True, slots=True)
class ForeignTarget:
    """A target as its file holds it, turned upright by the file's own tag.

    Attributes:
        stored: its file.
        form: name of the format, such as `PNG`.
        pixels: [H, W, 3] RGB, upright; of 16-bit grey the upper 8 bits.
        codes: [H, W] 16-bit grey, upright; None for all other files.
        is_plain: whether every reader sees in the file itself what `pixels` holds.
    """

    stored: StoredPicture
    form: str
    pixels: NDArray[np.uint8]
    codes: NDArray[np.uint16] | None
    is_plain: bool

    @property
    def is_lossless(self) -> bool:
        """Whether its file keeps every colour as it was drawn."""
        return self.form in _LOSSLESS

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class FittedTarget:
    """A target at the output size.

    Attributes:
        data: bytes of its file.
        extension: of the file's name.
        pixels: [H, W, 3] RGB of a map; None where it was resized or packed as a picture.
        how: what was done to it.
    """

    data: bytes
    extension: Literal["png", "jpg"]
    pixels: NDArray[np.uint8] | None
    how: How


def read_target(data: bytes) -> ForeignTarget:
    """Read the file of a target.

    Colours are those of the file: a colour profile moves none of them.

    Raises:
        AnnotationError: it is no picture that can be read.
    """
    try:
        stored = inspect(data)
        with decoding(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            form = "JPEG" if image.format == "MPO" else image.format or ""
            codes = np.asarray(image) if image.mode.startswith("I") else None
            is_plain = _is_plain(image, form) and stored.orientation == 1
        pixels = prepare(stored, AsStored(), "drop").pixels
        is_plain = is_plain and _reads_as(data, pixels)
    except PictureError as why:
        raise AnnotationError(f"the target: {why}") from why
    if codes is not None:
        codes = np.ascontiguousarray(upright(codes.astype(np.uint16), stored.orientation))
    return ForeignTarget(stored, form, pixels, codes, is_plain)


def fitted_map(target: ForeignTarget, size: tuple[int, int], turn: int) -> FittedTarget:
    """A map at the output size: each pixel takes the value under its centre, none are blended.

    Args:
        target: the map.
        size: width and height of the output.
        turn: EXIF orientation by which it is turned as well.
    """
    if target.is_plain and turn == 1 and target.size == size:
        return FittedTarget(target.stored.data, _EXTENSIONS[target.form], target.pixels, "as it is")
    width, height = size
    grid = sample_grid(target.pixels.shape[0], target.pixels.shape[1], height, width, turn)
    how: How = "as PNG" if turn == 1 and target.size == size else "nearest centre"
    pixels = grid.pick(target.pixels)
    if target.codes is not None:
        return FittedTarget(encode_grey(grid.pick(target.codes)), "png", pixels, how)
    return FittedTarget(_encoded(pixels), "png", pixels, how)


def fitted_picture(
    target: ForeignTarget,
    size: tuple[int, int],
    turn: int,
    encode: Callable[[Image.Image], bytes],
) -> FittedTarget:
    """A picture at the output size, resized as input pictures are where its size is another.

    Args:
        target: the picture.
        size: width and height of the output.
        turn: EXIF orientation by which it is turned as well.
        encode: packs a picture as a JPEG.
    """
    if target.is_plain and turn == 1 and target.size == size:
        return FittedTarget(target.stored.data, _EXTENSIONS[target.form], None, "as it is")
    width, height = size if turn < 5 else (size[1], size[0])
    resized = prepare(target.stored, Exactly(width=width, height=height), "convert").pixels
    image = Image.fromarray(np.ascontiguousarray(upright(resized, turn)))
    return FittedTarget(
        encode(image), "jpg", None, "as JPEG" if target.size == (width, height) else "bicubic"
    )


def _reads_as(data: bytes, pixels: NDArray[np.uint8]) -> bool:
    """Whether readers of corpora, whose decoders are faster and stricter, see the same pixels."""
    try:
        return bool(np.array_equal(rgb_pixels(data), pixels))
    except ValueError:
        return False


def _is_plain(image: Image.Image, form: str) -> bool:
    """Whether every reader of PNG and JPEG sees the same pixels in a file: no layers of
    transparency, no further frames, no inks."""
    if getattr(image, "n_frames", 1) > 1 or "transparency" in image.info:
        return False
    if form == "PNG" and image.mode == "RGBA":
        return bool(np.asarray(image)[..., 3].min() == 255)
    return image.mode in _PLAIN_MODES.get(form, ())


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    """The smallest PNG of a map: with a palette where its colours fit into one."""
    numbers, colours = numbered_colours(pixels)
    if len(colours) > _PALETTE_MAX:
        return encode_rgb(pixels)
    return palette_file(numbers.astype(np.uint8), colours, "matches")
