"""A resized picture has the pixels that Pillow gives it, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from sgt_data.pictures.resample import resized, resized_pixels

FILTERS = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR)
SIDES = st.integers(1, 70) | st.integers(70, 400)


def _picture(size: tuple[int, int], mode: str, seed: int) -> Image.Image:
    """Noise, or black and white alone, on which a cubic filter overshoots most."""
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    values = rng.integers(0, 256, shape, dtype=np.uint8)
    picture = Image.fromarray(values // 128 * 255 if seed % 2 else values)
    picture.info["comment"] = b"kept"
    return picture


def _assert_is_pillows(
    size: tuple[int, int], new: tuple[int, int], mode: str, filter_: int, seed: int
) -> None:
    picture = _picture(size, mode, seed)
    resampling = FILTERS[filter_]
    expected = np.asarray(picture.resize(new, resampling))
    image = resized(picture, new, resampling)
    assert (image.mode, image.size, image.info) == (mode, new, picture.info)
    assert np.array_equal(np.asarray(image), expected)
    pixels = resized_pixels(np.asarray(picture), new, resampling)
    assert np.array_equal(pixels, expected)


CASES = {
    "size": st.tuples(SIDES, SIDES),
    "new": st.tuples(SIDES, SIDES),
    "mode": st.sampled_from(["L", "RGB"]),
    "filter_": st.integers(0, 1),
    "seed": st.integers(0, 2**32 - 1),
}


@settings(max_examples=300)
@given(**CASES)
@example(size=(1182, 750), new=(1024, 650), mode="RGB", filter_=0, seed=1)  # SA-1B at half scale
@example(size=(640, 480), new=(640, 512), mode="RGB", filter_=0, seed=1)  # rows alone
@example(size=(640, 480), new=(512, 480), mode="RGB", filter_=0, seed=1)  # columns alone
@example(size=(700, 700), new=(1, 1), mode="RGB", filter_=0, seed=1)
@example(size=(1, 1), new=(700, 700), mode="L", filter_=0, seed=1)
@example(size=(5000, 3), new=(7, 4000), mode="RGB", filter_=0, seed=1)
def test_a_resize_gives_pillows_pixels(
    size: tuple[int, int], new: tuple[int, int], mode: str, filter_: int, seed: int
) -> None:
    _assert_is_pillows(size, new, mode, filter_, seed)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(**CASES)
def test_a_resize_gives_pillows_pixels_in_ten_thousand_cases(
    size: tuple[int, int], new: tuple[int, int], mode: str, filter_: int, seed: int
) -> None:
    _assert_is_pillows(size, new, mode, filter_, seed)


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "P", "I;16"])
def test_other_modes_are_left_to_pillow(mode: str) -> None:
    picture = Image.new(mode, (40, 30))
    new = resized(picture, (20, 20))
    assert (new.mode, new.size) == (mode, (20, 20))
    assert new.tobytes() == picture.resize((20, 20), Image.Resampling.BICUBIC).tobytes()


def test_a_crop_is_resized_like_a_picture_of_its_own() -> None:
    crop = np.asarray(_picture((90, 80), "RGB", 4))[10:70, 5:65]
    expected = np.asarray(Image.fromarray(crop).resize((33, 44), Image.Resampling.BICUBIC))
    assert np.array_equal(resized_pixels(crop, (33, 44)), expected)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_side_below_one_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="> 0"):
        resized(_picture((9, 8), "RGB", 2), size)
