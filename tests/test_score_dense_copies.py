"""Copies of built targets: faultless ones, damaged ones, and those of an experiment."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, open_corpus
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.resample import resized_pixels
from sgt_data.scoring.dense_measures import dense_measure
from sgt_data.scoring.depth_measure import DepthMeasure
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.intervals import Estimate
from sgt_data.scoring.measure import Measure, ScoredSample
from sgt_data.scoring.restoration_measure import RestorationMeasure
from sgt_data.stream.transforms import target_filter

pytest.importorskip("scipy")

Pixels = NDArray[np.uint8]
Samples = Mapping[str, Sequence[ScoredSample]]

FAULTLESS = {
    "AbsRel": 0, "delta1": 1, "delta2": 1, "delta3": 1, "RMSE": 0, "RMSE in metres": 0, "log10": 0,
    "far IoU": 1, "mean angle": 0, "median angle": 0, "below 11.25": 1, "below 22.5": 1,
    "below 30": 1, "ODS F": 1, "OIS F": 1, "edge F": 1, "L1": 0, "SSIM": 1, "PSNR": 100,
    "PSNR of all pixels": 100, "PSNR in the hole": 100, "L1 in the hole": 0,
}  # fmt: skip

FLOORS: dict[str, dict[str, tuple[float, float]]] = {
    "depth": {"AbsRel": (0, 0.02), "delta1": (0.985, 1)},
    "depth-inferno": {"AbsRel": (0, 0.03), "delta1": (0.98, 1)},
    "metric-depth": {"AbsRel": (0, 0.02), "delta1": (0.985, 1), "far IoU": (0.97, 1)},
    "normals": {"mean angle": (0, 4), "median angle": (0, 1), "below 11.25": (0.93, 1)},
    "edge": {"ODS F": (0.85, 1), "edge F": (0.9, 1)},
    "canny": {"ODS F": (0.9, 1), "edge F": (0.98, 1)},
    "reconstruction": {"PSNR": (28, 100), "SSIM": (0.88, 1)},
    "inpainting": {"PSNR": (28, 100), "PSNR in the hole": (28, 100)},
    "mae": {"PSNR": (28, 100), "PSNR in the hole": (28, 100)},
    "boxes-overlay": {"PSNR": (22, 100), "SSIM": (0.85, 1)},
}
"""Ranges of measures after JPEG 75 and bicubic half-and-back, on pictures of 256x192 pixels."""


def damaged(pixels: Pixels) -> Pixels:
    """Through bicubic half-and-back, then JPEG 75 with halved colours."""
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    stored = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(stored, "JPEG", quality=75)
    return np.array(Image.open(stored).convert("RGB"))


@pytest.fixture(scope="module")
def stored(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Samples of drawn scenes of every proxy that has a value for every pixel."""
    document = {
        "name": "dense",
        "pictures": {"min_side": 64, "max_side": 256, "multiple_of": 8},
        "sources": [
            {
                "type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances"],
                "depth": f"{sample_sources}/depth", "depth_is": "inverse",
                "depth_unit": 1 / (65535 * 0.5), "normals": f"{sample_sources}/normals",
            }
        ],
        "proxies": [
            {"type": "depth"},
            {"type": "depth", "name": "depth-inferno", "colormap": "inferno"},
            {"type": "metric_depth"},
            {"type": "normals", "convention": "dsine"},
            {"type": "edge"},
            {"type": "edge", "name": "canny", "method": "canny"},
            {"type": "reconstruction"},
            {"type": "inpainting"},
            {"type": "mae"},
            {"type": "boxes", "name": "boxes-overlay", "look": "overlay"},
        ],
    }  # fmt: skip
    output = str(tmp_path_factory.mktemp("dense") / "corpus")
    assert build_corpus(parse_manifest(document), output, cluster=IN_PROCESS).succeeded
    return samples_of(output)


def samples_of(url: str) -> Samples:
    corpus = open_corpus(url)
    return {
        proxy: [ScoredSample(each.key, each.target, each.facts) for each in corpus.samples(proxy)]
        for proxy in corpus.proxies
    }


def scored(
    measure: Measure[Any], drawings: Sequence[Pixels], samples: Sequence[ScoredSample]
) -> dict[str, Estimate]:
    rows = [
        measure.picture(drawing, sample) for drawing, sample in zip(drawings, samples, strict=True)
    ]
    assert all(0 <= measure.quality(row) <= 1 for row in rows)
    return measure.overall(rows, 0)


def assert_faultless(samples: Samples) -> None:
    for proxy, some in samples.items():
        measure = dense_measure(some[0].facts)
        overall = scored(measure, [rgb_pixels(sample.target) for sample in some], some)
        for name, estimate in overall.items():
            if name != "AbsRel of a flat picture":
                assert estimate.value == pytest.approx(FAULTLESS[name], abs=1e-4), (proxy, name)
        worse = measure.overall([measure.absent(sample) for sample in some], 0)
        assert worse.keys() == overall.keys()
        for name, estimate in worse.items():
            if name != "AbsRel of a flat picture":
                assert estimate.value != pytest.approx(FAULTLESS[name], abs=0.01), (proxy, name)


def test_a_copy_of_every_target_is_faultless_and_a_missing_one_is_not(stored: Samples) -> None:
    assert_faultless(stored)


def test_a_damaged_copy_is_read_nearly_as_the_target(stored: Samples) -> None:
    assert stored.keys() == FLOORS.keys()
    for proxy, samples in stored.items():
        drawings = [damaged(rgb_pixels(sample.target)) for sample in samples]
        overall = scored(dense_measure(samples[0].facts), drawings, samples)
        for name, (least, most) in FLOORS[proxy].items():
            assert least <= overall[name].value <= most, (proxy, name, overall[name].value)


def test_copies_of_real_coco_are_faultless(real_data: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for photo in sorted((real_data / "coco" / "train2017").glob("*.jpg"))[:8]:
        shutil.copy(photo, pictures)
    document = {
        "name": "coco",
        "pictures": {"min_side": 64, "max_side": 256, "multiple_of": 8},
        "sources": [{"type": "folder", "pictures": str(pictures)}],
        "proxies": [{"type": "edge"}, {"type": "edge", "name": "canny", "method": "canny"},
                    {"type": "mae"}, {"type": "inpainting"}, {"type": "colorization"}],
    }  # fmt: skip
    output = str(tmp_path / "corpus")
    assert build_corpus(parse_manifest(document), output, cluster=IN_PROCESS).succeeded
    assert_faultless(samples_of(output))


def test_drawings_score_what_the_experiment_measures(stored: Samples) -> None:
    """Noisy drawings of 48x48 pixels, as files of 8 bits and as the experiment has them."""
    measures: dict[str, tuple[Measure[Any], dict[str, str]]] = {
        "depth": (
            DepthMeasure(compare_at="drawing", fit_to="clipped target"),
            {"AbsRel": "AbsRel", "AbsRel of a flat picture": "AbsRel of a flat picture"},
        ),
        "edge": (
            EdgeMeasure(compare_at="drawing", resampling=Image.Resampling.BICUBIC),
            {"edge F": "edge F", "L1": "L1"},
        ),
        "inpainting": (RestorationMeasure(compare_at="drawing"), {"L1": "L1"}),
    }
    draws = np.random.default_rng(0)
    for proxy, (measure, names) in measures.items():
        drawings, generated = [], []
        for sample in stored[proxy]:
            target = resized_pixels(
                rgb_pixels(sample.target), (48, 48), target_filter(sample.facts)
            )
            noisy = target + draws.normal(scale=30, size=target.shape)
            drawings.append(np.clip(noisy, 0, 255).astype(np.uint8))
            as_floats, true = (
                each.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
                for each in (drawings[-1], target)
            )
            generated.append(GeneratedTarget(as_floats, true, sample.target, sample.facts))
        ours, theirs = scored(measure, drawings, stored[proxy]), layout_fidelity(generated, {}, 0)
        for name, their_name in names.items():
            for end in ("value", "low", "high"):
                assert getattr(ours[name], end) == pytest.approx(
                    getattr(theirs[their_name], end), abs=1e-6
                ), (proxy, name, end)
