"""What the decoder of drawings recovers of copies of real targets, and of drawings by hand."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import both_sources_document
from numpy.typing import NDArray
from painted import COLOURS, rng
from PIL import Image

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scoring.class_measure import ClassMeasure
from sgt_data.scoring.decoding_options import PLAIN, ROBUST, Decoding
from sgt_data.scoring.drawing_noise import _count_between, _count_blends, _count_steps, enlarged
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.scoring.mask_measure import MaskMeasure
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.segment_measure import SegmentMeasure
from sgt_data.scoring.segmentation_measures import segmentation_measure
from sgt_data.segmentation.target_png import encode_target
from sgt_data.subsets.open_corpus import open_corpus

Pixels = NDArray[np.uint8]
Samples = Mapping[str, list[ScoredSample]]

NAIVE = replace(PLAIN, compare_at="target")


def drawing(sample: ScoredSample) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(sample.target)).convert("RGB"))


def through_jpeg(pixels: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def half_and_back(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def twice_as_large(pixels: Pixels) -> Pixels:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def scores(
    samples: list[ScoredSample], copy: Callable[[Pixels], Pixels], decoding: Decoding = ROBUST
) -> dict[str, float]:
    classes = class_colours(sample.facts for sample in samples)
    measure = segmentation_measure(samples[0].facts, classes, decoding)
    rows = [measure.picture(copy(drawing(sample)), sample) for sample in samples]
    return {name: score.value for name, score in measure.overall(rows, 0).items()}


def samples_of(document: dict[str, Any], folder: Path) -> Samples:
    build_corpus(parse_manifest(document), str(folder), cluster=IN_PROCESS)
    corpus = open_corpus(str(folder))
    return {
        proxy: [ScoredSample(each.key, each.target, each.facts) for each in corpus.samples(proxy)]
        for proxy in corpus.proxies
    }


@pytest.fixture(scope="module")
def scenes(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    document = both_sources_document(sample_sources, 12)
    coco: dict[str, Any] = {"sources": ["coco"]}
    document["proxies"] += [
        {"type": "referring", **coco},
        {"type": "boxes", **coco},
        {"type": "segmentation", "name": "tab20", "variant": "entity", "palette": "tab20"},
        {"type": "segmentation", "name": "shades", "variant": "instance", "palette": "category",
         **coco},
    ]  # fmt: skip
    return samples_of(document, tmp_path_factory.mktemp("scenes") / "corpus")


@pytest.fixture(scope="module")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    document = {
        "name": "real",
        "pictures": {"min_side": 256, "max_side": 512, "multiple_of": 16},
        "sources": [
            {"type": "sa1b", "tars": f"{real_data}/sa1b/sa_*.tar"},
            {"type": "coco", "root": f"{real_data}/coco", "annotations": ["panoptic"]},
        ],
        "proxies": [
            {"type": "segmentation", "name": "entity", "variant": "entity", "sources": ["sa1b"]},
            *(
                {"type": "segmentation", "name": name, "variant": name, "sources": ["coco"]}
                for name in ("panoptic", "semantic")
            ),
        ],
    }
    return samples_of(document, tmp_path_factory.mktemp("real") / "corpus")


def test_a_copy_scores_perfectly(scenes: Samples) -> None:
    for proxy, samples in scenes.items():
        for copy in (np.asarray, twice_as_large):
            values = scores(samples, copy)
            assert set(values.values()) == {1.0}, (proxy, copy, values)


def test_a_copy_of_a_real_target_scores_perfectly(real: Samples) -> None:
    for proxy, samples in real.items():
        values = scores(samples, np.asarray)
        assert set(values.values()) == {1.0}, (proxy, values)


FLOORS: Mapping[tuple[str, Callable[[Pixels], Pixels]], tuple[float, float]] = {
    ("semantic", through_jpeg): (0.95, 0.85),
    ("semantic", half_and_back): (0.95, 0.85),
    ("panoptic", through_jpeg): (0.93, 0.89),
    ("panoptic", half_and_back): (0.91, 0.89),
    ("entity", through_jpeg): (0.64, 0.55),
    ("entity", half_and_back): (0.64, 0.55),
}
"""By proxy and copy: the least mIoU of the decoder, and the most of the nearest colours."""


@pytest.mark.parametrize(("proxy", "copy"), list(FLOORS))
def test_a_lossy_copy_of_a_real_target_is_read_better_than_by_nearest_colours(
    real: Samples, proxy: str, copy: Callable[[Pixels], Pixels]
) -> None:
    samples = real[proxy][:30]
    floor, ceiling = FLOORS[proxy, copy]
    assert scores(samples, copy)["mIoU"] >= floor
    assert scores(samples, copy, NAIVE)["mIoU"] <= ceiling


def test_the_settings_of_the_experiment_give_its_figures(scenes: Samples) -> None:
    for proxy, names in (
        ("semantic", ("mIoU", "PQ")), ("instance", ("mIoU", "PQ")), ("referring", ("IoU",)),
    ):  # fmt: skip
        samples = scenes[proxy]
        drawn = [half_and_back(drawing(sample))[::3, ::2] for sample in samples]
        classes = class_colours(sample.facts for sample in samples)
        targets = [
            GeneratedTarget(
                (picture / 127.5 - 1).transpose(2, 0, 1), np.zeros(1), sample.target, sample.facts
            )
            for picture, sample in zip(drawn, samples, strict=True)
        ]
        measure = segmentation_measure(samples[0].facts, classes, PLAIN)
        rows = [measure.picture(*pair) for pair in zip(drawn, samples, strict=True)]
        ours, theirs = measure.overall(rows, 7), layout_fidelity(targets, classes, 7)
        for name in names:
            assert ours["gIoU" if name == "IoU" else name] == theirs[name], (proxy, name)
            assert 0 < theirs[name].value < 1


# --- drawings by hand


def blocks(background: tuple[int, int, int] = (0, 0, 0), **facts: Any) -> ScoredSample:
    """A target with two blocks, a ball and a cone."""
    labels = np.zeros((60, 80), np.uint16)
    labels[5:30, 10:40], labels[35:55, 30:70] = 1, 2
    names = ("ball", "cone")
    colours = np.array([COLOURS[name] for name in names], np.uint8)
    stated = {
        "type": "segmentation", "variant": "instance", "palette": "distinct",
        "size": {"width": 80, "height": 60}, "unlabelled": list(background),
        "segments": [
            {"label": label, "color": list(COLOURS[name]), "category": name, "iscrowd": 0}
            for label, name in enumerate(names, 1)
        ],
        **facts,
    }  # fmt: skip
    return ScoredSample("a", encode_target(labels, colours), stated)


def test_other_colours_of_a_class_blind_drawing_do_not_matter() -> None:
    sample, measure = blocks(), SegmentMeasure()
    swapped = drawing(sample)[..., [1, 2, 0]] // 2 + 20
    swapped[drawing(sample).sum(2) == 0] = 0
    for picture in (swapped, through_jpeg(swapped)):
        row = measure.picture(picture, sample)
        assert len(row.matches.scores) == 2
        assert measure.quality(row) > 0.95


def test_noise_does_not_make_segments() -> None:
    sample, measure = blocks(), SegmentMeasure()
    noisy = drawing(sample) + rng(2).normal(scale=4, size=(60, 80, 3))
    row = measure.picture(np.clip(noisy, 0, 255).astype(np.uint8), sample)
    assert len(row.matches.scores) == 2
    assert measure.quality(row) > 0.97


def test_a_blend_of_two_colours_is_not_a_third() -> None:
    """Between red and green lies a band of dark yellow, which the corpus has for another class."""
    sample = blocks(palette="category", variant="semantic")
    classes = {**COLOURS, "mug": (128, 128, 0)}
    picture = np.zeros((60, 80, 3), np.uint8)
    rows, columns = np.indices((60, 80))
    is_ball = (rows - 30) ** 2 + (columns - 40) ** 2 < 400
    picture[is_ball], picture[~is_ball] = COLOURS["ball"], COLOURS["cone"]
    picture = half_and_back(picture)
    seen = [
        set(ClassMeasure(classes, decoding).picture(picture, sample).names) - {"ball", "cone"}
        for decoding in (ROBUST, NAIVE)
    ]
    assert seen == [set(), {"mug"}]


def test_a_colour_that_nothing_states_is_wrong_everywhere() -> None:
    sample = blocks(palette="category", variant="semantic")
    measure = ClassMeasure({name: COLOURS[name] for name in ("ball", "cone")})
    picture = drawing(sample).copy()
    picture[picture.sum(2) == 0] = (200, 0, 255)
    row = measure.picture(picture, sample)
    assert row.counts[0].tolist() == row.counts[1].tolist() == row.counts[2].tolist()
    assert row.right == row.counts[0].sum() < row.pixels


def test_a_missing_drawing_is_the_worst() -> None:
    by_class = blocks(palette="category", variant="semantic")
    measure: Any
    for sample, measure in (
        (by_class, ClassMeasure(COLOURS)), (blocks(), SegmentMeasure()),
    ):  # fmt: skip
        row = measure.absent(sample)
        assert measure.quality(row) == 0
        assert {score.value for score in measure.overall([row], 0).values()} <= {0.0}


def mask_sample(covers: bool, colour: tuple[int, int, int] = (255, 255, 255)) -> ScoredSample:
    """A segment, or nothing, of the palette of a single mask."""
    labels = np.zeros((40, 40), np.uint16)
    if covers:
        labels[10:30, 10:30] = 1
    segments = [{"label": 1, "color": list(colour), "category": "ball"}] if covers else []
    table = np.array([colour][: int(covers)], np.uint8).reshape(-1, 3)
    facts = {
        "type": "segmentation", "variant": "instance", "size": {"width": 40, "height": 40},
        "unlabelled": [0, 0, 0], "segments": segments,
    }  # fmt: skip
    return ScoredSample("m", encode_target(labels, table), facts)


def test_nothing_is_drawn_right_where_nothing_is_meant() -> None:
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    measure: Any
    for measure in (MaskMeasure(), SegmentMeasure(has_absent=True)):
        empty, full = mask_sample(covers=False), mask_sample(covers=True)
        rows = [
            measure.picture(black, empty), measure.picture(white, empty),
            measure.picture(drawing(full), full), measure.picture(black, full),
        ]  # fmt: skip
        assert [measure.quality(row) for row in rows] == [1, 0, 1, 0]
        overall = measure.overall(rows, 0)
        assert (overall["gIoU"].value, overall["cIoU"].value) == (0.5, 400 / (1600 + 400 + 400))
        assert measure.quality(measure.absent(empty)) == 0


def test_a_mask_in_another_colour_than_stated_is_no_mask() -> None:
    sample = mask_sample(covers=True)
    red = drawing(sample) * np.array([1, 0, 0], np.uint8)
    assert MaskMeasure().quality(MaskMeasure().picture(red, sample)) == 0
    assert MaskMeasure().quality(MaskMeasure().picture(through_jpeg(drawing(sample)), sample)) > 0.9


def test_steps_between_levels_have_the_same_size_up_and_down() -> None:
    """In compiled code, where a level of 8 bits minus a larger one can wrap round."""
    dice = np.random.default_rng(4)
    for _ in range(20):
        drawing = dice.integers(90, 110, (12, 15, 3), np.uint8)
        drawing[dice.random((12, 15)) < 0.5] = 200
        numbers = dice.integers(0, 2, (12, 15)).astype(np.int32)
        colours = np.array([[100, 100, 100], [200, 200, 200]], np.int32)
        for turned in (drawing, drawing[:, ::-1].copy(), drawing[::-1].copy()):
            assert _count_steps(turned, 6) == _count_steps.py_func(turned, 6)
            assert _count_steps(turned, 6) == _count_steps(drawing, 6)
            assert _count_between(turned) == _count_between.py_func(turned)
            counted = _count_blends(turned, numbers, colours)
            assert counted == _count_blends.py_func(turned, numbers, colours)


def test_a_drawing_that_was_averaged_to_half_its_size_is_read_at_the_size_of_its_target() -> None:
    size = {"size": {"width": 96, "height": 64}}
    labels = np.zeros((64, 96), np.uint8)
    labels[9:41, 11:52], labels[33:60, 45:90] = 1, 2
    colours = np.array([[0, 0, 0], [200, 40, 40], [60, 60, 220]], np.uint8)
    target = Image.fromarray(colours[labels])
    averaged = np.asarray(target.resize((48, 32), Image.Resampling.BOX))
    picked = np.asarray(target.resize((48, 32), Image.Resampling.NEAREST))
    assert enlarged(averaged, size, ROBUST).shape == (64, 96, 3)
    assert enlarged(picked, size, ROBUST).shape == (32, 48, 3)
