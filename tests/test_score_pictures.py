"""Restored pictures: PSNR and SSIM against torchmetrics and their definitions, and the hole."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import rng
from PIL import Image

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.degradations.hidden_patches import GREY
from sgt_data.errors import CorpusError
from sgt_data.proxies.hidden_pixels import hidden_pixels
from sgt_data.proxies.inpainting import InpaintingProxy
from sgt_data.proxies.mae import MaeProxy
from sgt_data.scoring.dense_measures import PICTURES, dense_measure
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.restoration_measure import RestorationMeasure
from sgt_data.scoring.structural_similarity import structural_similarity
from sgt_data.seeds import generator

Pixels = NDArray[np.uint8]


def photo(height: int, width: int, seed: int = 0) -> Pixels:
    """Large and small structure, and a flat white region, where variances cancel worst."""
    coarse = Image.fromarray(rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8))
    pixels = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    pixels += rng(seed + 1).normal(scale=6, size=pixels.shape)
    pixels[: height // 4] = 255
    return np.clip(pixels, 0, 255).astype(np.uint8)


def through_jpeg(pixels: Pixels, quality: int) -> Pixels:
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "JPEG", quality=quality)
    return np.array(Image.open(stored).convert("RGB"))


def sample_of(pixels: Pixels, **facts: Any) -> ScoredSample:
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "PNG")
    size = {"width": pixels.shape[1], "height": pixels.shape[0]}
    return ScoredSample("k", stored.getvalue(), {"type": "denoise", "size": size, **facts})


def wang(first: Pixels, second: Pixels) -> float:
    """Equation 13 of Wang et al. with their window, a dense kernel for each map."""
    from scipy.ndimage import correlate

    steps = np.arange(-5, 6)
    window = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = (pixels.astype(float) for pixels in (first, second))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([correlate(values[..., k], window, mode="mirror") for k in range(3)], -1)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top, bottom = (2 * mx * my + c1) * (2 * cov + c2), (mx**2 + my**2 + c1) * (vx + vy + c2)
    return float((top / bottom).mean())


@pytest.mark.parametrize("size", [(64, 96), (37, 41), (11, 9), (6, 7)])
@pytest.mark.parametrize("quality", [10, 75])
def test_ssim_is_that_of_its_definition(size: tuple[int, int], quality: int) -> None:
    pytest.importorskip("scipy")
    pixels = photo(*size)
    drawn = through_jpeg(pixels, quality)
    assert structural_similarity(drawn, pixels) == pytest.approx(wang(drawn, pixels), abs=1e-9)
    assert structural_similarity(pixels, pixels) == 1.0


def test_ssim_and_psnr_are_those_of_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    provide_torchvision_operators()
    metrics = pytest.importorskip("torchmetrics.functional.image")
    pixels = photo(120, 97)
    for drawn in (through_jpeg(pixels, 20), 255 - pixels, photo(120, 97, seed=9)):
        theirs = [
            torch.from_numpy(each.transpose(2, 0, 1)[None].astype(float))
            for each in (drawn, pixels)
        ]
        row = RestorationMeasure().picture(drawn, sample_of(pixels))
        ssim = metrics.structural_similarity_index_measure(*theirs, data_range=255.0)
        assert row.similarity == pytest.approx(float(ssim), abs=1e-6)
        psnr = metrics.peak_signal_noise_ratio(*theirs, data_range=255.0)
        ours = RestorationMeasure().overall([row], 0)
        assert ours["PSNR"].value == pytest.approx(float(psnr), rel=1e-6)


@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_a_tiny_picture_has_a_similarity(side: int) -> None:
    pixels = photo(side, side + 1)
    assert structural_similarity(pixels, pixels) == 1.0
    assert -1 <= structural_similarity(pixels, 255 - pixels) < 1


def test_psnr_is_a_mean_over_pictures_and_one_over_all_pixels() -> None:
    measure, black = RestorationMeasure(), np.zeros((10, 10, 3), np.uint8)
    wide = np.zeros((10, 30, 3), np.uint8)
    rows = [measure.picture(black + 10, sample_of(black)), measure.picture(wide, sample_of(wide))]
    overall = measure.overall(rows, 0)
    one = 20 * np.log10(255 / 10)
    assert overall["PSNR"].value == pytest.approx((one + 100) / 2)
    assert overall["PSNR of all pixels"].value == pytest.approx(20 * np.log10(255 / 5))
    assert overall["L1"].value == pytest.approx(10 / 255 / 2)
    assert overall["PSNR"].low < overall["PSNR"].value < overall["PSNR"].high


def test_a_copy_is_faultless_and_a_missing_drawing_is_as_wrong_as_can_be() -> None:
    measure = RestorationMeasure()
    pixels = photo(40, 50)
    sample = sample_of(pixels)
    copy, absent = measure.picture(pixels, sample), measure.absent(sample)
    overall = measure.overall([copy], 0)
    assert (overall["PSNR"].value, overall["SSIM"].value, overall["L1"].value) == (100, 1, 0)
    assert measure.quality(copy) == 1
    for wrong in (0 * pixels, 0 * pixels + 255, photo(40, 50, seed=5)):
        row = measure.picture(wrong, sample)
        assert row.whole.squares <= absent.whole.squares
        assert row.whole.absolutes <= absent.whole.absolutes


def test_a_faultless_drawing_is_what_the_stored_jpeg_shows() -> None:
    stored = io.BytesIO()
    Image.fromarray(photo(48, 64)).save(stored, "JPEG", quality=60)
    size = {"width": 64, "height": 48}
    sample = ScoredSample("k", stored.getvalue(), {"type": "deblur", "size": size})
    drawn = np.array(Image.open(stored).convert("RGB"))
    assert RestorationMeasure().picture(drawn, sample).whole.squares == 0


def test_a_drawing_of_another_size_is_resized_as_pillow_does() -> None:
    pixels = photo(40, 60)
    small = Image.fromarray(pixels).resize((30, 20), Image.Resampling.BICUBIC)
    back = np.array(small.resize((60, 40), Image.Resampling.BICUBIC))
    measure, sample = RestorationMeasure(), sample_of(pixels)
    assert measure.picture(np.array(small), sample) == measure.picture(back, sample)
    at_drawing = RestorationMeasure(compare_at="drawing").picture(np.array(small), sample)
    assert at_drawing.whole.squares == 0


@pytest.mark.parametrize(
    "proxy",
    [MaeProxy(), MaeProxy(ratio=(0.5, 0.5), patch=8)]
    + [InpaintingProxy(mask=mask) for mask in ("strokes", "boxes", "mixed", "patches")],
    ids=str,
)  # fmt: skip
def test_the_hole_is_drawn_again_from_the_facts(proxy: MaeProxy | InpaintingProxy) -> None:
    white = np.full((96, 130, 3), 255, np.uint8)
    for seed, key in ((0, "coco_1"), (7, "sa_22")):
        degraded, drawn = proxy.degrade(white, generator(seed, "restoration", proxy.type, key))
        facts = {
            "type": proxy.type, "seed": seed, "key": key, "degradation": drawn,
            "size": {"width": 130, "height": 96},
        }  # fmt: skip
        hole = hidden_pixels(facts)
        assert hole is not None
        np.testing.assert_array_equal(hole, (degraded == GREY).all(axis=2))
        measure = RestorationMeasure()
        filled = np.where(hole[..., None], 250, white).astype(np.uint8)
        overall = measure.overall([measure.picture(filled, sample_of(white, **facts))], 0)
        assert overall["L1 in the hole"].value == pytest.approx(5 / 255)
        assert overall["L1"].value == pytest.approx(5 / 255 * hole.mean())
        assert overall["PSNR in the hole"].value == pytest.approx(20 * np.log10(255 / 5))


def test_facts_that_do_not_fit_are_named() -> None:
    pixels = photo(20, 20)
    with pytest.raises(CorpusError, match=r"do not say what was hidden: .*degradation"):
        RestorationMeasure().picture(pixels, sample_of(pixels, type="mae"))
    with pytest.raises(CorpusError, match="k: its target"):
        RestorationMeasure().picture(pixels, ScoredSample("k", b"no picture", {"type": "denoise"}))


def test_every_restoration_has_this_measure_and_segments_have_none() -> None:
    for kind in PICTURES:
        assert dense_measure({"type": kind}) == RestorationMeasure()
    assert dense_measure({"type": "boxes", "look": "overlay"}) == RestorationMeasure()
    with pytest.raises(CorpusError, match="type 'segmentation' have no value for every pixel"):
        dense_measure({"type": "segmentation"})
