"""PNGs of ids are read in every form that keeps the ids, and refused where they may be changed."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from making import png_chunks
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError
from sgt_data.sources.id_pngs import read_colour_ids, read_numbers

HEIGHT, WIDTH = 6, 8
SMALL_IDS = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 4
LARGE_IDS = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 5) * 70_001


def colours(ids: NDArray[Any]) -> NDArray[np.uint8]:
    """COCO's own coding, from the format's page: id = R + 256 G + 256**2 B."""
    return np.stack((ids % 256, ids // 256 % 256, ids // 65536), axis=-1).astype(np.uint8)


def png(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def grey_png(values: NDArray[Any], bits: int, interlaced: bool = False) -> bytes:
    """A grey PNG written by hand, with 1 to 16 bits a pixel."""
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, 0, 0, 0, interlaced)
    rows = values
    parts = [rows]
    if interlaced:  # Adam7 (PNG specification, 8.2)
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
                  (0, 1, 2, 2), (1, 0, 2, 1)]  # fmt: skip
        parts = [rows[top::down, left::across] for top, left, down, across in passes]
    lines = b"".join(b"\0" + _packed(row, bits) for part in parts if part.size for row in part)
    return png_chunks((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))


def _packed(row: NDArray[Any], bits: int) -> bytes:
    text = "".join(f"{int(value):0{bits}b}" for value in row)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def palette_png(ids: NDArray[Any]) -> bytes:
    """A palette PNG whose colours are the ids' colours."""
    names, indices = np.unique(ids, return_inverse=True)
    image = Image.fromarray(indices.reshape(ids.shape).astype(np.uint8), "L").convert("L")
    image.putpalette(colours(names).ravel().tolist())
    return png(image)


PANOPTIC = {
    "RGB": (LARGE_IDS, png(Image.fromarray(colours(LARGE_IDS)))),
    "opaque RGBA": (LARGE_IDS, png(Image.fromarray(colours(LARGE_IDS)).convert("RGBA"))),
    "RGB with a transparent colour": (
        LARGE_IDS, png(Image.fromarray(colours(LARGE_IDS)), transparency=(0, 0, 0))
    ),
    "palette": (LARGE_IDS, palette_png(LARGE_IDS)),
    "grey": (SMALL_IDS, grey_png(SMALL_IDS, 8)),
    "opaque grey": (SMALL_IDS, png(Image.fromarray(SMALL_IDS.astype(np.uint8)).convert("LA"))),
    "grey of 16 bits": (SMALL_IDS * 20_000, grey_png(SMALL_IDS * 20_000, 16)),
    "grey of 4 bits": (SMALL_IDS * 5, grey_png(SMALL_IDS * 5, 4)),
    "grey of 2 bits": (SMALL_IDS, grey_png(SMALL_IDS, 2)),
    "grey of 1 bit": (SMALL_IDS % 2, grey_png(SMALL_IDS % 2, 1)),
    "interlaced grey": (SMALL_IDS * 60, grey_png(SMALL_IDS * 60, 8, interlaced=True)),
    "interlaced grey of 2 bits": (SMALL_IDS, grey_png(SMALL_IDS, 2, interlaced=True)),
}  # fmt: skip


@pytest.mark.parametrize("form", PANOPTIC)
def test_panoptic_ids_survive_every_lossless_form(form: str) -> None:
    ids, data = PANOPTIC[form]
    decoded = read_colour_ids(data, HEIGHT, WIDTH)
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(decoded, ids)


def with_alpha(value: int) -> bytes:
    pixels = np.dstack((colours(LARGE_IDS), np.full((HEIGHT, WIDTH), 255, np.uint8)))
    pixels[2, 3, 3] = value
    return png(Image.fromarray(pixels))


def rgb_of_16_bits() -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    lines = (b"\0" + bytes(WIDTH * 6)) * HEIGHT
    return png_chunks((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))


def index_beyond_the_palette() -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    lines = (b"\0" + bytes([7] * WIDTH)) * HEIGHT
    return png_chunks(
        (b"IHDR", head), (b"PLTE", bytes(9)), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")
    )


LOSSY = {
    "alpha of 0": (with_alpha(0), "not opaque"),
    "alpha of 254": (with_alpha(254), "not opaque"),
    "colours of 16 bits": (rgb_of_16_bits(), "16 bits a channel"),
    "another size": (png(Image.new("RGB", (HEIGHT, WIDTH))), "the map is 6x8, the image 8x6"),
    "a palette that is too short": (index_beyond_the_palette(), "palette index 7"),
}


@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("read", [read_colour_ids, read_numbers])
def test_forms_that_may_have_changed_ids_are_refused_with_the_reason(form: str, read: Any) -> None:
    data, reason = LOSSY[form]
    with pytest.raises(AnnotationError, match=reason):
        read(data, HEIGHT, WIDTH)


def indexed(values: NDArray[Any]) -> bytes:
    image = Image.fromarray(values.astype(np.uint8))
    image.putpalette([value for n in range(256) for value in (255 - n, n, 7)])
    return png(image)


PIXELMAPS = {
    "palette": (SMALL_IDS * 60, indexed(SMALL_IDS * 60)),
    "grey": (SMALL_IDS * 60, grey_png(SMALL_IDS * 60, 8)),
    "grey of 16 bits": (SMALL_IDS * 300, grey_png(SMALL_IDS * 300, 16)),
    "grey as RGB": (
        SMALL_IDS * 60, png(Image.fromarray((SMALL_IDS * 60).astype(np.uint8)).convert("RGB"))
    ),
    "grey of 4 bits": (SMALL_IDS * 5, grey_png(SMALL_IDS * 5, 4)),
}  # fmt: skip


@pytest.mark.parametrize("form", PIXELMAPS)
def test_pixelmaps_are_read_by_index_or_grey_value(form: str) -> None:
    values, data = PIXELMAPS[form]
    np.testing.assert_array_equal(read_numbers(data, HEIGHT, WIDTH), values)


def test_a_pixelmap_of_colours_is_refused() -> None:
    with pytest.raises(AnnotationError, match="RGB with colours"):
        read_numbers(png(Image.fromarray(colours(LARGE_IDS))), HEIGHT, WIDTH)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("read", [read_colour_ids, read_numbers])
def test_a_map_of_another_format_says_which_one_it_is(read: Any, form: str) -> None:
    out = io.BytesIO()
    Image.fromarray(colours(LARGE_IDS)).save(out, form)
    with pytest.raises(AnnotationError, match=f"the map is a {form}, .* need a lossless PNG"):
        read(out.getvalue(), HEIGHT, WIDTH)
