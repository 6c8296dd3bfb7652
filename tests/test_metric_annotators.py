"""Annotators that predict metres: equal to `transformers`, refused where a checkpoint has none.

Models are of the real architectures, small and random."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import SMALL, built, encoded, jpeg, ledger_in, manifest_of, samples_in, scene
from numpy.typing import NDArray
from PIL import Image
from tiny_models import tiny_depth_model, tiny_depth_pro

from sgt_data import decode, verify_corpus
from sgt_data.annotators.base import Annotator
from sgt_data.annotators.batching import ShardAnnotator, role
from sgt_data.annotators.depth_anything import (
    DepthAnythingAnnotator,
    DepthAnythingMetricAnnotator,
)
from sgt_data.annotators.depth_pro import DepthProAnnotator, input_side
from sgt_data.annotators.device import set_up
from sgt_data.annotators.metric_maps import NEAREST, inverse_metres
from sgt_data.engine.annotate_shard import load_annotator
from sgt_data.errors import AnnotationError, ManifestError, RequestError
from sgt_data.geometry.colour_walk import largest_error
from sgt_data.geometry.normals_of_cameras import colours_of_predicted
from sgt_data.geometry.normals_of_depth import PlaneFit
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.normal_colours import OURS, normals_of_colours
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import DenseMap, RawInput
from sgt_data.sources.dense_maps import encode_inverse_metres, parse_dense

torch = pytest.importorskip("torch")

MAX_DEPTH = 20


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of relative and metric Depth Anything, and of Depth Pro."""
    root = tmp_path_factory.mktemp("models")
    tiny_depth_model(root / "relative")
    tiny_depth_model(root / "metric", max_depth=MAX_DEPTH)
    tiny_depth_pro(root / "pro")
    return root


def loaded(annotator: Annotator) -> ShardAnnotator:
    return load_annotator(annotator, set_up(annotator))


def map_of(annotator: Annotator, picture: bytes, rule: SizeRule) -> DenseMap:
    """What an annotator says of one picture."""
    inputs = [RawInput("k", "k.jpg", picture)]
    (done,) = loaded(annotator).annotate(inputs, rule, MAX_PIXELS)
    assert done.layer_problems == {}
    return parse_dense(done.layer_bytes[role(annotator.name)])


def metres_in(depth: DenseMap) -> NDArray[np.float64]:
    assert depth.is_metric and depth.unit == "1/m" and depth.upright
    return depth.metres_of_codes()[depth.codes]


def within_a_step(depth: DenseMap, expected: NDArray[Any]) -> None:
    """Inverse depth differs by no more than half a step of the map and float32's rounding."""
    step = (depth.high - depth.low) / 65535
    inverse = 1 / np.maximum(expected.astype(np.float64), NEAREST)
    assert np.abs(1 / metres_in(depth) - inverse).max() <= step / 2 + 3e-5 * depth.high


def test_metric_depth_anything_equals_the_stock_pipeline(models: Path) -> None:
    from transformers import pipeline
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    folder = models / "metric"
    image = Image.fromarray(scene(640, 480))
    processor = DPTImageProcessorPil.from_pretrained(folder)
    stock = pipeline("depth-estimation", model=str(folder), image_processor=processor, device="cpu")
    expected = stock(image)["predicted_depth"].numpy()
    annotator = DepthAnythingMetricAnnotator(model=str(folder))
    depth = map_of(annotator, encoded(image, "PNG"), AsStored())
    assert 0 < expected.min() < expected.max() <= MAX_DEPTH * 1.1, "the oracle answers in metres"
    within_a_step(depth, expected)
    assert depth.focal_pixels is None


def stock_depth_pro(folder: Path, image: Image.Image, size: tuple[int, int]) -> Any:
    """Depth in metres [H, W] and focal length in pixels by `transformers` alone."""
    from transformers import DepthProForDepthEstimation
    from transformers.models.depth_pro.image_processing_depth_pro import DepthProImageProcessor

    processor = DepthProImageProcessor.from_pretrained(folder)
    model = DepthProForDepthEstimation.from_pretrained(folder).eval()
    with torch.no_grad():
        outputs = model(**processor(images=image, return_tensors="pt"))
    return processor.post_process_depth_estimation(outputs, target_sizes=[size[::-1]])[0]


def test_depth_pro_equals_transformers_own_processor(models: Path) -> None:
    """A picture of the model's own size goes in as it is: no rounding of the input differs."""
    image = Image.fromarray(scene(128, 128))
    expected = stock_depth_pro(models / "pro", image, (128, 128))
    annotator = DepthProAnnotator(model=str(models / "pro"))
    depth = map_of(annotator, encoded(image, "PNG"), AsStored())
    within_a_step(depth, expected["predicted_depth"].numpy())
    assert depth.focal_pixels == pytest.approx(float(expected["focal_length"]), rel=1e-4)
    assert 20 < 2 * np.degrees(np.arctan(64 / depth.focal_pixels)) < 120


@pytest.mark.parametrize("size", [(300, 200), (90, 160)])
def test_depth_pro_of_other_shapes_stays_near_transformers(
    models: Path, size: tuple[int, int]
) -> None:
    """The square input is rounded to 8 bits, which transformers does not: below 2 % of depth."""
    image = Image.fromarray(scene(*size))
    rule = SizeRule(min_side=64, max_side=128, multiple_of=16)
    output = rule.output_size(*size)
    expected = stock_depth_pro(models / "pro", image, output)
    depth = map_of(DepthProAnnotator(model=str(models / "pro")), encoded(image, "PNG"), rule)
    metres = expected["predicted_depth"].numpy()
    assert metres.shape == depth.codes.shape
    apart = np.abs(metres_in(depth) / np.maximum(metres, NEAREST) - 1)
    assert apart.mean() < 0.02
    assert depth.focal_pixels == pytest.approx(float(expected["focal_length"]), rel=0.02)


def test_the_input_of_the_released_depth_pro_has_1536_pixels_a_side() -> None:
    from transformers import DepthProConfig

    assert input_side(DepthProConfig()) == 1536


# --- checkpoints without metres


@pytest.mark.parametrize(
    ("annotator", "folder", "message"),
    [
        (DepthAnythingMetricAnnotator, "relative", "estimates relative depth; it has no metres"),
        (DepthAnythingMetricAnnotator, "relative", "Depth-Anything-V2-Metric-{Indoor,Outdoor}"),
        (DepthAnythingAnnotator, "metric", "estimates metric depth; give type: depth_anything_m"),
        (DepthAnythingMetricAnnotator, "pro", "type 'depth_pro', not 'depth_anything'"),
        (DepthProAnnotator, "metric", "type 'depth_anything', not 'depth_pro'"),
    ],
)
def test_a_checkpoint_of_the_other_kind_is_named_before_anything_is_built(
    models: Path, annotator: Any, folder: str, message: str
) -> None:
    with pytest.raises(RequestError) as refused:
        annotator(model=str(models / folder)).find_weights()
    assert message in str(refused.value) and "annotators.depth-" in str(refused.value)


def test_depth_pro_without_its_field_of_view_has_no_metres_and_is_refused(tmp_path: Path) -> None:
    folder = tiny_depth_pro(tmp_path / "blind", field_of_view=None)
    with pytest.raises(RequestError, match="use_fov_model"):
        DepthProAnnotator(model=str(folder)).find_weights()


def test_an_annotator_of_relative_depth_is_refused_for_metric_depth(tmp_path: Path) -> None:
    source = {"type": "folder", "pictures": str(tmp_path)}
    annotators = [{"type": "depth_anything", "name": "da"}]
    with pytest.raises(ManifestError) as refused:
        manifest_of(source, [{"type": "metric_depth", "annotator": "da"}], annotators=annotators)
    assert "da gives depth, not metric_depth" in str(refused.value)
    assert "depth_anything_metric, depth_pro" in str(refused.value)


# --- corpora


@pytest.fixture(scope="module")
def corpus(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with metric depth by both models, and their inverse as plain depth."""
    root = tmp_path_factory.mktemp("annotated")
    (root / "photos").mkdir()
    for number, size in enumerate(((96, 64), (64, 96))):
        (root / "photos" / f"p{number}.jpg").write_bytes(jpeg(*size, seed=number))
    annotators = [
        {"type": "depth_pro", "model": str(models / "pro")},
        {"type": "depth_anything_metric", "name": "da", "model": str(models / "metric")},
    ]
    proxies = [
        {"type": "metric_depth", "name": "by-pro", "annotator": "depth-pro"},
        {"type": "metric_depth", "name": "by-da", "annotator": "da"},
        {"type": "depth", "annotator": "depth-pro", "bits": 16, "percentiles": [0, 100]},
        {"type": "normals", "annotator": "depth-pro", "edge": 1.0, "window": 3},
    ]
    source = {"type": "folder", "pictures": f"{root}/photos"}
    assert built(root / "out", source, proxies, annotators=annotators).succeeded
    return root


def test_predicted_metres_are_drawn_and_come_back(corpus: Path, models: Path) -> None:
    assert verify_corpus(str(corpus / "out"), deep=True).sound
    annotators = {
        "by-pro": DepthProAnnotator(model=str(models / "pro")),
        "by-da": DepthAnythingMetricAnnotator(name="da", model=str(models / "metric")),
    }
    for proxy, annotator in annotators.items():
        for key, members in samples_in(corpus / "out", proxy).items():
            picture = (corpus / "photos" / f"{key.removeprefix('folder_')}.jpg").read_bytes()
            expected = map_of(annotator, picture, SizeRule(**SMALL))
            metres = metres_in(expected)
            decoded = decode(members["target.png"], members["json"])
            assert np.all(np.abs(decoded.metres - metres) <= largest_error(metres) * (1 + 1e-5))
            facts = json.loads(members["json"])
            assert facts["from"] == "annotator" and facts["invalid"] == 0
            assert facts["focal_pixels"] == pytest.approx(expected.focal_pixels or 0.0)
            assert decoded.focal_pixels == (expected.focal_pixels and facts["focal_pixels"])


def test_metric_depth_serves_the_depth_proxy_in_its_unit(corpus: Path) -> None:
    for key, members in samples_in(corpus / "out", "depth").items():
        facts = json.loads(members["json"])
        assert (facts["unit"], facts["holds"]) == ("1/m", "inverse depth")
        of_depth = decode(members["target.png"], facts)
        metric = samples_in(corpus / "out", "by-pro")[key]
        of_metric = decode(metric["target.png"], metric["json"])
        allowed = of_metric.largest_errors() + of_depth.metres() ** 2 * of_depth.step
        assert np.all(np.abs(of_depth.metres() - of_metric.metres) <= allowed * (1 + 1e-4))


def test_normals_of_predicted_depth_are_drawn(corpus: Path) -> None:
    for members in samples_in(corpus / "out", "normals").values():
        assert json.loads(members["json"])["from"] == "annotator"
        assert decode(members["target.png"], members["json"]).measured.mean() > 0.5


def test_the_normal_of_a_predicted_plane_is_its_own() -> None:
    """Its inverse depth is linear in the picture, whose middle the viewing axis meets."""
    height, width, focal = 48, 64, 70.0
    y, x = np.indices((height, width))
    rays = np.stack(
        ((x - (width - 1) / 2) / focal, (y - (height - 1) / 2) / focal, np.ones((height, width))),
        -1,
    )  # right, down, away from the viewer
    away = np.array((0.2, 0.5, 0.8))
    inverse = (rays @ (away / 4)).astype(np.float32)  # away . point = 4 m
    depth = parse_dense(encode_inverse_metres(inverse, focal))
    vectors = normals_of_colours(colours_of_predicted(depth, PlaneFit(), OURS), OURS)
    expected = np.array((-0.2, 0.5, 0.8)) / np.linalg.norm(away)
    agreement = vectors[8:-8, 8:-8] @ expected
    assert np.degrees(np.arccos(np.clip(agreement.min(), -1, 1))) < 0.6


def test_an_annotator_without_the_focal_length_is_refused_for_normals(tmp_path: Path) -> None:
    source = {"type": "folder", "pictures": str(tmp_path)}
    annotators = [{"type": "depth_anything_metric", "name": "da"}]
    with pytest.raises(ManifestError) as refused:
        manifest_of(source, [{"type": "normals", "annotator": "da"}], annotators=annotators)
    assert "da gives metric_depth, not camera_depth" in str(refused.value)
    assert "give camera_depth: depth_pro" in str(refused.value)


@pytest.mark.parametrize(
    ("angle", "reason"), [(-4000.0, "field of view of"), (float("nan"), "field of view of nan")]
)
def test_a_field_of_view_that_no_lens_has_costs_the_picture(
    tmp_path: Path, angle: float, reason: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg(64, 64))
    folder = tiny_depth_pro(tmp_path / "pro", field_of_view=angle)
    report = built(
        tmp_path / "out",
        {"type": "folder", "pictures": f"{tmp_path}/photos"},
        [{"type": "metric_depth", "annotator": "depth-pro"}],
        annotators=[{"type": "depth_pro", "model": str(folder)}], max_quarantined=1,
    )  # fmt: skip
    assert report.empty == ["metric-depth"]
    (row,) = ledger_in(tmp_path / "out", "metric-depth")
    assert reason in row["reason"]


# --- how predicted metres travel


def test_a_map_of_metres_travels_to_within_its_step_with_its_focal_length() -> None:
    metres = np.geomspace(0.05, 1e4, 35).astype(np.float32).reshape(5, 7)
    depth = parse_dense(encode_inverse_metres(inverse_metres(metres), 512.5))
    assert (depth.unit, depth.focal_pixels, depth.upright) == ("1/m", 512.5, True)
    within_a_step(depth, metres)
    assert parse_dense(encode_inverse_metres(np.zeros((2, 2), np.float32))).focal_pixels is None
    for bad in (np.nan, np.inf):
        metres[1, 1] = bad
        with pytest.raises(AnnotationError, match="NaN or infinite"):
            encode_inverse_metres(inverse_metres(metres))
    with pytest.raises(AnnotationError, match="below 0"):
        encode_inverse_metres(np.full((2, 2), -1, np.float32))
    for broken in (b"sgtM", encode_inverse_metres(np.ones((2, 2), np.float32))[:-1]):
        with pytest.raises(AnnotationError):
            parse_dense(broken)


def test_steps_of_a_predicted_map_are_finer_than_those_of_the_walk() -> None:
    """Where the nearest is 10 cm, as near as a map allows, at every distance up to 500 m."""
    metres = np.geomspace(NEAREST, 500, 20_000)
    half_step = metres**2 / NEAREST / 65535 / 2
    assert (half_step < largest_error(metres)).all()


def test_pictures_of_turned_cameras_are_annotated_upright(models: Path, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    picture = jpeg(160, 96, exif=turned)
    upright = Image.open(io.BytesIO(picture)).transpose(Image.Transpose.ROTATE_270)
    annotator = DepthProAnnotator(model=str(models / "pro"))
    depth = map_of(annotator, picture, AsStored())
    expected = map_of(annotator, encoded(upright, "PNG"), AsStored())
    assert depth.codes.shape == (160, 96)
    assert np.abs(1 / metres_in(depth) - 1 / metres_in(expected)).mean() < 0.01
