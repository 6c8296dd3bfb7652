"""Pictures from anywhere: upright, 8-bit sRGB, at BAGEL's size; or refused at once, by name."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    bomb_jpeg,
    bomb_png,
    by_key,
    encoded,
    jpeg,
    manifest_of,
    png_chunks,
    rendered,
    sa1b_document,
    scene,
    tar_members,
    tar_of,
)
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from sgt_data.errors import PictureError
from sgt_data.pictures.colour_profiles import IccRule
from sgt_data.pictures.decode_source import Picture, inspect, prepare
from sgt_data.pictures.size_rule import SizeRule

BAGEL = SizeRule()
AS_IT_IS = SizeRule(min_side=1, max_side=16384, multiple_of=1)


def prepared(data: bytes, rule: SizeRule = AS_IT_IS, icc: IccRule = "convert") -> Picture:
    return prepare(inspect(data), rule, icc)


def pixels(picture: Picture) -> NDArray[np.int64]:
    assert picture.image.mode == "RGB"
    return np.asarray(picture.image).astype(np.int64)


def off(first: Any, second: Any) -> float:
    """Mean distance in levels."""
    return float(np.abs(np.asarray(first, np.int64) - np.asarray(second, np.int64)).mean())


# orientation


def test_real_photographs_of_all_orientations_are_one_upright_picture(real_data: Path) -> None:
    rule = SizeRule(min_side=64, max_side=256, multiple_of=16)
    seen = {
        number: prepared((real_data / "odd" / f"Landscape_{number}.jpg").read_bytes(), rule)
        for number in range(9)
    }
    for number, picture in seen.items():
        assert picture.image.size == seen[1].image.size
        assert off(pixels(picture), pixels(seen[1])) < 6, number
        original = Image.open(real_data / "odd" / f"Landscape_{number}.jpg")
        upright = ImageOps.exif_transpose(original).convert("RGB").resize(picture.image.size)
        assert off(pixels(picture), upright) < 6


def test_real_orientations_carry_their_masks_along(real_data: Path, tmp_path: Path) -> None:
    """The bright upper part, as a mask of the stored pixels, stays on top."""
    for number in range(1, 9):
        data = (real_data / "odd" / f"Landscape_{number}.jpg").read_bytes()
        stored = Image.open(io.BytesIO(data))
        mark = np.zeros((stored.height, stored.width), np.bool_)
        tops = {
            1: np.s_[: stored.height // 4], 2: np.s_[: stored.height // 4],
            3: np.s_[-stored.height // 4 :], 4: np.s_[-stored.height // 4 :],
            5: np.s_[:, : stored.width // 4], 6: np.s_[:, : stored.width // 4],
            7: np.s_[:, -stored.width // 4 :], 8: np.s_[:, -stored.width // 4 :],
        }  # fmt: skip
        mark[tops[number]] = True
        document = sa1b_document(1, [mark], stored.width, stored.height)
        tar = tmp_path / f"sa_{number}.tar"
        tar.write_bytes(tar_of([("sa_1.jpg", data), ("sa_1.json", json.dumps(document).encode())]))
        shard = rendered(manifest_of({"type": "sa1b", "tars": str(tar)}))[0]
        files = by_key(tar_members(shard.tar or b""))["sa1b_1"]
        target = np.asarray(Image.open(io.BytesIO(files["target.png"])).convert("RGB")).any(2)
        height = len(target)
        assert target[: height // 4].mean() > 0.95, number
        assert target[height // 4 + 1 :].mean() < 0.05, number


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(scene(70, 41)), form, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    picture = prepared(data)
    np.testing.assert_array_equal(pixels(picture), np.asarray(expected))
    assert picture.stored.upright_size == expected.size
    assert (picture.stored.width, picture.stored.height) == (70, 41)


def exif_jpeg(kind: int, value: bytes) -> bytes:
    """A JPEG whose orientation is stored as TIFF type `kind`, `value` being up to 8 bytes."""
    inline = len(value) <= 4
    entry = struct.pack("<HHI", 0x0112, kind, 1)
    entry += value.ljust(4, b"\0") if inline else struct.pack("<I", 26)
    tiff = b"II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0" + (b"" if inline else value)
    body = b"Exif\0\0" + tiff
    data = jpeg(40, 30)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (1, b"\x06"), (2, b"6\0"), (3, struct.pack("<H", 6)), (4, struct.pack("<I", 6)),
        (5, struct.pack("<II", 6, 1)), (5, struct.pack("<II", 6, 0)), (7, b"\x06"),
        (9, struct.pack("<i", -6)), (10, struct.pack("<ii", 6, 1)), (11, struct.pack("<f", 6.0)),
        (12, struct.pack("<d", 6.0)), (99, b"\x06"),
    ],
)  # fmt: skip
def test_an_orientation_of_any_type_gives_a_sample_or_a_reason(
    kind: int, value: bytes, tmp_path: Path
) -> None:
    mark = np.ones((30, 40), np.bool_)
    document = json.dumps(sa1b_document(1, [mark], 40, 30)).encode()
    tar = tmp_path / "sa_0.tar"
    tar.write_bytes(tar_of([("sa_1.jpg", exif_jpeg(kind, value)), ("sa_1.json", document)]))
    shard = rendered(manifest_of({"type": "sa1b", "tars": str(tar)}))[0]
    facts = json.loads(by_key(tar_members(shard.tar or b""))["sa1b_1"]["json"])
    assert facts["source"]["orientation"] in range(1, 9)


# modes


def grey(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    return scene(width, height)[..., 1]


@pytest.mark.parametrize("size", [(64, 48), (2048, 1536)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_comment_of_a_jpeg_is_in_the_jpeg_of_its_sample(
    size: tuple[int, int], mode: str
) -> None:
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, "JPEG", comment=b"by a scanner")
    picture = prepare(inspect(out.getvalue()), SizeRule(), "convert")
    with Image.open(io.BytesIO(picture.jpeg(95, "4:2:0"))) as image:
        assert image.info["comment"] == b"by a scanner"


def test_grey_pictures_become_three_equal_channels() -> None:
    for form in ("PNG", "JPEG"):
        data = encoded(Image.fromarray(grey()), form)
        expected = np.asarray(Image.open(io.BytesIO(data)))
        for channel in range(3):
            np.testing.assert_array_equal(pixels(prepared(data))[..., channel], expected)


def test_palette_pictures_become_their_colours() -> None:
    image = Image.fromarray(scene(60, 40)).quantize(16)
    np.testing.assert_array_equal(
        pixels(prepared(encoded(image, "PNG"))), np.asarray(image.convert("RGB"))
    )


def test_a_transparent_palette_entry_becomes_white() -> None:
    image = Image.fromarray(np.arange(60 * 40, dtype=np.uint8).reshape(40, 60) % 4)
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    for form in ("PNG", "GIF"):
        seen = pixels(prepared(encoded(image, form, transparency=2)))
        index = np.asarray(image)
        assert (seen[index == 2] == 255).all()
        assert (seen[index == 0] == [255, 0, 0]).all()
        assert (seen[index == 3] == 9).all()


def test_one_bit_pictures_become_black_and_white() -> None:
    bits = grey() > 127
    seen = pixels(prepared(encoded(Image.fromarray(bits), "PNG")))
    np.testing.assert_array_equal(seen, np.where(bits, 255, 0)[..., None].repeat(3, 2))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_alpha_is_laid_over_white(mode: str, form: str) -> None:
    colour = Image.fromarray(scene(60, 40)).convert(mode[:-1])
    alpha = np.tile(np.linspace(0, 255, 60).round().astype(np.uint8), (40, 1))
    colour.putalpha(Image.fromarray(alpha))
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    seen = pixels(prepared(encoded(colour, form, **options)))
    share = alpha[..., None] / 255
    opaque = np.asarray(colour.convert("RGBA"))[..., :3]
    expected = opaque * share + 255 * (1 - share)
    assert np.abs(seen - expected).max() <= 1


def test_sixteen_bit_grey_keeps_its_upper_byte() -> None:
    wide = (np.arange(60 * 40).reshape(40, 60) * 27).astype(np.uint16)
    data = encoded(Image.fromarray(wide), "PNG")
    np.testing.assert_array_equal(
        pixels(prepared(data)), (wide >> 8)[..., None].repeat(3, 2).astype(np.int64)
    )


def test_sixteen_bit_grey_is_resized() -> None:
    wide = grey(300, 200).astype(np.uint16) * 257
    picture = prepared(
        encoded(Image.fromarray(wide), "PNG"), SizeRule(min_side=1, max_side=96, multiple_of=16)
    )
    assert picture.image.size == (96, 64)
    expected = Image.fromarray(grey(300, 200)).resize((96, 64), Image.Resampling.BOX)
    assert off(pixels(picture)[..., 0], expected) < 3


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: Any) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return png_chunks((b"IHDR", head), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))


def test_sixteen_bit_colour_keeps_its_upper_bytes() -> None:
    wide = np.random.default_rng(0).integers(0, 1 << 16, (12, 16, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    np.testing.assert_array_equal(pixels(prepared(png(16, 12, 16, 2, rows))), wide >> 8)


def test_sixteen_bit_grey_with_a_transparent_value_is_drawn_or_refused() -> None:
    wide = np.arange(12 * 16).reshape(12, 16).astype(">u2") * 300
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    data = png(16, 12, 16, 0, rows, (b"tRNS", struct.pack(">H", 300)))
    try:
        assert prepared(data).image.size == (16, 12)
    except PictureError as why:
        assert str(why)


def test_cmyk_is_shown_as_pillow_shows_it() -> None:
    image = Image.fromarray(scene(60, 40)).convert("CMYK")
    data = encoded(image, "JPEG", quality=95)
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    np.testing.assert_array_equal(pixels(prepared(data)), np.asarray(expected))
    assert off(pixels(prepared(data)), image.convert("RGB")) < 6


def test_a_real_cmyk_jpeg_is_drawn(real_data: Path) -> None:
    data = (real_data / "odd" / "cmyk.jpg").read_bytes()
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    seen = pixels(prepared(data))
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert seen.shape == expected.shape
    assert seen.std() > 10


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_an_animation_or_pages_the_first_picture_counts(form: str) -> None:
    frames = [Image.fromarray(scene(60, 40, seed)).quantize(32).convert("RGB") for seed in range(3)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    drawn = off(pixels(prepared(data)), frames[0])
    assert drawn < 8  # WebP and AVIF lose a little
    assert drawn < off(pixels(prepared(data)), frames[1]) / 2


@pytest.mark.parametrize(
    ("form", "options"),
    [("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("PPM", {})],
)
def test_lossless_formats_give_their_pixels(form: str, options: dict[str, str]) -> None:
    shown = scene(70, 41)
    data = encoded(Image.fromarray(shown), form, **options)
    np.testing.assert_array_equal(pixels(prepared(data)), shown)


@pytest.mark.parametrize("form", ["EPS", "PDF", "JPEG2000", "TGA", "ICO"])
def test_formats_that_are_not_read_are_refused_with_those_that_are(form: str) -> None:
    with pytest.raises(PictureError, match=r"not a picture of a known format .JPEG, PNG, .*TIFF"):
        inspect(encoded(Image.fromarray(scene(64, 64)), form))


# colour profiles


@cache  # a profile holds the second in which it was made
def swapped_profile() -> bytes:
    """sRGB with its red and green colorants exchanged: a profile whose effect one cannot miss."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack(">I", data[128:132])[0]):
        at = 132 + 12 * index
        name = bytes(data[at : at + 4])
        if name in (b"rXYZ", b"gXYZ"):
            data[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
        if name == b"desc":  # so that it is not recognised as sRGB by its name
            offset, size = struct.unpack(">II", data[at + 4 : at + 12])
            text = data[offset : offset + size]
            text = text.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
            data[offset : offset + size] = text.replace(b"sRGB", b"swap")
    return bytes(data)


def primary(colour: str, profile: bytes | None) -> bytes:
    return encoded(Image.new("RGB", (32, 32), colour), "PNG", icc_profile=profile)


def test_a_profile_is_converted_to_srgb() -> None:
    picture = prepared(primary("red", swapped_profile()))
    red, green, blue = pixels(picture)[5, 5].tolist()
    assert green > 240
    assert max(red, blue) < 30
    assert (picture.icc, picture.profile) == ("converted", None)
    assert "icc_profile" not in Image.open(io.BytesIO(picture.jpeg(95, "4:4:4"))).info


def test_a_kept_profile_travels_with_unchanged_pixels() -> None:
    picture = prepared(primary("red", swapped_profile()), icc="keep")
    assert pixels(picture)[5, 5].tolist() == [255, 0, 0]
    stored = Image.open(io.BytesIO(picture.jpeg(95, "4:4:4")))
    assert stored.info["icc_profile"] == swapped_profile()
    assert picture.icc == "kept"


def test_a_dropped_profile_leaves_pixels_as_they_are() -> None:
    picture = prepared(primary("red", swapped_profile()), icc="drop")
    assert pixels(picture)[5, 5].tolist() == [255, 0, 0]
    assert (picture.icc, picture.profile) == ("dropped", None)


@pytest.mark.parametrize("icc", ["convert", "keep", "drop"])
@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200, swapped_profile()[:300]])
def test_an_unreadable_profile_costs_no_picture(profile: bytes, icc: IccRule) -> None:
    picture = prepared(primary("red", profile), icc=icc)
    assert pixels(picture)[5, 5].tolist() == [255, 0, 0]
    assert picture.icc == {"convert": "unreadable", "keep": "kept", "drop": "dropped"}[icc]


def test_srgb_needs_no_conversion() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(scene(60, 40)), "PNG", icc_profile=srgb)
    picture = prepared(data)
    np.testing.assert_array_equal(pixels(picture), scene(60, 40))
    assert picture.icc == "srgb"
    assert prepared(primary("red", None)).icc == "none"


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "1", "LA"])
def test_a_profile_of_another_mode_costs_no_picture(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    data = encoded(
        Image.fromarray(scene(60, 40)).convert(mode), form, icc_profile=swapped_profile()
    )
    for icc in ("convert", "keep", "drop"):
        assert prepared(data, icc=icc).image.mode == "RGB"  # type: ignore[arg-type]


def test_real_profiles_are_converted(real_data: Path) -> None:
    outcomes = set()
    for place in sorted((real_data / "coco" / "train2017").glob("*.jpg"))[:20]:
        data = place.read_bytes()
        picture = prepared(data)
        outcomes.add(picture.icc)
        if picture.icc in ("srgb", "none"):
            plain = Image.open(io.BytesIO(data)).convert("RGB")
            np.testing.assert_array_equal(pixels(picture), np.asarray(plain))
    assert len(outcomes) > 1


# hostile bytes


def bomb_bmp(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.fromarray(scene(64, 48)), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def bomb_gif(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.fromarray(scene(64, 48)).quantize(8), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


HOSTILE = {
    "empty": b"",
    "text": b"<html>403 Forbidden</html>",
    "zeros": bytes(5000),
    "one byte": b"\xff",
    "a jpeg's first bytes": jpeg(64, 48)[:30],
    "half a jpeg": jpeg(300, 200)[: len(jpeg(300, 200)) // 2],
    "half a png": encoded(Image.fromarray(scene(300, 200)), "PNG")[:9000],
    "half a webp": encoded(Image.fromarray(scene(300, 200)), "WEBP")[:900],
    "half a gif": encoded(Image.fromarray(scene(300, 200)).quantize(64), "GIF")[:4000],
    "half a bmp": encoded(Image.fromarray(scene(300, 200)), "BMP")[:9000],
    "png with a wrong checksum": png(16, 12, 8, 2, bytes(12 * 49))[:40] + b"\1" * 40,
    "png without pixels": png_chunks((b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))),
    "pdf": b"%PDF-1.4\n",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n",
    "100k x 100k png": bomb_png(100_000, 100_000),
    "2**31 x 2**31 png": bomb_png(2**31 - 1, 2**31 - 1),
    "65k x 65k jpeg": bomb_jpeg(65_500, 65_500),
    "100k x 100k bmp": bomb_bmp(100_000, 100_000),
    "65k x 65k gif": bomb_gif(65_535, 65_535),
    "18k x 12k png": bomb_png(18_000, 12_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused_at_once(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(PictureError):
        prepared(HOSTILE[name], BAGEL)
    assert time.monotonic() - began < 1


def test_max_pixels_refuses_from_the_header_alone() -> None:
    data = jpeg(300, 200)
    assert inspect(data, 60_000).width == 300
    with pytest.raises(PictureError, match=r"300x200 pixels, more than max_pixels=59999"):
        inspect(data, 59_999)


def test_a_compressed_text_or_profile_bomb_is_refused_or_passed_over() -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    rows = bytes(12 * (1 + 16 * 3))
    for chunk in ((b"zTXt", b"k\0\0" + bomb), (b"iCCP", b"p\0\0" + bomb)):
        began = time.monotonic()
        try:
            prepared(png(16, 12, 8, 2, rows, chunk))
        except PictureError as why:
            assert str(why)
        assert time.monotonic() - began < 2


def _mutated(rng: np.random.Generator, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 12))):
        near = 400 if rng.random() < 0.7 else len(out)
        out[int(rng.integers(0, min(near, len(out))))] = int(rng.integers(0, 256))
    if rng.random() < 0.3:
        out = out[: int(rng.integers(1, len(out)))]
    return bytes(out)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
@pytest.mark.parametrize("cases", [60, pytest.param(3000, marks=pytest.mark.slow)])
def test_damaged_pictures_are_drawn_or_refused_never_a_crash(form: str, cases: int) -> None:
    rng = np.random.default_rng(11)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a picture"
    image = Image.fromarray(scene(48, 40))
    seeds = [image, image.quantize(16), image.convert("L")]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {} if form in ("BMP", "GIF", "PPM") else {"exif": exif, "icc_profile": profile}
    wholes = [
        encoded(
            seed.convert("RGB") if form in ("JPEG", "WEBP", "PPM", "AVIF") else seed,
            form,
            **options,
        )
        for seed in seeds
    ]
    rule = SizeRule(min_side=16, max_side=64, multiple_of=16)
    for case in range(cases):
        try:
            picture = prepare(inspect(_mutated(rng, wholes[case % 3]), 4_000_000), rule, "convert")
            assert picture.image.mode == "RGB"
        except PictureError as why:
            assert str(why)


# sizes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((2250, 1500), (1024, 688)),
        ((1500, 2250), (688, 1024)),
        ((640, 480), (688, 512)),
        ((480, 640), (512, 688)),
        ((1024, 1024), (1024, 1024)),
        ((512, 512), (512, 512)),
        ((600, 600), (608, 608)),
        ((800, 600), (800, 608)),
        ((100, 100), (512, 512)),
        ((4000, 4000), (1024, 1024)),
        ((4000, 100), (1024, 32)),
        ((100, 4000), (32, 1024)),
        ((3000, 1), (1024, 16)),
        ((1, 1), (512, 512)),
        ((1000, 300), (1024, 304)),
        ((16000, 9000), (1024, 576)),
    ],
)
def test_sizes_follow_bagels_rule(source: tuple[int, int], expected: tuple[int, int]) -> None:
    """`MaxLongEdgeMinShortEdgeResize(1024, 512, 16)`: long side at most 1024, short side at least
    512, long side first, each side to the nearest multiple of 16."""
    assert BAGEL.output_size(*source) == expected


@settings(max_examples=500, deadline=None)
@given(
    st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 600), st.integers(0, 900),
    st.integers(1, 64),
)  # fmt: skip
def test_any_rule_keeps_its_bounds(
    width: int, height: int, least: int, more: int, multiple: int
) -> None:
    most = max(least + more, multiple)
    rule = SizeRule(min_side=least, max_side=most, multiple_of=multiple)
    out = rule.output_size(width, height)
    assert all(side % multiple == 0 and side >= multiple for side in out)
    assert max(out) <= most
    short, long = sorted((width, height))
    if long <= most and short >= least:  # neither shrunk nor enlarged, but for the rounding
        assert all(abs(a - b) <= multiple for a, b in zip(out, (width, height), strict=True))
    if short < least:
        assert min(out) <= max(multiple, least + multiple / 2)
    assert rule.output_size(height, width) == out[::-1]


def test_pictures_are_written_at_the_size_of_the_rule() -> None:
    picture = prepared(jpeg(2250, 1500), BAGEL)
    stored = Image.open(io.BytesIO(picture.jpeg(95, "4:2:0")))
    assert stored.size == picture.image.size == (1024, 688)
    expected = Image.open(io.BytesIO(jpeg(2250, 1500))).resize((1024, 688), Image.Resampling.BOX)
    assert off(stored, expected) < 2
    assert stored.getexif() == {}
