"""Packed rows and PNG files are the bytes that zlib and Pillow write."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from sgt_data.pictures.deflate import pack_matches, pack_runs
from sgt_data.pictures.gradients import sobel_magnitude
from sgt_data.pictures.grey_png import encode_coloured, encode_grey
from sgt_data.segmentation.target_png import encode_target

STRATEGIES = ((pack_runs, zlib.Z_RLE), (pack_matches, zlib.Z_DEFAULT_STRATEGY))
KINDS = ("noise", "few levels", "falling", "dots", "stripes", "one level", "doubling", "areas")


def by_zlib(rows: np.ndarray, strategy: int) -> bytes:
    """What Pillow asks of zlib: level 1, memory level 9, row by row."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, strategy)
    return b"".join([packer.compress(row.tobytes()) for row in rows] + [packer.flush()])


def by_pillow(levels: np.ndarray, table: np.ndarray | None = None) -> bytes:
    image = Image.fromarray(levels)
    if table is not None:
        image.putpalette(table.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1, compress_type=3)
    return out.getvalue()


def drawn(kind: str, height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = height, width
    if kind == "noise":  # no code makes it shorter: zlib stores it
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == "few levels":
        return rng.integers(0, 1 + seed % 40, shape, dtype=np.uint8)
    if kind == "falling":
        return np.minimum(rng.geometric(0.05, shape), 255).astype(np.uint8)
    if kind == "dots":
        return np.where(rng.random(shape) < 0.02, 255, 0).astype(np.uint8)
    if kind == "stripes":
        stripes = rng.integers(0, 9, (height, width // 5 + 1), dtype=np.uint8)
        return np.ascontiguousarray(np.repeat(stripes, 5, axis=1)[:, :width])
    if kind == "doubling":  # codes that would be longer than the format allows
        chances = 2.0 ** -np.arange(24)
        return rng.choice(24, shape, p=chances / chances.sum()).astype(np.uint8)
    if kind == "areas":  # as label maps have them
        areas = np.zeros(shape, np.uint8)
        for label in range(1, 1 + seed % 90):
            top, left = rng.integers(0, height), rng.integers(0, width)
            areas[top : top + rng.integers(1, 99), left : left + rng.integers(1, 400)] = label
        return areas
    return np.full(shape, seed % 256, np.uint8)


CASES = {
    "kind": st.sampled_from(KINDS),
    "height": st.integers(1, 90),
    "width": st.integers(1, 12) | st.integers(300, 1500),
    "seed": st.integers(0, 1000),
}


@settings(max_examples=150)
@given(**CASES)
@example(kind="noise", height=700, width=1025, seed=0)  # blocks that have left zlib's window
@example(kind="noise", height=40, width=5001, seed=1)
@example(kind="doubling", height=700, width=1025, seed=0)
@example(kind="one level", height=3000, width=1025, seed=0)
@example(kind="few levels", height=1, width=32767, seed=9)  # a block that is just full
def test_a_stream_is_that_of_zlib(kind: str, height: int, width: int, seed: int) -> None:
    rows = drawn(kind, height, width, seed)
    for pack, strategy in STRATEGIES:
        packed = pack(rows)
        assert zlib.decompress(packed) == rows.tobytes()
        assert packed == by_zlib(rows, strategy)


def fibonacci() -> np.ndarray:
    """Counts by which Huffman's codes grow longest: each is the sum of the two before."""
    counts = [1, 1]
    while sum(counts) + counts[-1] + counts[-2] < 32_000:
        counts.append(counts[-1] + counts[-2])
    values = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(0).permutation(values).astype(np.uint8)[None]


def test_codes_that_are_too_long_are_shortened_as_zlib_does() -> None:
    rows = fibonacci()
    assert len(np.unique(rows)) > 16
    assert pack_runs(rows) == by_zlib(rows, zlib.Z_RLE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (650, 1024), (3, 20_000)])
def test_a_palette_file_is_that_of_pillow(kind: str, size: tuple[int, int]) -> None:
    table = np.random.default_rng(2).integers(0, 256, (256, 3), dtype=np.uint8)
    levels = drawn(kind, *size, 3)
    assert encode_coloured(levels, table) == by_pillow(levels, table)


@settings(max_examples=100)
@given(
    labels=st.integers(1, 400), height=st.integers(1, 60), width=st.integers(1, 200),
    seed=st.integers(0, 99),
)  # fmt: skip
@example(labels=255, height=1024, width=683, seed=0)
@example(labels=3, height=1024, width=683, seed=0)
@example(labels=300, height=700, width=683, seed=0)
def test_a_label_map_is_stored_as_pillow_does(
    labels: int, height: int, width: int, seed: int
) -> None:
    areas = (
        drawn("areas", height, width, seed).astype(np.uint16) * (labels // 90 + 1) % (labels + 1)
    )
    rng = np.random.default_rng(seed)
    colours = rng.integers(1, 256, (labels, 3), dtype=np.uint8)
    table = np.concatenate((np.zeros((1, 3), np.uint8), colours))
    if labels > 255:
        image = Image.fromarray(table[areas])
    else:
        image = Image.fromarray(areas.astype(np.uint8))
        image.putpalette(table.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    assert encode_target(areas, colours) == out.getvalue()


@settings(max_examples=100)
@given(**CASES, bits=st.sampled_from([8, 16]), is_smooth=st.booleans())
@example(kind="few levels", height=650, width=1024, seed=7, bits=16, is_smooth=True)
def test_a_grey_file_is_that_of_pillow(
    kind: str, height: int, width: int, seed: int, bits: int, is_smooth: bool
) -> None:
    levels = drawn(kind, height, width, seed)
    if bits == 16:
        levels = levels.astype(np.uint16) * 257 + drawn("noise", height, width, seed) % 3
    if is_smooth:  # so that rows are filtered
        levels = (levels // 16).cumsum(axis=seed % 2, dtype=levels.dtype)
    assert encode_grey(levels) == by_pillow(levels)


def test_edges_of_real_pictures_are_stored_as_pillow_does(real_data: Path) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    for path in sorted((real_data / "photos").glob("*.jpg"))[:6]:
        with Image.open(path) as image:
            levels = sobel_magnitude(np.asarray(image.convert("L")), 512)
        assert encode_coloured(levels, ramp) == by_pillow(levels, ramp)
