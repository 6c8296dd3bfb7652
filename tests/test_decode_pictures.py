"""Stored pictures decode to Pillow's pixels, fast; damaged ones are refused, never half read."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sgt_data.pictures.decode_source import MAX_PIXELS, inspect, prepare
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.palette_png import decode_palette
from sgt_data.pictures.size_rule import SizeRule


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def palette_png(width: int, height: int, colours: int, seed: int = 0, **options: object) -> bytes:
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, colours, (height, width), dtype=np.uint8))
    image.putpalette(rng.integers(0, 256, 3 * colours, dtype=np.uint8).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((90, 61)).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize("colours", [1, 2, 3, 4, 5, 16, 17, 255, 256])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 64])
def test_palette_pictures_of_any_depth_and_width_take_the_fast_way(
    width: int, colours: int
) -> None:
    data = palette_png(width, 5, colours)
    fast = decode_palette(data, MAX_PIXELS)
    assert fast is not None
    assert np.array_equal(fast, by_pillow(data))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}])
def test_jpegs_decode_to_pillows_pixels(mode: str, options: dict[str, object]) -> None:
    data = jpeg(mode, quality=90, **options)
    assert np.array_equal(rgb_pixels(data), by_pillow(data))


@settings(max_examples=150)
@given(
    width=st.integers(1, 40) | st.integers(100, 900),
    height=st.integers(1, 40) | st.integers(100, 700),
    side=st.integers(1, 900),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0", "keep"]),
    progressive=st.booleans(),
)
def test_jpegs_of_sources_have_pillows_pixels_at_any_scale(
    width: int, height: int, side: int, mode: str, subsampling: str, progressive: bool
) -> None:
    rng = np.random.default_rng(width * height)
    small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    out, options = io.BytesIO(), {} if subsampling == "keep" else {"subsampling": subsampling}
    picture = small.resize((width, height)).convert(mode)
    picture.save(out, "JPEG", quality=80, progressive=progressive, **options)
    rule = SizeRule(min_side=1, max_side=side, multiple_of=1)
    size = rule.output_size(width, height)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        image.draft(None, size)
        expected = image.resize(size, Image.Resampling.BICUBIC).convert("RGB")
    prepared = prepare(inspect(out.getvalue()), rule, "convert")
    assert np.array_equal(prepared.pixels, np.asarray(expected))


def test_other_pngs_decode_to_pillows_pixels() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for image in (Image.fromarray(pixels), Image.fromarray(pixels[..., 0])):
        out = io.BytesIO()
        image.save(out, "PNG")
        assert np.array_equal(rgb_pixels(out.getvalue()), np.asarray(image.convert("RGB")))
    transparent = palette_png(9, 9, 4, transparency=1)
    assert np.array_equal(rgb_pixels(transparent), by_pillow(transparent))
    deep = np.random.default_rng(3).integers(0, 1 << 16, (20, 30), dtype=np.uint16)
    out = io.BytesIO()
    Image.fromarray(deep).save(out, "PNG")
    shown = rgb_pixels(out.getvalue())
    assert all(np.array_equal(shown[..., channel], deep >> 8) for channel in range(3))


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("colours", [2, 16, 256])
def test_row_filters_are_undone(colours: int, kind: int) -> None:
    data = with_filters(palette_png(16, 40, colours), lambda row: kind if row % 3 else 0)
    fast = decode_palette(data, MAX_PIXELS)
    assert fast is not None
    assert np.array_equal(fast, by_pillow(data))


def test_a_filter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError):
        rgb_pixels(with_filters(palette_png(16, 4, 256), lambda row: 5))


def with_filters(png: bytes, kind_of: Callable[[int], int]) -> bytes:
    """The PNG with other filters stated before its rows."""
    height = int.from_bytes(png[20:24])
    raw = np.frombuffer(zlib.decompress(idat(png)), np.uint8).reshape(height, -1).copy()
    raw[:, 0] = [kind_of(row) for row in range(height)]
    return with_idat(png, raw.tobytes())


def idat(png: bytes) -> bytes:
    at = png.index(b"IDAT")
    return png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at])]


def with_idat(png: bytes, raw: bytes) -> bytes:
    """The PNG with other data for its pixels."""
    return with_packed(png, zlib.compress(raw))


def with_packed(png: bytes, packed: bytes) -> bytes:
    """The PNG with other compressed data."""
    at, size = png.index(b"IDAT"), len(idat(png))
    body = b"IDAT" + packed
    chunk = struct.pack(">I", len(packed)) + body + struct.pack(">I", zlib.crc32(body))
    return png[: at - 4] + chunk + png[at + 4 + size + 4 :]


@pytest.mark.parametrize("make", [jpeg, lambda: palette_png(40, 30, 9)])
def test_no_part_of_a_picture_is_taken_for_the_whole(make: Callable[[], bytes]) -> None:
    data = make()
    for length in {0, 1, 2, 3, 8, 20, 40, len(data) // 2, len(data) - 40}:
        with pytest.raises(ValueError):
            rgb_pixels(data[:length])


def test_pictures_too_large_are_refused_before_they_are_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(768)), (b"IDAT", zlib.compress(b"\0" * 100))]
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in [*chunks, (b"IEND", b"")]:
        check = struct.pack(">I", zlib.crc32(name + body))
        png += struct.pack(">I", len(body)) + name + body + check
    with pytest.raises(ValueError):
        rgb_pixels(png)
    data = bytearray(jpeg(quality=50))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(ValueError):
        rgb_pixels(bytes(data))


def test_inflated_data_is_bounded_by_the_size_that_the_header_states() -> None:
    bomb = palette_png(8, 8, 200)
    assert decode_palette(with_idat(bomb, bytes(50_000_000)), MAX_PIXELS) is None


def test_data_that_does_not_unpack_is_refused() -> None:
    png = palette_png(8, 8, 200)
    for packed in (b"", b"nonsense", idat(png)[:-9], idat(png)[:-1] + b"x"):
        assert decode_palette(with_packed(png, packed), MAX_PIXELS) is None
    with pytest.raises(ValueError):
        rgb_pixels(with_packed(png, b"nonsense"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bytes_are_refused_or_decoded_as_pillow_does(data: st.DataObject) -> None:
    picture = bytearray(data.draw(st.sampled_from([jpeg(), palette_png(11, 7, 9)])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(picture) - 1))
        picture[at] ^= data.draw(st.integers(1, 255))
    try:
        decoded = rgb_pixels(bytes(picture))
    except ValueError:
        return
    assert decoded.dtype == np.uint8 and decoded.shape[2] == 3
