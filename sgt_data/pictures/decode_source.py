"""Decode a picture from untrusted bytes, resize it, turn it upright, make it 8-bit sRGB.

Pillow decodes: its decoders (libjpeg-turbo, libpng, libwebp) give the same bytes on every CPU, as a
build must, and so does `resample`.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sgt_data.errors import InputError, PictureError
from sgt_data.pictures.codec_clock import codec_at_work
from sgt_data.pictures.colour_profiles import IccOutcome, IccRule, to_srgb
from sgt_data.pictures.resample import resized, resized_pixels
from sgt_data.pictures.size_rule import SizeRule

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
"""What is read: formats of which Pillow gives the same pixels everywhere, and whose decoders run no
program (as that of EPS does). Of animated pictures and of those with pages the first is taken."""
MAX_PIXELS = 178_956_970
"""Most pixels of a picture: twice Pillow's `MAX_IMAGE_PIXELS`, beyond which Pillow refuses it."""

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_DECODERS_RAISE = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError,
    ArithmeticError, MemoryError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_SCALED_MIN = 16  # pixels of a side: of smaller ones two scales of the DCT may give one size
_TURNED_BY_PILLOW = ("TIFF",)  # its plug-in tells the upright size, and turns the pixels


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture file and its header.

    Attributes:
        data: bytes of the file.
        width, height: size in pixels as stored, before orientation.
        orientation: EXIF orientation, 1 to 8.
    """

    data: bytes
    width: int
    height: int
    orientation: int

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        turned = self.orientation >= 5
        return (self.height, self.width) if turned else (self.width, self.height)


@dataclass(frozen=True)
class Picture:
    """An upright 8-bit RGB picture at the output size.

    Attributes:
        pixels: [H, W, 3] uint8, not writeable.
        stored: the file that it was decoded from.
        icc: what was done with the colour profile (see `colour_profiles`).
        profile: bytes of the colour profile where it was kept; None elsewhere.
        comment: of the stored file; it is written into the JPEG too. None where it has none.
    """

    pixels: NDArray[np.uint8]
    stored: StoredPicture
    icc: str
    profile: bytes | None
    comment: bytes | str | None = None

    @cached_property
    def image(self) -> Image.Image:
        """The pixels as Pillow's image."""
        image = Image.fromarray(self.pixels)
        if self.comment:
            image.info["comment"] = self.comment
        return image

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    def jpeg(self, quality: int, subsampling: Subsampling) -> bytes:
        """The picture as a JPEG; see `encode`."""
        return self.encode(self.image, quality, subsampling)

    def encode(self, image: Image.Image, quality: int, subsampling: Subsampling) -> bytes:
        """An image in place of this one, as a baseline JPEG of `quality` 1 to 100.

        It has no metadata but a kept profile, and the comment that the image has in its `info`.
        """
        out = io.BytesIO()
        with codec_at_work("JPEG encoding"):
            image.save(
                out, "JPEG", quality=quality, subsampling=subsampling, icc_profile=self.profile
            )
        return out.getvalue()


def inspect(data: bytes, max_pixels: int = MAX_PIXELS) -> StoredPicture:
    """Read the header of a picture file.

    Raises:
        PictureError: the data are no picture of a known format, or one of more than `max_pixels`
            pixels.
    """
    if not data:
        raise PictureError("the picture file is empty")
    with decoding(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
        is_turned = image.format in _TURNED_BY_PILLOW
    if width * height > max_pixels:
        raise PictureError(
            f"the picture claims {width}x{height} pixels, more than max_pixels={max_pixels}"
        )
    # a tag of another type (rational, float) may equal 1 to 8 and yet be no int
    orientation = int(orientation) if orientation in _TURNS else 1
    if is_turned and orientation >= 5:
        width, height = height, width
    return StoredPicture(data, width, height, orientation)


def prepare(stored: StoredPicture, rule: SizeRule, icc: IccRule) -> Picture:
    """Decode a picture, resize it by `rule`, bring it to 8-bit sRGB and turn it upright.

    JPEGs are decoded at the best reduced scale (1/2, 1/4 or 1/8, by the DCT) that is not below the
    output; resampling is bicubic, its support scaled to the step. Alpha is laid over white.

    Raises:
        PictureError: the pixels cannot be decoded completely.
    """
    width, height = rule.output_size(*stored.upright_size)
    with decoding(), Image.open(io.BytesIO(stored.data), formats=FORMATS) as image:
        turn = None if image.format in _TURNED_BY_PILLOW else _TURNS.get(stored.orientation)
        size = (height, width) if turn is not None and stored.orientation >= 5 else (width, height)
        image.draft(None, size)
        stated_profile = image.info.get("icc_profile")
        pixels = _by_turbojpeg(stored.data, image)
        if pixels is not None:
            pixels = resized_pixels(pixels, size)
            if turn is None and not stated_profile:
                return _picture(pixels, stored, "none", None, image.info.get("comment"))
            fitting = Image.fromarray(pixels)
            fitting.info = image.info.copy()
        else:
            with codec_at_work("picture decoding"):
                image.load()
            fitting = resized(_eight_bit(image), size)
        rgb, icc_outcome, profile = to_srgb(fitting, stated_profile, icc)
    if turn is not None:
        rgb = rgb.transpose(turn)
    comment = rgb.info.get("comment")  # what was laid over white or converted has none
    return _picture(np.asarray(rgb), stored, icc_outcome, profile, comment)


def _picture(
    pixels: NDArray[np.uint8],
    stored: StoredPicture,
    icc: IccOutcome,
    profile: bytes | None,
    comment: bytes | str | None,
) -> Picture:
    pixels.flags.writeable = False  # all proxies look at the same pixels
    return Picture(pixels, stored, icc, profile, comment)


def _by_turbojpeg(data: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """Pixels [H, W, 3] of a colour JPEG at the scale to which `image` was set; None for others.

    The decoder is the one that Pillow has in it; without Pillow's way of feeding it by pieces and
    of storing four bytes for a pixel it takes a tenth less time. Whatever is unusual or wrong in a
    file is left to Pillow.
    """
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB" or min(image.size) < _SCALED_MIN:
        return None
    try:
        if simplejpeg.decode_jpeg_header(data)[2] != "YCbCr":
            return None
        with codec_at_work("picture decoding"):
            pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
                data, "RGB", min_height=image.height, min_width=image.width
            )
    except ValueError:
        return None
    return pixels if pixels.shape[1::-1] == image.size else None


def _eight_bit(image: Image.Image) -> Image.Image:
    """Any mode -> L, RGB or CMYK, with alpha laid over white."""
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise PictureError(f"the picture's values ({image.mode}) exceed 16 bits")
        return Image.fromarray((wide >> 8).astype(np.uint8))
    if image.mode in ("P", "YCbCr", "RGBX", "HSV"):
        return image.convert("RGB")
    raise PictureError(f"pictures of mode {image.mode} are not supported")


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises on hostile bytes into a `PictureError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except UnidentifiedImageError as why:
        raise PictureError(f"not a picture of a known format ({', '.join(FORMATS)})") from why
    except Image.DecompressionBombError as why:
        raise PictureError(f"the picture claims more than {MAX_PIXELS} pixels") from why
    except _DECODERS_RAISE as why:
        if isinstance(why, MemoryError) and not _has_memory():
            raise  # the machine's fault, not the picture's: elsewhere it would become a sample
        raise PictureError(f"the picture cannot be decoded: {_in_words(why)}") from why


def _has_memory() -> bool:
    """Whether this process may take what any picture needs; no memory is touched."""
    try:
        np.empty((MAX_PIXELS, 4), np.uint8)
    except MemoryError:
        return False
    return True


def _in_words(why: Exception) -> str:
    """What a decoder says; a lookup in a table that fails says nothing to a reader."""
    if isinstance(why, MemoryError):
        return "it needs more memory than there is"
    if isinstance(why, LookupError | TypeError | AttributeError | ArithmeticError | struct.error):
        return "its file is damaged"
    return str(why) or "its file is damaged"
