"""The depth proxy: what was drawn comes back, from a source's own depth and from numbers that no
picture can be made of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from making import built, encoded, files_in, jpeg, ledger_in, manifest_of, samples_in, scene
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, verify_corpus
from sgt_data.errors import AnnotationError, CorpusError, ManifestError
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.proxies.base import Subject
from sgt_data.proxies.depth import DepthProxy
from sgt_data.proxies.inferno import inferno
from sgt_data.records import DenseMap
from sgt_data.scenes.draw_pictures import coco_scene, sa1b_scene
from sgt_data.segmentation.pixel_sampling import centre_samples
from sgt_data.sources.dense_maps import encode_dense, parse_dense

LOOKS = [
    {"bits": 8}, {"bits": 16}, {"colormap": "inferno"}, {"percentiles": (0, 100)},
]  # fmt: skip


def subject_of(codes: NDArray[np.uint16], low: float = 0.0, high: float = 1.0) -> Subject:
    """A subject whose picture and depth are of one size, upright."""
    height, width = codes.shape
    rule = SizeRule(min_side=1, max_side=max(width, height), multiple_of=1)
    data = encoded(Image.fromarray(scene(width, height)), "PNG")
    picture = prepare(inspect(data), rule, "convert")
    depth = DenseMap(codes, low, high, upright=True)
    return Subject(
        "k", 0, picture, frozenset({"depth"}), lambda _: None, lambda _: depth, {},
        lambda: b"", lambda _: b"",
    )  # fmt: skip


def facts_of(drawn: Any, codes: NDArray[np.uint16]) -> dict[str, Any]:
    size = {"width": codes.shape[1], "height": codes.shape[0]}
    return {**drawn.facts, "type": "depth", "size": size}


@settings(max_examples=60, deadline=None)
@given(
    codes=arrays(np.uint16, st.tuples(st.integers(4, 40), st.integers(4, 40))),
    look=st.sampled_from(LOOKS),
    low=st.floats(-100, 100),
    span=st.floats(0.01, 1000),
)
def test_values_come_back_to_within_half_a_level(
    codes: NDArray[np.uint16], look: dict[str, Any], low: float, span: float
) -> None:
    proxy = DepthProxy(annotator="any", **look)
    try:
        drawn = proxy.draw(subject_of(codes, low, low + span))
    except AnnotationError as why:
        first, last = np.percentile(codes, proxy.percentiles, method="inverted_cdf")
        assert first == last and "constant" in str(why)
        return
    decoded = decode(drawn.target, facts_of(drawn, codes))
    values = low + codes / 65535 * span
    expected = np.clip(values, decoded.low, decoded.high)
    slack = decoded.step / 2 + 1e-6 * (abs(low) + span)
    assert np.abs(decoded.inverse_depth - expected).max() <= slack
    first, last = np.percentile(codes, proxy.percentiles, method="inverted_cdf")
    assert decoded.low == pytest.approx(low + first / 65535 * span, abs=1e-9 * (abs(low) + span))
    assert decoded.high == pytest.approx(low + last / 65535 * span, abs=1e-9 * (abs(low) + span))


def test_near_is_bright() -> None:
    codes = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    drawn = DepthProxy(annotator="any").draw(subject_of(codes))
    grey = np.asarray(Image.open(io.BytesIO(drawn.target)))
    assert grey.dtype == np.uint8
    assert grey[0, 0] == 0 and grey[0, -1] == 255
    assert (np.diff(grey[0].astype(int)) >= 0).all()


def test_inferno_has_every_colour_once_and_is_matplotlibs() -> None:
    table = inferno()
    assert len(np.unique(table, axis=0)) == 256
    # matplotlib 3: inferno(0), inferno(128), inferno(255), times 255
    known = {0: (0, 0, 4), 128: (188, 55, 84), 255: (252, 255, 164)}
    assert {at: tuple(table[at].tolist()) for at in known} == known
    luminance = table @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luminance) > -0.6).all(), "near is bright in this map, too"
    ramp = np.arange(256, dtype=np.uint8)[None]
    assert (table == cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[0, :, ::-1]).all()


@pytest.mark.parametrize("look", LOOKS)
def test_a_foreign_target_is_refused(look: dict[str, Any]) -> None:
    codes = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
    drawn = DepthProxy(annotator="any", **look).draw(subject_of(codes))
    facts = facts_of(drawn, codes)
    for target in (b"", jpeg(64, 48), encoded(Image.fromarray(scene(64, 48)), "PNG"),
                   encoded(Image.new("L", (32, 48)), "PNG")):  # fmt: skip
        with pytest.raises(CorpusError):
            decode(target, facts)
    for broken in ({"scaling": {"low": 1, "high": 1}}, {"bits": 7}, {"size": None}):
        with pytest.raises(CorpusError):
            decode(drawn.target, facts | broken)


def test_numbers_that_make_no_map_are_refused() -> None:
    values = np.ones((4, 4), np.float32)
    for bad in (np.nan, np.inf, -np.inf):
        spoiled = values.copy()
        spoiled[2, 1] = bad
        with pytest.raises(AnnotationError, match="NaN or infinite"):
            encode_dense(spoiled)
    again = parse_dense(encode_dense(values))
    assert (again.low, again.high) == (1.0, 1.0)
    for broken in (b"", b"sgtD", encode_dense(values)[:-1], b"x" * 100):
        with pytest.raises(AnnotationError):
            parse_dense(broken)


@settings(max_examples=40, deadline=None)
@given(values=arrays(np.float32, (5, 7), elements=st.floats(-1e6, 1e6, width=32)))
def test_an_annotators_map_travels_to_within_its_stated_step(values: NDArray[np.float32]) -> None:
    again = parse_dense(encode_dense(values))
    span = again.high - again.low
    back = again.low + again.codes / 65535 * span
    assert np.abs(back - values).max() <= span / 65535 * 0.51


@pytest.fixture(scope="module")
def exact(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both sample sources with the depth that their scenes were drawn with."""
    root = tmp_path_factory.mktemp("exact")
    depth = f"{sample_sources}/depth"
    sources = [
        {"type": "sa1b", "tars": f"{sample_sources}/sa1b/*.tar", "depth": depth},
        {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances"],
         "depth": depth},
    ]  # fmt: skip
    proxies = [{"type": "depth", "name": "depth", "percentiles": [0, 100], "bits": 16}]
    report = built(root, sources, proxies)
    assert report.succeeded
    return root


def test_depth_of_sample_scenes_is_exact(exact: Path) -> None:
    """Against the scenes themselves: inverse depth where the output's pixel centres fall."""
    assert verify_corpus(str(exact), deep=True).sound
    for key, members in samples_in(exact, "depth").items():
        source, _, number = key.partition("_")
        drawn = sa1b_scene if source == "sa1b" else coco_scene
        scene_depth = drawn(1, int(number) - 1, 320, 240).depth.astype(np.float64)
        decoded = decode(members["target.png"], members["json"])
        height, width = decoded.inverse_depth.shape
        rows, columns = centre_samples(240, height), centre_samples(320, width)
        expected = 0.5 / scene_depth[rows][:, columns]
        assert np.abs(decoded.inverse_depth - expected).max() <= decoded.step / 2 + 1 / 65535


def test_a_missing_depth_file_costs_the_depth_proxy_one_picture(
    sample_sources: Path, tmp_path: Path
) -> None:
    depth = tmp_path / "depth"
    depth.mkdir()
    for file in (sample_sources / "depth").glob("sa_*.png"):
        (depth / file.name).write_bytes(file.read_bytes())
    (depth / "sa_3.png").unlink()
    (depth / "sa_4.png").write_bytes(encoded(Image.new("L", (320, 240)), "PNG"))
    (depth / "sa_5.png").write_bytes(encoded(Image.fromarray(np.ones((9, 9), np.uint16)), "PNG"))
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/*.tar", "depth": str(depth)}
    entity = {"type": "segmentation", "name": "entity", "variant": "entity"}
    built(tmp_path / "out", source, [entity, {"type": "depth"}])
    rows = ledger_in(tmp_path / "out", "depth")
    reasons = {row["member"]: (row["kind"], row["reason"]) for row in rows}
    assert reasons == {
        "sa_3.jpg": ("damaged", "depth: there is no sa_3.png"),
        "sa_4.jpg": ("damaged", "the PNG is L, not 16-bit grey"),
        "sa_5.jpg": ("damaged", "the depth map is for 9x9 pixels, the picture has 320x240"),
    }
    assert ledger_in(tmp_path / "out", "entity") == []
    assert len(samples_in(tmp_path / "out", "entity")) == 12
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


def test_depth_added_later_leaves_every_file_as_it_is(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/*.tar"}
    entity = {"type": "segmentation", "name": "entity", "variant": "entity"}
    built(tmp_path, source, [entity])
    headers = {"corpus.json", "README.md"}
    before = {name: data for name, data in files_in(tmp_path).items() if name not in headers}
    with_depth = source | {"depth": f"{sample_sources}/depth"}
    assert built(tmp_path, with_depth, [entity, {"type": "depth"}]).succeeded
    after = files_in(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(samples_in(tmp_path, "depth")) == 12


def test_what_the_manifest_says_of_depth_must_fit() -> None:
    folder = {"type": "folder", "pictures": "/p"}
    for fields, message in (
        ({}, "the source has no depth"),
        ({"percentiles": [98, 2]}, "the lower first"),
        ({"bits": 16, "colormap": "inferno"}, "only grey has 16 bits"),
        ({"annotator": "nobody"}, "allowed: none"),
    ):
        with pytest.raises(ManifestError, match=message):
            manifest_of(folder, [{"type": "depth", **fields}])
