"""Degradations: what the theory says they do, the same bytes everywhere, nothing wraps."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import scene
from numpy.typing import NDArray
from PIL import Image

from sgt_data.degradations import noise, weather
from sgt_data.degradations.compression import jpeg
from sgt_data.degradations.greyscale import colourfulness, greyscale
from sgt_data.degradations.hidden_patches import (
    GREY,
    Shape,
    hide,
    patch_mask,
    shape_mask,
)
from sgt_data.degradations.low_light import low_light
from sgt_data.degradations.motion_blur import LENGTH_MAX, line_taps, motion_blur
from sgt_data.degradations.pixels import (
    Pixels,
    cosine,
    random_words,
    sine,
)
from sgt_data.degradations.resolution import bicubic_weights, down_and_up
from sgt_data.seeds import generator

Degradation = Callable[[Pixels, np.random.Generator], Pixels]


def covered(shape: Shape) -> Degradation:
    return lambda p, rng: hide(p, shape_mask(p.shape[0], p.shape[1], shape, 0.5, rng))


DEGRADATIONS: dict[str, Degradation] = {
    "gaussian": lambda p, rng: noise.gaussian(p, 25.5, rng),
    "poisson": lambda p, rng: noise.poisson(p, 40, rng),
    "salt_and_pepper": lambda p, rng: noise.salt_and_pepper(p, 0.05, rng),
    "jpeg": lambda p, rng: jpeg(p, 40),
    "motion_blur": lambda p, rng: motion_blur(p, 10, 30),
    "low_light": lambda p, rng: low_light(p, 0.3, 4, rng),
    "rain": lambda p, rng: weather.rain(p, 3000, -15, 0.8, rng),
    "fog": lambda p, rng: weather.fog(p, 0.7, 0.4, 210, rng),
    "strokes": covered("strokes"),
    "boxes": covered("boxes"),
    "mixed": covered("mixed"),
    "patches": lambda p, rng: hide(p, patch_mask(p.shape[0], p.shape[1], 8, 0.5, rng)[0]),
    "down_and_up": lambda p, rng: down_and_up(p, 4),
    "greyscale": lambda p, rng: greyscale(p),
}
DIGESTS = {
    "gaussian": "4f08a268502a8f60",
    "poisson": "e3fd708d30f2678b",
    "salt_and_pepper": "55e07a1493622731",
    "jpeg": "0dc20d92a7661b43",
    "motion_blur": "0f48136cc0b15465",
    "low_light": "be074211ba0dc967",
    "rain": "cf888fe85f843b0f",
    "fog": "5cb83184550e0f9b",
    "strokes": "9a84fb2f44b31d43",
    "boxes": "f39c6f0234813edc",
    "mixed": "32751e0eb882c464",
    "patches": "5cc5c989f77812c5",
    "down_and_up": "13409acf5af27c4c",
    "greyscale": "e62df0902cb72da8",
}


def sha256(values: NDArray[np.generic]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def drawn(height: int, width: int) -> Pixels:
    """Blocks, slopes and grain, by integers alone."""
    y, x, channel = np.ogrid[:height, :width, :3]
    values = x * (channel + 2) * 3 + y * 5 + (x // 8 + y // 8) % 2 * 60 + x * y * 7 % 13
    return np.asarray(values % 256, np.uint8)


def flat(value: int, height: int = 256, width: int = 320) -> Pixels:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_bytes_are_those_that_were_pinned(name: str) -> None:
    spoiled = DEGRADATIONS[name](drawn(48, 72), generator(1, name))
    assert sha256(spoiled)[:16] == DIGESTS[name]


def test_tables_are_those_that_were_pinned() -> None:
    assert sha256(noise.normal_quantiles().astype("<i8"))[:16] == "db9f6de9a853d1f4"
    assert sha256(cosine(np.arange(360)).astype("<i8"))[:16] == "44121937370902fd"
    assert sha256(noise.shot_values(100))[:16] == "b4124161b4558b33"
    begins, weights = bicubic_weights(1024, 170)
    assert sha256(begins.astype("<i8"))[:16] == "395efa209b79b5db"
    assert sha256(weights.astype("<i4"))[:16] == "aa1f5fbb4db526c1"


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_same_generator_same_bytes_and_the_clean_picture_stays(name: str) -> None:
    picture = scene(120, 90)
    before = picture.copy()
    picture.setflags(write=False)
    first, again, other = (DEGRADATIONS[name](picture, generator(seed, name)) for seed in (1, 1, 2))
    assert (picture == before).all()
    assert (first == again).all()
    assert not (first == picture).all()
    if name not in ("jpeg", "motion_blur", "down_and_up", "greyscale"):
        assert not (first == other).all()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(DEGRADATIONS)),
    st.one_of(
        st.tuples(st.integers(1, 70), st.integers(1, 70)),
        st.sampled_from([(16, 16), (1, 1), (1, 600), (900, 1), (16, 1000), (2000, 17)]),
    ),
    st.integers(0, 5),
)
def test_any_size_keeps_its_size(name: str, size: tuple[int, int], seed: int) -> None:
    spoiled = DEGRADATIONS[name](drawn(*size), generator(seed, name))
    assert spoiled.shape == (*size, 3)
    assert spoiled.dtype == np.uint8


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_how_the_pixels_lie_in_memory_does_not_matter(name: str) -> None:
    picture = drawn(48, 72)
    expected = DEGRADATIONS[name](picture, generator(1, name))
    turned = np.asfortranarray(picture)
    window = np.zeros((60, 90, 3), np.uint8)[5:53, 9:81]
    window[:] = picture
    for variant in (turned, window):
        assert (DEGRADATIONS[name](variant, generator(1, name)) == expected).all()


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("name", DEGRADATIONS)
def test_no_value_wraps_around(name: str, value: int) -> None:
    """What is black gets no white but salt, streaks and fog, and the other way round."""
    spoiled = DEGRADATIONS[name](flat(value), generator(3, name)).astype(np.int64)
    farthest = int(np.abs(spoiled - value).max())
    limits = {
        "gaussian": 5 * 26, "poisson": 0, "salt_and_pepper": 255, "low_light": 5 * 4 + 180,
        "rain": 240, "fog": 211, "jpeg": 2,
    }  # fmt: skip
    if name in ("strokes", "boxes", "mixed", "patches"):
        assert set(np.unique(spoiled)) == {value, GREY}
    elif name == "poisson" and value == 255:
        assert 150 < spoiled.mean() < 255
    else:
        assert farthest <= limits.get(name, 0)


@pytest.mark.parametrize("sigma", [5.0, 12.345, 25.0, 50.0])
def test_gaussian_noise_has_its_sigma_and_shape(sigma: float) -> None:
    # a wide ramp of levels, as clipping would hide the tails
    levels = np.full(256, 0, np.int16)
    picture = flat(0, 600, 700)
    levels[0] = 128
    noisy = noise.add_gaussian(picture, levels, sigma, generator(1)).astype(np.float64) - 128
    inside = math.erf(128 / sigma / math.sqrt(2))
    assert inside > 0.98
    assert abs(noisy.mean()) < 0.1
    if sigma <= 25:
        assert noisy.std() == pytest.approx(math.sqrt(sigma**2 + 1 / 12), rel=0.004)
    for times in (0.5, 1.0, 2.0):
        # rounding puts everything up to half a level beyond the mark inside
        mark = math.floor(times * sigma) + 0.5
        share = float((np.abs(noisy) < mark).mean())
        assert share == pytest.approx(math.erf(mark / sigma / math.sqrt(2)), abs=0.002)
    channels = noisy.reshape(-1, 3)
    assert np.abs(np.triu(np.corrcoef(channels.T), 1)).max() < 0.01
    assert np.abs(np.triu(np.corrcoef(channels[:-1, 0], channels[1:, 0]), 1)).max() < 0.01


def test_normal_quantiles_rise_and_mirror() -> None:
    quantiles = noise.normal_quantiles()
    assert len(quantiles) == 65536
    assert (np.diff(quantiles) >= 0).all()
    assert (quantiles == -quantiles[::-1]).all()
    assert (quantiles / noise.QUANTILE_ONE).std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("peak", [10, 37, 120])
def test_poisson_noise_keeps_the_mean_and_its_variance_goes_with_it(peak: int) -> None:
    for value in (10, 60, 100):
        noisy = noise.poisson(flat(value), peak, generator(value)).astype(np.float64)
        assert noisy.mean() == pytest.approx(value, rel=0.01, abs=0.3)
        # whole grey levels for whole photons: a few per cent off where there are few of either
        assert noisy.var() == pytest.approx(value * 255 / peak, rel=0.05)


@pytest.mark.parametrize("peak", [1, 10, 120, 500])
def test_shot_tables_hold_the_poisson_distribution(peak: int) -> None:
    """Against the distribution by log-gamma."""
    table = noise.shot_values(peak)
    assert (np.diff(table.astype(np.int64), axis=1) >= 0).all()
    assert (table[0] == 0).all()
    for value in (1, 64, 200, 255):
        rate = value * peak / 255
        counts = np.arange(4 * peak + 40)
        logs = counts * math.log(rate) - rate - np.array([math.lgamma(k + 1) for k in counts])
        shown = np.minimum(np.floor(counts * 255 / peak + 0.5), 255)
        for level in np.unique(table[value]):
            expected = np.exp(logs[shown == level]).sum() * 4096
            assert abs((table[value] == level).sum() - expected) <= 1.01


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_salt_and_pepper_fall_on_their_share_in_equal_parts(share: float) -> None:
    noisy = noise.salt_and_pepper(flat(100, 600, 700), share, generator(2))
    assert set(np.unique(noisy)) == {0, 100, 255}
    assert (noisy.min(axis=2) == noisy.max(axis=2)).all(), "whole pixels"
    for value in (0, 255):
        assert (noisy[..., 0] == value).mean() == pytest.approx(share / 2, rel=0.06)


def test_salt_and_pepper_fall_on_the_smallest_picture() -> None:
    for seed in range(50):
        picture = flat(255 * (seed % 2), 4, 4)
        assert not (noise.salt_and_pepper(picture, 0.001, generator(seed)) == picture).all()


def test_jpeg_artefacts_are_those_of_pillow() -> None:
    picture = drawn(64, 80)
    assert (jpeg(picture, 30) != picture).any()
    errors = [np.abs(jpeg(picture, q).astype(int) - picture).mean() for q in (10, 30, 50, 90)]
    assert errors == sorted(errors, reverse=True)


def oracle_blur(picture: Pixels, length: int, angle: int) -> NDArray[np.float64]:
    """Mean of rolled copies along a line by floating point, edges repeated."""
    dx, dy = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
    longer = max(abs(dx), abs(dy))
    half = max(1, math.floor(length * longer / 2 + 0.5))
    pad = half + 1
    padded = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), "edge").astype(np.float64)
    total = np.zeros_like(padded)
    for step in range(-half, half + 1):
        away = abs(step) / longer
        x = math.copysign(1, step) * math.floor(dx * away + 0.5 + 1e-9)
        y = math.copysign(1, step) * math.floor(dy * away + 0.5 + 1e-9)
        total += np.roll(padded, (-int(y), -int(x)), axis=(0, 1))
    mean: NDArray[np.float64] = (total / (2 * half + 1))[pad:-pad, pad:-pad]
    return mean


@pytest.mark.parametrize("length", [2, 10, 20, 30, 101])
def test_motion_blur_is_the_mean_along_a_line(length: int) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (40, 61, 3), dtype=np.uint8)
    for angle in (0, 1, 17, 30, 44, 45, 46, 89, 90, 91, 120, 135, 150, 179):
        blurred = motion_blur(picture, length, angle)
        difference = np.abs(blurred - oracle_blur(picture, length, angle))
        assert difference.max() <= 0.5 + 1e-6, (length, angle)


def test_motion_blur_lines_have_their_length_and_angle_and_stay_in_place() -> None:
    for length in (2, 10, 20, 30, LENGTH_MAX):
        for angle in range(180):
            taps = line_taps(length, angle)
            assert (taps == -taps[::-1]).all()
            assert len(np.unique(taps, axis=0)) == len(taps)
            assert (np.abs(np.diff(taps, axis=0)) <= 1).all(), "no gaps"
            x, y = taps[-1] - taps[0]
            assert math.hypot(x, y) == pytest.approx(length, abs=2)
            if length >= 10:
                direction = math.degrees(math.atan2(-y, x))
                difference = (direction - angle + 90) % 180 - 90
                assert abs(difference) <= math.degrees(1.1 / length)


def test_motion_blur_turns_with_the_picture() -> None:
    picture = np.random.default_rng(6).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    turned = np.rot90(motion_blur(picture, 10, 0))
    assert (turned == motion_blur(np.rot90(picture), 10, 90)).all()


def test_directions_are_cosines_and_sines() -> None:
    degrees = np.arange(-720, 720)
    radians = np.radians(degrees)
    assert np.abs(cosine(degrees) / 65536 - np.cos(radians)).max() < 1e-5
    assert np.abs(sine(degrees) / 65536 - np.sin(radians)).max() < 1e-5


def test_random_words_are_uniform() -> None:
    words = random_words(generator(4), 1_000_003)
    assert len(words) == 1_000_003
    assert words.mean() == pytest.approx(32767.5, rel=0.003)
    assert np.bincount(words >> 8, minlength=256).std() < 100


@pytest.mark.parametrize("brightness", [0.1, 0.37, 0.5])
def test_low_light_is_dark_by_its_factor_and_noisy_by_its_sigma(brightness: float) -> None:
    dark = low_light(flat(200), brightness, 4, generator(1)).astype(np.float64)
    assert dark.mean() == pytest.approx(200 * brightness, abs=0.5)
    assert dark.std() == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("value", [0, 90, 180, 228, 255])
@pytest.mark.parametrize("size", [(16, 16), (64, 700), (512, 340), (682, 1024)])
def test_rain_falls_on_every_picture(value: int, size: tuple[int, int]) -> None:
    """Brighter streaks before a darkened picture, whatever its own brightness."""
    for seed in range(3):
        wet = weather.rain(flat(value, *size), 1500, 10, 0.85, generator(seed)).astype(np.int64)
        behind = round(value * 0.85)
        streaks = wet[..., 0] > behind + 2
        assert (wet >= behind).all(), "streaks only brighten"
        assert 0.005 < streaks.mean() < 0.6
        assert wet[streaks][:, 0].max() >= behind + 5
        if min(size) >= 64:
            assert all(part.any() for part in np.array_split(streaks, 4, axis=size[1] > size[0]))


@pytest.mark.parametrize("angle", [-25, 0, 12, 40])
def test_streaks_share_a_direction(angle: int) -> None:
    """A shift along the fall finds the streaks again, the mirrored one does not."""
    wet = weather.rain(flat(60, 682, 1024), 1500, angle, 0.8, generator(7))[..., 0]
    streaks = wet.astype(np.float64) - 48

    def found_again(lean: int) -> float:
        down = 12
        side = round(math.tan(math.radians(lean)) * down)
        moved = np.roll(streaks, (down, side), axis=(0, 1))
        return float((moved * streaks).mean())

    leans = range(-45, 46, 3)
    best = max(leans, key=found_again)
    assert abs(best - angle) <= 3
    assert found_again(angle) > 3 * found_again(angle + 30 if angle < 10 else angle - 30)


def test_streaks_vary_in_length_and_brightness() -> None:
    wet = weather.rain(flat(60, 682, 1024), 400, 0, 0.8, generator(8))[..., 0]
    bright = wet > 52
    columns = [np.diff(np.flatnonzero(np.diff(np.r_[0, line, 0]))) for line in bright.T]
    lengths = np.concatenate([runs[::2] for runs in columns if len(runs)])
    assert np.percentile(lengths, 90) > 3 * np.percentile(lengths, 10)
    assert len(np.unique(wet)) > 60


def test_rain_refuses_what_would_hide_it() -> None:
    for angle, dimming in ((41, 0.8), (0, 0.9), (0, -0.1)):
        with pytest.raises(ValueError):
            weather.rain(flat(9), 100, angle, dimming, generator(1))


def test_fog_thins_downwards_and_lies_over_all() -> None:
    foggy = weather.fog(flat(30), 0.6, 0.3, 210, generator(1)).astype(np.float64)
    opacity = (foggy[..., 0] - 30) / 180
    assert opacity[0].mean() == pytest.approx(0.6, abs=0.15)
    assert opacity[-1].mean() == pytest.approx(0.18, abs=0.06)
    assert opacity.min() > 0.1
    thirds = [part.mean() for part in np.array_split(opacity, 3)]
    assert thirds == sorted(thirds, reverse=True)
    # no creases: neighbours differ by a level or two
    assert np.abs(np.diff(foggy, axis=0)).max() <= 3
    assert np.abs(np.diff(foggy, axis=1)).max() <= 3


@pytest.mark.parametrize("shape", ["strokes", "boxes", "mixed"])
def test_shapes_hide_their_share_to_the_pixel(shape: Shape) -> None:
    for size in ((16, 16), (97, 33), (16, 1500), (341, 512)):
        for share in (0.01, 0.3, 0.55, 0.8, 0.95):
            mask = shape_mask(*size, shape, share, generator(1, shape))
            assert mask.shape == size
            assert mask.sum() == max(1, round(share * mask.size))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(2, 32), st.floats(0.01, 0.99),
    st.integers(0, 9),
)  # fmt: skip
def test_patches_hide_exactly_their_number(
    height: int, width: int, patch: int, ratio: float, seed: int
) -> None:
    mask, hidden = patch_mask(height, width, patch, ratio, generator(seed))
    grid = mask[::patch, ::patch]
    assert grid.sum() == hidden == max(1, round(ratio * grid.size))
    whole = grid.repeat(patch, axis=0).repeat(patch, axis=1)
    assert (mask == whole[:height, :width]).all()


def test_hidden_pixels_are_grey_and_all_others_as_they_were() -> None:
    picture = drawn(50, 70)
    mask = shape_mask(50, 70, "mixed", 0.4, generator(3))
    hidden = hide(picture, mask)
    assert (hidden[mask] == GREY).all()
    assert (hidden[~mask] == picture[~mask]).all()


@pytest.mark.parametrize("factor", [2, 4, 6, 8])
def test_resampling_is_pillows_bicubic(factor: int) -> None:
    picture = scene(250, 170)
    small = Image.fromarray(picture).resize(
        (250 // factor, 170 // factor), Image.Resampling.BICUBIC
    )
    oracle = np.asarray(small.resize((250, 170), Image.Resampling.BICUBIC)).astype(np.int64)
    difference = np.abs(down_and_up(picture, factor) - oracle)
    assert difference.max() <= 2
    assert difference.mean() < 0.3


def test_enlarged_pictures_hold_less_the_larger_the_factor() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    spread = [down_and_up(picture, factor).std() for factor in (2, 4, 6, 8)]
    assert spread == sorted(spread, reverse=True)


def test_greyscale_is_luma_in_three_channels() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    grey = greyscale(picture)
    luma = picture @ np.array([0.299, 0.587, 0.114])
    assert (grey == grey[..., :1]).all()
    assert np.abs(grey[..., 0] - luma).max() <= 0.51
    assert colourfulness(grey) == 0
    assert colourfulness(picture) == pytest.approx(127.5, abs=15)
