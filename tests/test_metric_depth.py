"""The metric depth proxy: every distance comes back from its colour to within a stated error, and
what is no depth in metres is refused."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import hilbertmap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from making import built, encoded, jpeg, ledger_in, manifest_of, samples_in, scene
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, verify_corpus
from sgt_data.errors import AnnotationError, CorpusError, ManifestError
from sgt_data.geometry.colour_walk import largest_error
from sgt_data.geometry.distance_scale import scale_text
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.rgb_png import encode_rgb
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.proxies.base import Subject
from sgt_data.proxies.metric_depth import MetricDepthProxy
from sgt_data.records import DenseMap
from sgt_data.scenes.depth import INVERSE_PER_CODE
from sgt_data.scenes.draw_pictures import coco_scene
from sgt_data.segmentation.pixel_sampling import centre_samples

UNIT = {"depth_is": "inverse", "depth_unit": INVERSE_PER_CODE}
MILLIMETRES = {"depth_is": "metric", "depth_unit": 0.001}


def subject_of(depth: DenseMap) -> Subject:
    """A subject whose picture and depth are of one size, upright."""
    height, width = depth.codes.shape
    rule = SizeRule(min_side=1, max_side=max(width, height), multiple_of=1)
    data = encoded(Image.fromarray(scene(width, height)), "PNG")
    picture = prepare(inspect(data), rule, "convert")
    return Subject(
        "k", 0, picture, frozenset({"metric_depth"}), lambda _: None, lambda _: depth, {},
        lambda: b"", lambda _: b"",
    )  # fmt: skip


def inverse_map(codes: NDArray[np.uint16], **fields: Any) -> DenseMap:
    """A map as the sample scenes have it."""
    return DenseMap(codes, 0.0, 65535 * INVERSE_PER_CODE, upright=True, unit="1/m", **fields)


def millimetres(codes: NDArray[np.uint16]) -> DenseMap:
    return DenseMap(codes, 0.0, 1.0, upright=True, metres_per_code=0.001, invalid=(0,))


def drawn(depth: DenseMap, **fields: Any) -> tuple[bytes, dict[str, Any]]:
    """Target and facts of a map, as a sample has them."""
    made = MetricDepthProxy(annotator="any", **fields).draw(subject_of(depth))
    height, width = depth.codes.shape
    size = {"width": width, "height": height}
    instruction = {"words": dict(made.words)}
    facts = {**made.facts, "type": "metric_depth", "size": size, "instruction": instruction}
    return made.target, json.loads(json.dumps(facts))


def pixels_of(target: bytes) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(target))
    assert (image.format, image.mode) == ("PNG", "RGB")
    return np.asarray(image)


@pytest.mark.parametrize("depth_of", [inverse_map, millimetres])
@pytest.mark.parametrize("fields", [{}, {"c": 1.0}, {"lam": -1.5, "c": 20.0}])
def test_every_code_comes_back_to_within_its_stated_error(
    depth_of: Any, fields: dict[str, Any]
) -> None:
    depth = depth_of(np.arange(65536, dtype=np.uint16).reshape(256, 256))
    target, facts = drawn(depth, **fields)
    decoded = decode(target, facts)
    metres = depth.metres_of_codes()[depth.codes]
    lam, c = fields.get("lam", -3.0), fields.get("c", 10 / 3)
    assert (np.isnan(decoded.metres) == np.isnan(metres)).all()
    assert (np.isinf(decoded.metres) == np.isinf(largest_error(metres, lam, c))).all()
    finite = np.isfinite(decoded.metres)
    apart = np.abs(decoded.metres[finite] - metres[finite])
    assert (apart <= largest_error(metres, lam, c)[finite] * (1 + 1e-6) + 1e-6).all()
    bounds = decoded.largest_errors()[finite]
    assert (apart <= bounds * (1 + 1e-5) + 1e-6).all(), "decoding knows the bound too"
    assert MetricDepthProxy.contradictions(target, facts) == []


@settings(max_examples=40, deadline=None)
@given(codes=arrays(np.uint16, st.tuples(st.integers(4, 30), st.integers(4, 30))))
def test_colours_are_those_that_hilbertmap_gives(codes: NDArray[np.uint16]) -> None:
    depth = inverse_map(codes)
    try:
        target, facts = drawn(depth)
    except AnnotationError as why:
        assert (codes < 56).all() and "infinitely far" in str(why)
        return
    metres = depth.metres_of_codes()[codes]
    finite = np.where(np.isinf(metres), 1e12, metres)
    expected = hilbertmap.depth_to_rgb(finite) * 255
    assert np.abs(pixels_of(target) - expected).max() <= 0.5 + 1e-6
    decoded = decode(target, facts).metres
    seen = np.isfinite(decoded)
    theirs = hilbertmap.rgb_to_depth(pixels_of(target)[seen] / 255)
    assert decoded[seen] == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def test_the_png_is_the_one_that_pillow_writes() -> None:
    codes = np.random.default_rng(0).integers(100, 60000, (37, 53)).astype(np.uint16)
    target, _ = drawn(inverse_map(np.sort(codes, axis=1)))
    buffer = io.BytesIO()
    Image.fromarray(pixels_of(target)).save(buffer, "PNG", compress_level=1, compress_type=3)
    assert target == buffer.getvalue()


# --- the text


def test_the_scale_states_the_distance_of_every_corner() -> None:
    """Read back by an independent program: name or digits, then metres."""
    text = scale_text(-3.0, 10 / 3, has_gaps=True)
    assert text == (
        "black 0 m, red 0.801 m, yellow 1.83 m, green (#00ff00) 3.23 m, cyan 5.28 m, "
        "blue 8.71 m, magenta 16.5 m, white infinitely far, grey (#808080) not measured"
    )
    corners = ["red", "yellow", "lime", "cyan", "blue", "magenta"]
    stated = [float(far) for far in re.findall(r"([\d.]+) m\b", text)]
    rgb = [np.array(Image.new("RGB", (1, 1), name))[0, 0] for name in ["black", *corners]]
    assert hilbertmap.rgb_to_depth(np.array(rgb) / 255) == pytest.approx(stated, rel=5e-3)
    assert scale_text(-3.0, 1.0, has_gaps=False).startswith("black 0 m, red 0.24 m, yellow 0.55 m")
    assert "magenta 4940 m, white infinitely far" in scale_text(-3.0, 1000.0, has_gaps=False)


def test_instructions_state_the_scale_and_gaps_where_there_are_some(
    source: dict[str, Any], tmp_path: Path
) -> None:
    proxies = [{"type": "metric_depth"}, {"type": "metric_depth", "name": "near", "c": 0.5}]
    assert built(tmp_path / "out", source, proxies).succeeded
    for proxy, c in (("metric-depth", 10 / 3), ("near", 0.5)):
        for key, members in samples_in(tmp_path / "out", proxy).items():
            text = members["txt"].decode()
            assert scale_text(-3.0, c, has_gaps=key == "folder_gaps") in text
            assert ("not measured" in text) == (key == "folder_gaps")
            facts = json.loads(members["json"])
            assert facts["transform"] == {"lambda": -3.0, "c": c} and facts["unit"] == "m"


# --- sources


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A folder with depth in millimetres: whole, with gaps, with none measured."""
    root = tmp_path_factory.mktemp("rooms")
    (root / "pictures").mkdir()
    (root / "depth").mkdir()
    floor = np.tile(np.linspace(6000, 800, 48)[:, None], (1, 64)).astype(np.uint16)
    gaps = floor.copy()
    gaps[:12, 5:40] = 0
    for name, codes in (("whole", floor), ("gaps", gaps)):
        (root / "pictures" / f"{name}.jpg").write_bytes(jpeg(64, 48))
        (root / "depth" / f"{name}.png").write_bytes(encoded(Image.fromarray(codes), "PNG"))
    return {
        "type": "folder", "pictures": f"{root}/pictures", "depth": f"{root}/depth", **MILLIMETRES,
    }  # fmt: skip


def test_metres_of_a_sources_files_come_back_and_gaps_are_grey(
    source: dict[str, Any], tmp_path: Path
) -> None:
    assert built(tmp_path / "out", source, [{"type": "metric_depth"}]).succeeded
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    for key, members in samples_in(tmp_path / "out", "metric-depth").items():
        path = Path(source["depth"]) / f"{key.removeprefix('folder_')}.png"
        stored = np.asarray(Image.open(path)).astype(np.float64) / 1000
        decoded = decode(members["target.png"], members["json"])
        height, width = decoded.metres.shape
        rows, columns = centre_samples(48, height), centre_samples(64, width)
        metres = stored[rows][:, columns]
        measured = metres > 0
        assert (decoded.measured == measured).all()
        assert (pixels_of(members["target.png"])[~measured] == 128).all()
        apart = np.abs(decoded.metres[measured] - metres[measured])
        assert (apart <= largest_error(metres[measured]) * (1 + 1e-6)).all()
        facts = json.loads(members["json"])
        assert facts["invalid"] == np.count_nonzero(~measured)
        assert (facts["near"], facts["far"]) == (metres[measured].min(), metres[measured].max())


def test_sample_scenes_are_exactly_metric(sample_sources: Path, tmp_path: Path) -> None:
    """Against the scenes themselves: metres where the output's pixel centres fall; sky is white."""
    source = {
        "type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances"],
        "depth": f"{sample_sources}/depth", **UNIT,
    }  # fmt: skip
    proxies = [{"type": "metric_depth"}, {"type": "depth", "bits": 16, "percentiles": [0, 100]}]
    assert built(tmp_path, source, proxies).succeeded
    assert verify_corpus(str(tmp_path), deep=True).sound
    skies = 0
    for key, members in samples_in(tmp_path, "metric-depth").items():
        number = int(key.rpartition("_")[2])
        metres = coco_scene(1, number - 1, 320, 240).depth.astype(np.float64)
        decoded = decode(members["target.png"], members["json"])
        height, width = decoded.metres.shape
        metres = metres[centre_samples(240, height)][:, centre_samples(320, width)]
        skies += int(np.isinf(metres).any())
        assert np.isinf(decoded.metres[np.isinf(metres)]).all()
        near = metres < 100
        code_error = metres[near] ** 2 * INVERSE_PER_CODE / 2 * 1.1
        apart = np.abs(decoded.metres[near] - metres[near])
        assert (apart <= largest_error(metres[near] + code_error) + code_error).all()
    assert skies > 0
    facts = json.loads(next(iter(samples_in(tmp_path, "depth").values()))["json"])
    assert (facts["unit"], facts["holds"], facts["metres_per_code"]) == ("1/m", "inverse depth", 0)


def test_the_depth_proxy_of_inverse_depth_with_a_unit_decodes_to_metres(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "depth").mkdir()
    codes = np.tile(np.linspace(0, 60000, 64), (48, 1)).astype(np.uint16)
    (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "depth" / "a.png").write_bytes(encoded(Image.fromarray(codes), "PNG"))
    plain = {"type": "folder", "pictures": f"{tmp_path}/pictures", "depth": f"{tmp_path}/depth"}
    proxy = {"type": "depth", "bits": 16, "percentiles": [0, 100]}
    built(tmp_path / "unit", plain | UNIT, [proxy])
    built(tmp_path / "plain", plain, [proxy])
    with_unit, without = (
        samples_in(tmp_path / name, "depth")["folder_a"] for name in ("unit", "plain")
    )
    assert with_unit["target.png"] == without["target.png"]
    assert verify_corpus(str(tmp_path / "unit"), deep=True).sound
    metres = decode(with_unit["target.png"], with_unit["json"]).metres()
    assert np.isinf(metres[0, 0]) and metres[0, -1] == pytest.approx(32767.5 / 60000, rel=1e-3)
    with pytest.raises(CorpusError, match="relative"):
        decode(without["target.png"], without["json"]).metres()


# --- what is refused


FOLDER = {"type": "folder", "pictures": "/p"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": "/d"}, "the depth of the source is relative, which has no metres"),
        ({}, "the source has no depth; give it a folder"),
        ({"depth": "/d", "depth_unit": 3e-5}, "depth_is does not say of what"),
        ({"depth": "/d", "depth_is": "inverse", "depth_unit": 0.5}, "at most 0.01"),
    ],
)
def test_depth_without_metres_is_refused_when_the_manifest_is_read(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        manifest_of(FOLDER | fields, [{"type": "metric_depth"}])


@pytest.mark.parametrize("fields", [{"lam": -1.0}, {"lam": 2.0}, {"c": 0}, {"c": -1.0}])
def test_a_transform_that_does_not_rise_from_0_to_1_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match=next(iter(fields))):
        manifest_of(FOLDER | {"depth": "/d"} | MILLIMETRES, [{"type": "metric_depth", **fields}])


@pytest.mark.parametrize("lam", [-100.0, -1.1])
@pytest.mark.parametrize("c", [0.001, 1000.0])
def test_every_allowed_transform_gives_finite_metres_that_rise(lam: float, c: float) -> None:
    from sgt_data.geometry.colour_walk import metres_of_points

    metres = metres_of_points(lam, c)
    assert metres[0] == 0 and np.isinf(metres[-1])
    assert np.isfinite(metres[:-1].astype(np.float32)).all() and (np.diff(metres) > 0).all()


def test_a_picture_of_nothing_but_sky_and_a_relative_map_are_no_metric_depth() -> None:
    codes = np.zeros((8, 8), np.uint16)
    for depth, message in (
        (inverse_map(codes), "infinitely far"),
        (
            replace(millimetres(codes + 2000), metres_per_code=1.0),
            "does depth_unit of the source fit",
        ),
        (millimetres(codes), "no pixel of the output has a depth measurement"),
        (DenseMap(codes, 0.0, 1.0, upright=True), "the depth is relative"),
    ):
        with pytest.raises(AnnotationError, match=message):
            MetricDepthProxy(annotator="any").draw(subject_of(depth))


def test_a_picture_without_a_depth_file_is_left_out(source: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "whole.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "pictures" / "more.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "depth").mkdir()
    whole = (Path(source["depth"]) / "whole.png").read_bytes()
    (tmp_path / "depth" / "whole.png").write_bytes(whole)
    places = {"pictures": f"{tmp_path}/pictures", "depth": f"{tmp_path}/depth"}
    built(tmp_path / "out", source | places, [{"type": "metric_depth"}])
    assert list(samples_in(tmp_path / "out", "metric-depth")) == ["folder_whole"]
    (row,) = ledger_in(tmp_path / "out", "metric-depth")
    assert row["reason"] == "depth: there is no more.png"


# --- what a check finds


@pytest.fixture(scope="module")
def sample() -> tuple[bytes, dict[str, Any]]:
    codes = np.tile(np.linspace(0, 60000, 64), (16, 1)).astype(np.uint16)
    return drawn(inverse_map(codes, invalid=(60000,)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"near": 0.9}, "its near end is drawn as 0.5"),
        ({"far": 12.0}, "its far end is drawn as"),
        ({"invalid": 3}, "16 pixels are grey; its facts say invalid 3"),
        ({"infinite": True}, "16 pixels are white; its facts say infinite True"),
        ({"transform": {"lambda": -3.0, "c": 1.0}}, "the instruction's scale is"),
    ],
)
def test_facts_that_the_target_contradicts_are_found(
    sample: tuple[bytes, dict[str, Any]], changed: dict[str, Any], message: str
) -> None:
    target, facts = sample
    assert MetricDepthProxy.contradictions(target, facts) == []
    assert any(
        message in found for found in MetricDepthProxy.contradictions(target, facts | changed)
    )


def test_a_swapped_scale_in_the_instruction_is_found(
    sample: tuple[bytes, dict[str, Any]],
) -> None:
    target, facts = sample
    scale = facts["instruction"]["words"]["scale"]
    for wrong in (scale.replace("red 0.801", "red 1.83"), scale.replace("red", "blue"),
                  scale.partition(", grey")[0]):  # fmt: skip
        spoiled = facts | {"instruction": {"words": {"scale": wrong}}}
        (problem,) = MetricDepthProxy.contradictions(target, spoiled)
        assert "the instruction's scale is" in problem


@pytest.mark.parametrize(
    "broken",
    [
        {"transform": None}, {"transform": {"lambda": -1.0, "c": 1.0}}, {"unit": "km"},
        {"transform": {"lambda": -3.0, "c": "1"}}, {"near": -1}, {"far": float("nan")},
        {"size": {"width": 64, "height": 17}}, {"instruction": {}}, {"focal_pixels": None},
        {"invalid_color": [1, 2, 3]}, {"near": True},
    ],
)  # fmt: skip
def test_facts_of_another_form_are_refused(
    sample: tuple[bytes, dict[str, Any]], broken: dict[str, Any]
) -> None:
    target, facts = sample
    with pytest.raises(CorpusError):
        decode(target, facts | broken)


def test_a_target_with_colours_that_mean_nothing_is_refused(
    sample: tuple[bytes, dict[str, Any]],
) -> None:
    target, facts = sample
    pixels = pixels_of(target).copy()
    pixels[3, 5] = 7, 8, 9
    with pytest.raises(CorpusError, match=r"1 pixels of the target .* \(7, 8, 9\)"):
        decode(encode_rgb(pixels), facts)
    grey = encoded(Image.fromarray(pixels).convert("L"), "PNG")
    for foreign in (b"", jpeg(64, 16), grey, encode_rgb(pixels[:8])):
        with pytest.raises(CorpusError):
            decode(foreign, facts)
