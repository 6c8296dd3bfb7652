"""The edge proxy: OpenCV's own results, byte for byte."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from making import built, encoded, jpeg, manifest_of, samples_in
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, verify_corpus
from sgt_data.annotators.device import set_up
from sgt_data.corpus.identity import bank_digest, check_same_build
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.listing import list_inputs
from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError
from sgt_data.pictures.canny import canny
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.gradients import grey_levels, sobel_magnitude
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.prompts.bank import load_bank

GREY = arrays(np.uint8, st.tuples(st.integers(2, 40), st.integers(2, 40)))


def opencv_sobel(grey: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    across = cv2.Sobel(grey, cv2.CV_16S, 1, 0, ksize=3).astype(np.int64)
    down = cv2.Sobel(grey, cv2.CV_16S, 0, 1, ksize=3).astype(np.int64)
    length = np.sqrt((across**2 + down**2).astype(np.float64)) * gain
    return np.minimum(255, np.floor(length + 0.5)).astype(np.uint8)


def test_the_grey_level_of_every_colour_is_pillows() -> None:
    for red in range(0, 256, 8):
        axes = np.arange(red, red + 8), np.arange(256), np.arange(256)
        colours = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.uint8)
        colours = colours.reshape(512, 1024, 3)
        assert np.array_equal(
            grey_levels(colours), np.asarray(Image.fromarray(colours).convert("L"))
        )


@settings(max_examples=100, deadline=None)
@given(grey=GREY, gain=st.sampled_from([0.25, 0.5, 1.0, 4.0]))
def test_sobel_is_opencvs(grey: NDArray[np.uint8], gain: float) -> None:
    assert (sobel_magnitude(grey, round(gain * 1024)) == opencv_sobel(grey, gain)).all()


@settings(max_examples=200, deadline=None)
@given(
    grey=GREY | arrays(np.uint8, (24, 24), elements=st.sampled_from([0, 90, 255])),
    thresholds=st.tuples(st.integers(1, 700), st.integers(1, 700)).map(sorted),
)
def test_contours_are_opencvs(grey: NDArray[np.uint8], thresholds: list[int]) -> None:
    assert (canny(grey, *thresholds) == cv2.Canny(grey, *thresholds)).all()


@pytest.mark.parametrize(
    ("fields", "thresholds"),
    [({}, (100, 200)), ({"thresholds": [30, 90]}, (30, 90)), ({"thresholds": "median"}, None)],
)
def test_canny_is_opencvs(
    sample_sources: Path, tmp_path: Path, fields: dict[str, object], thresholds: tuple[int, int]
) -> None:
    folder = sample_sources / "coco" / "train2017"
    source = {"type": "folder", "pictures": str(folder)}
    rule = {"min_side": 64, "max_side": 256, "multiple_of": 8}
    canny = {"type": "edge", "name": "canny", "method": "canny", **fields}
    built(tmp_path, source, [canny, {"type": "edge"}], pictures=rule)
    assert verify_corpus(str(tmp_path), deep=True).sound
    soft = samples_in(tmp_path, "edge")
    samples = samples_in(tmp_path, "canny")
    assert len(samples) == len(soft) == 12
    for key, members in samples.items():
        stored = inspect((folder / f"{key.partition('_')[2]}.jpg").read_bytes())
        grey = np.asarray(prepare(stored, SizeRule(**rule), "convert").image.convert("L"))
        median = max(1, int(np.percentile(grey, 50, method="inverted_cdf")))
        low, high = thresholds or (median * 67 // 100, median * 133 // 100)
        assert (decode(members["target.png"], members["json"]) == cv2.Canny(grey, low, high)).all()
        strength = decode(soft[key]["target.png"], soft[key]["json"])
        assert (strength == opencv_sobel(grey, 0.5)).all()


def test_a_foreign_target_is_refused() -> None:
    facts = {"type": "edge", "method": "canny", "size": {"width": 64, "height": 48}}
    grey = Image.fromarray(np.full((48, 64), 7, np.uint8))
    for target in (b"", jpeg(64, 48), encoded(Image.new("L", (32, 48)), "PNG"),
                   encoded(Image.new("RGB", (64, 48)), "PNG"), encoded(grey, "PNG")):  # fmt: skip
        with pytest.raises(CorpusError):
            decode(target, facts)


@pytest.mark.parametrize(
    ("proxy", "annotator", "bank"),
    [
        ({}, None, "edge_soft"),
        ({"method": "sobel"}, None, "edge_soft"),
        ({"method": "canny"}, None, "edge_canny"),
        ({"method": "annotator"}, {}, "edge_learned"),
        ({"method": "annotator"}, {"method": "dexined"}, "edge_learned"),
        ({"method": "annotator"}, {"method": "sobel"}, "edge_soft"),
        ({"method": "annotator"}, {"method": "canny"}, "edge_canny"),
    ],
)
def test_instructions_follow_the_method_that_makes_the_edges(
    proxy: dict[str, str], annotator: dict[str, str] | None, bank: str
) -> None:
    folder = {"type": "folder", "pictures": "/p"}
    annotators = [] if annotator is None else [{"type": "edges", "name": "detector", **annotator}]
    named = {} if annotator is None else {"annotator": "detector"}
    manifest = manifest_of(folder, [{"type": "edge", **proxy, **named}], annotators=annotators)
    drawn = manifest.proxies[0]
    assert drawn.instruction_bank(manifest.look_of(drawn)).name == bank


def test_a_corpus_of_an_annotators_canny_asks_for_thin_lines_and_stays_one_build(
    tmp_path: Path,
) -> None:
    """Also where the corpus was begun when such edges took the bank of learned detectors."""
    pictures, root = tmp_path / "pictures", tmp_path / "corpus"
    pictures.mkdir()
    (pictures / "one.jpg").write_bytes(jpeg(64, 48))
    source = {"type": "folder", "pictures": str(pictures)}
    annotators = [{"type": "edges", "method": "canny", "device": "cpu"}]
    proxy = {"type": "edge", "method": "annotator", "annotator": "edges"}
    built(root, source, [proxy], annotators=annotators)
    (members,) = samples_in(root, "edge").values()
    instruction = orjson.loads(members["json"])["instruction"]
    assert instruction["bank"] == "edge_canny"
    assert members["txt"].decode() == load_bank("edge_canny").train[instruction["line"]]
    assert verify_corpus(str(root), deep=True).sound
    header = orjson.loads((root / "corpus.json").read_bytes())
    header["identity"]["banks"]["edge"] = bank_digest("edge_learned")
    (root / "corpus.json").write_bytes(orjson.dumps(header))
    with pytest.raises(CorpusMismatch, match=r"banks\.edge"):
        built(root, source, [proxy], annotators=annotators)


def test_what_the_manifest_says_of_edges_must_fit() -> None:
    folder = {"type": "folder", "pictures": "/p"}
    for fields, message in (
        ({"method": "annotator"}, "needs one"),
        ({"annotator": "x"}, "the others none"),
        ({"method": "canny", "thresholds": [200, 100]}, "the lower first"),
        ({"gain": 0}, "gain"),
        ({"name": "input"}, "a folder of its own"),
    ):
        with pytest.raises(ManifestError, match=message):
            manifest_of(folder, [{"type": "edge", **fields}])


def test_a_corpus_whose_contours_opencv_drew_can_be_continued(
    sample_sources: Path, tmp_path: Path
) -> None:
    """The bytes are the same, so the version of OpenCV that it names is no difference."""
    source = {"type": "folder", "pictures": str(sample_sources / "coco" / "train2017")}
    proxies = [{"type": "edge", "name": "canny", "method": "canny"}, {"type": "edge"}]
    listing = list_inputs(manifest_of(source, proxies))
    planned = plan_build(listing, set_up).identity
    drawn_by = {"libraries": {"opencv-python-headless": "4.10.0.84"}}
    begun = {**planned, "makers": {**planned["makers"], "canny": drawn_by}}
    assert plan_build(listing, set_up, begun).identity == begun
    other = {**planned, "makers": {**planned["makers"], "edge": drawn_by}}
    with pytest.raises(CorpusMismatch, match=r"makers\.edge\.libraries"):
        check_same_build(other, plan_build(listing, set_up, other).identity, "corpus")
