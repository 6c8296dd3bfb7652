"""Maps of grey levels <-> PNG: 8-bit grey, 8-bit through a palette, 16-bit grey. Lossless."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError

# Run-length matches alone (zlib's Z_RLE): at the size of level 1, or below it, in less time.
_FAST = {"compress_level": 1, "compress_type": 3}
_RAMP: NDArray[np.uint8] = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def encode_grey(levels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """[H, W] grey levels as a grey PNG of 8 or 16 bits, with PNG's row filters: for smooth maps."""
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "PNG", **_FAST)
    return out.getvalue()


def encode_rough(levels: NDArray[np.uint8]) -> bytes:
    """[H, W] grey levels as a PNG with a grey palette: for rough or two-valued maps, which PNG's
    row filters make no smaller; without them the file takes a third of the time."""
    return encode_coloured(levels, _RAMP)


def encode_coloured(levels: NDArray[np.uint8], table: NDArray[np.uint8]) -> bytes:
    """[H, W] levels, shown in the colours of `table` [256, 3] RGB (a palette PNG)."""
    image = Image.fromarray(levels)
    image.putpalette(table.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", **_FAST)
    return out.getvalue()


def decode_grey(target: bytes, size: tuple[int, int], bits: int) -> NDArray[np.uint16]:
    """Levels [H, W] of a grey PNG of `size` (width, height), with a grey palette or without.

    Raises:
        CorpusError: it is no such PNG.
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
    """Levels [H, W] of a PNG in the colours of `table` [256, 3], by inverse lookup.

    Raises:
        CorpusError: it is no PNG of `size` (width, height), or has a colour outside the table.
    """
    pixels = np.asarray(_open(target, size).convert("RGB")).astype(np.int64)
    packed = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    wide = table.astype(np.int64)
    known = (wide[:, 0] << 16) + (wide[:, 1] << 8) + wide[:, 2]
    order = np.argsort(known)
    places = np.minimum(np.searchsorted(known[order], packed), len(known) - 1)
    if (known[order][places] != packed).any():
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
        raise CorpusError(f"the target cannot be decoded: {why}") from why
