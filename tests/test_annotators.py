"""Annotators: equal to the libraries they stand on, whoever runs them, and careful with bad
pictures, bad weights and little memory. Models are of the real architectures, small and random."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
import psutil
import pytest
from corpora import file_digests
from making import encoded, jpeg, ledger_in, manifest_of, samples_in, scene
from PIL import Image
from pycocotools import mask as coco_mask
from tiny_models import LENIENT, tiny_depth_model, tiny_dexined, tiny_sam

from sgt_data import (
    IN_PROCESS,
    Cluster,
    build_corpus,
    decode,
    open_corpus,
    verify_corpus,
)
from sgt_data.annotators.base import Annotator, View
from sgt_data.annotators.batching import ShardAnnotator, role
from sgt_data.annotators.depth_anything import DepthAnythingAnnotator, input_size
from sgt_data.annotators.device import set_up
from sgt_data.annotators.edges import EdgesAnnotator
from sgt_data.annotators.sam import SamAnnotator
from sgt_data.engine.annotate_shard import load_annotator
from sgt_data.errors import AnnotatorError, CorpusMismatch, RequestError
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import RawInput
from sgt_data.segmentation.pixel_sampling import upright
from sgt_data.sources.dense_maps import parse_dense
from sgt_data.sources.sa1b_annotation import parse_annotation

torch = pytest.importorskip("torch")

SMALL = {"min_side": 64, "max_side": 128, "multiple_of": 16}


@pytest.fixture(scope="module")
def depth_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_depth_model(tmp_path_factory.mktemp("depth-model"))


@pytest.fixture(scope="module")
def sam_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sam(tmp_path_factory.mktemp("sam") / "sam_tiny.pth")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of three shapes, one turned by EXIF."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(6):
        width, height = [(96, 64), (64, 96), (64, 64)][number % 3]
        (folder / f"p{number}.jpg").write_bytes(jpeg(width, height, number))
    turned = Image.Exif()
    turned[0x0112] = 6
    (folder / "p9.jpg").write_bytes(jpeg(96, 64, 9, exif=turned))
    return folder


def annotator_of(annotator: Annotator) -> ShardAnnotator:
    return load_annotator(annotator, set_up(annotator))


def annotation_bytes(annotator: Annotator, picture: bytes, rule: SizeRule) -> bytes:
    """What an annotator says of one picture."""
    inputs = [RawInput("k", "k.jpg", picture)]
    (done,) = annotator_of(annotator).annotate(inputs, rule, MAX_PIXELS)
    assert done.layer_problems == {}
    return done.layer_bytes[role(annotator.name)]


def pipeline_depth(model: Path, image: Image.Image) -> Any:
    """The stock pipeline's prediction [H, W] at the picture's own size."""
    from transformers import pipeline
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    processor = DPTImageProcessorPil.from_pretrained(model)
    run = pipeline("depth-estimation", model=str(model), image_processor=processor, device="cpu")
    return run(image)["predicted_depth"].numpy()


# --- depth


def test_depth_equals_the_stock_pipelines(depth_model: Path) -> None:
    """At full size. Bounds, as a share of the map's range: 2e-5 at most, for a picture below twice
    the model's size; it is the step in which maps travel that shows (1/65535)."""
    picture = encoded(Image.fromarray(scene(640, 480)), "PNG")
    depth = parse_dense(
        annotation_bytes(DepthAnythingAnnotator(model=str(depth_model)), picture, AsStored())
    )
    values = depth.low + depth.codes / 65535 * (depth.high - depth.low)
    expected = pipeline_depth(depth_model, Image.fromarray(scene(640, 480)))
    assert values.shape == expected.shape == (480, 640)
    assert np.abs(values - expected).max() <= 2e-5 * (depth.high - depth.low)


def test_depth_of_a_large_jpeg_stays_near_the_stock_pipelines(depth_model: Path) -> None:
    """A JPEG of twice the model's size and more is decoded at a reduced scale (by the DCT), which
    differs a little from decoding it in full: on average below 1 % of the map's range."""
    picture = jpeg(1500, 1100)
    depth = parse_dense(
        annotation_bytes(DepthAnythingAnnotator(model=str(depth_model)), picture, AsStored())
    )
    values = depth.low + depth.codes / 65535 * (depth.high - depth.low)
    expected = pipeline_depth(depth_model, Image.open(io.BytesIO(picture)))
    assert np.abs(values - expected).mean() <= 0.01 * (depth.high - depth.low)


@pytest.mark.parametrize("size", [(2250, 1500), (1500, 2250), (640, 480), (518, 518), (700, 530)])
def test_the_input_rule_is_the_originals(size: tuple[int, int]) -> None:
    """For pictures of at least 518 pixels `transformers` has the same rule."""
    from transformers.models.dpt.image_processing_pil_dpt import get_resize_output_image_size

    width, height = size
    expected = get_resize_output_image_size(np.empty((3, height, width)), (518, 518), True, 14)
    assert input_size(width, height) == (expected.width, expected.height)


def test_the_shorter_side_is_never_below_518() -> None:
    for width in range(20, 3000, 37):
        for height in range(20, 3000, 41):
            across, down = input_size(width, height)
            assert min(across, down) == 518 and across % 14 == down % 14 == 0


def depth_manifest(model: Path, photos: Path, **more: Any) -> Any:
    depth = {"type": "depth_anything", "name": "da", "model": str(model)}
    options = {"pictures": SMALL, "annotators": [depth | more.pop("annotator", {})]} | more
    source = {"type": "folder", "name": "photos", "pictures": str(photos)}
    return manifest_of(source, [{"type": "depth", "annotator": "da"}, {"type": "edge"}], **options)


@pytest.fixture(scope="module")
def reference(
    depth_model: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    output = tmp_path_factory.mktemp("reference")
    manifest = depth_manifest(depth_model, photos, shard_samples=2)
    assert build_corpus(manifest, str(output), cluster=IN_PROCESS).succeeded
    assert verify_corpus(str(output), deep=True).sound
    return file_digests(output)


def test_annotated_shards_are_identical_for_any_number_of_actors(
    depth_model: Path, photos: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    """Two actors, and in the reference none; builds whose actor is killed have one at a time."""
    manifest = depth_manifest(depth_model, photos, shard_samples=2, annotator={"concurrency": 2})
    assert build_corpus(manifest, str(tmp_path / "out"), cluster=Cluster(workers=2)).succeeded
    assert file_digests(tmp_path / "out") == reference


def test_batch_neighbours_change_nothing(depth_model: Path, photos: Path) -> None:
    """On a CPU with the default batch of one, and, to the last bit on the machines we know, in
    batches too."""
    files = [path.read_bytes() for path in sorted(photos.glob("*.jpg"))]
    rule = SizeRule(**SMALL)
    alone = [
        annotation_bytes(DepthAnythingAnnotator(model=str(depth_model)), file, rule)
        for file in files
    ]
    for batch_size in (1, 4):
        annotator = DepthAnythingAnnotator(model=str(depth_model), batch_size=batch_size)
        for order in (files, files[::-1], files[2:] + files[:2]):
            inputs = [RawInput(str(at), "x.jpg", file) for at, file in enumerate(order)]
            done = annotator_of(annotator).annotate(inputs, rule, MAX_PIXELS)
            for file, result in zip(order, done, strict=True):
                depth = parse_dense(result.layer_bytes[role(annotator.name)])
                expected = parse_dense(alone[files.index(file)])
                if batch_size == 1:
                    assert (depth.codes == expected.codes).all()
                assert np.abs(depth.codes.astype(int) - expected.codes.astype(int)).max() <= 8


@pytest.mark.slow
def test_a_killed_actor_is_replaced_and_its_shard_redone(
    depth_model: Path, photos: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    document = depth_manifest(depth_model, photos, shard_samples=2).resolved()
    manifest.write_bytes(orjson.dumps(document))
    output = tmp_path / "out"
    command = [sys.executable, "-c", "from sgt_data.cli.app import main; main()", "build"]
    driver = subprocess.Popen(
        [*command, str(manifest), "--output", str(output), "--workers", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    began = time.monotonic()
    actor = None
    while driver.poll() is None and actor is None and time.monotonic() - began < 240:
        actor = next(actors_of(driver.pid), None)
        time.sleep(0.02)
    assert actor is not None
    actor.kill()
    assert driver.wait(timeout=240) == 0
    assert file_digests(output) == reference


def actors_of(driver: int) -> Iterator[psutil.Process]:
    for process in psutil.Process(driver).children(recursive=True):
        try:
            if "_Annotate" in process.name() or "_Annotate" in " ".join(process.cmdline()[:1]):
                yield process
        except psutil.Error:
            continue


# --- bad pictures and bad maps


def test_a_picture_that_cannot_be_annotated_costs_that_proxy_that_picture(
    depth_model: Path, photos: Path, tmp_path: Path
) -> None:
    """Too long for the model: lost to depth, drawn by the others. No picture: lost to all."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(96, 64))
    (folder / "b.jpg").write_bytes(jpeg(640, 32))
    (folder / "c.jpg").write_bytes(b"no picture")
    manifest = depth_manifest(depth_model, folder, max_quarantined=1)
    assert build_corpus(manifest, str(tmp_path / "out"), cluster=IN_PROCESS).succeeded
    rows = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "depth")}
    assert "longer than 8 times its shorter side" in rows["b.jpg"]
    assert "not a picture" in rows["c.jpg"]
    assert [row["member"] for row in ledger_in(tmp_path / "out", "edge")] == ["c.jpg"]
    assert list(samples_in(tmp_path / "out", "depth")) == ["photos_a"]
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


@pytest.mark.parametrize(
    ("bias", "reason"), [(float("nan"), "NaN or infinite"), (3.0, "constant"), (-1.0, "constant")]
)
def test_a_map_that_is_no_map_is_quarantined(
    bias: float, reason: str, photos: Path, tmp_path: Path
) -> None:
    """Weights, saved in the real format, whose head gives NaN, one number, or nothing above 0."""
    from transformers import DepthAnythingForDepthEstimation

    folder = tiny_depth_model(tmp_path / "model")
    model = DepthAnythingForDepthEstimation.from_pretrained(folder)
    with torch.no_grad():
        model.head.conv3.weight.zero_()
        model.head.conv3.bias.fill_(bias)
    model.save_pretrained(folder)
    manifest = depth_manifest(folder, photos, max_quarantined=1)
    report = build_corpus(manifest, str(tmp_path / "out"), cluster=IN_PROCESS)
    assert report.complete
    assert report.empty == ["depth"]
    rows = ledger_in(tmp_path / "out", "depth")
    assert len(rows) == 7 and all(reason in row["reason"] for row in rows)
    assert ledger_in(tmp_path / "out", "edge") == []


# --- memory


class Cramped:
    """A device that holds so many pictures at once, around a real annotator."""

    def __init__(self, inner: Any, room: int) -> None:
        self.inner, self.room, self.sizes = inner, room, []
        self.prepare, self.finish = inner.prepare, inner.finish

    def run(self, views: list[View]) -> Any:
        from sgt_data.annotators.device import running

        self.sizes.append(len(views))
        with running(self.inner._setup):
            if len(views) > self.room:
                raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.inner.run(views)


def test_out_of_memory_halves_the_batch_and_goes_on(depth_model: Path) -> None:
    annotator = DepthAnythingAnnotator(model=str(depth_model), batch_size=8)
    inputs = [RawInput(str(at), "x.jpg", jpeg(64, 64, at)) for at in range(9)]
    rule = SizeRule(**SMALL)
    roomy = annotator_of(annotator).annotate(inputs, rule, MAX_PIXELS)
    shard_annotator = annotator_of(annotator)
    shard_annotator.model = cramped = Cramped(shard_annotator.model, 2)
    done = shard_annotator.annotate(inputs, rule, MAX_PIXELS)
    assert cramped.sizes == [8, 4, 2, 2, 2, 2, 1]
    for first_raw, second_raw in zip(roomy, done, strict=True):
        first, second = (
            parse_dense(raw.layer_bytes[role(annotator.name)]) for raw in (first_raw, second_raw)
        )
        assert np.abs(first.codes.astype(int) - second.codes.astype(int)).max() <= 8


def test_a_device_that_holds_not_one_picture_fails_the_shard_not_the_pictures(
    depth_model: Path,
) -> None:
    shard_annotator = annotator_of(DepthAnythingAnnotator(model=str(depth_model)))
    shard_annotator.model = Cramped(shard_annotator.model, 0)
    with pytest.raises(AnnotatorError, match="out of memory with one picture of 518x518"):
        shard_annotator.annotate(
            [RawInput("k", "x.jpg", jpeg(64, 64))], SizeRule(**SMALL), MAX_PIXELS
        )


# --- weights


def no_folder(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"model": str(tmp_path / "nowhere")}, "neither a folder here nor the id"


def empty_folder(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"model": str(tmp_path)}, "has no config.json"


def other_kind(tmp_path: Path) -> tuple[dict[str, Any], str]:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    return {"model": str(tmp_path)}, "type 'bert', not 'depth_anything'"


def no_network(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"model": "nobody/nothing"}, "hf download nobody/nothing --local-dir DIR"


def other_digest(tmp_path: Path) -> tuple[dict[str, Any], str]:
    return {"model": str(tiny_depth_model(tmp_path)), "sha256": "0" * 64}, "asks for 0000"


def no_gpu(tmp_path: Path) -> tuple[dict[str, Any], str]:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    return {"model": str(tiny_depth_model(tmp_path)), "device": "cuda"}, "device"


WRONG = [no_folder, empty_folder, other_kind, no_network, other_digest, no_gpu]


@pytest.mark.parametrize(("wrong", "workers"), [*((case, 0) for case in WRONG), (no_folder, 1)])
def test_wrong_weights_are_named_before_anything_is_built(
    wrong: Callable[[Path], tuple[dict[str, Any], str]],
    workers: int,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    fields, message = wrong(tmp_path / "model" if wrong is not no_folder else tmp_path)
    manifest = depth_manifest(Path("unused"), photos, annotator=fields)
    phases: list[str] = []
    with pytest.raises(RequestError, match=message):
        build_corpus(
            manifest, str(tmp_path / "out"),
            cluster=Cluster(workers=workers), progress=lambda report: phases.append(report.phase),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    assert "starting Ray" not in phases


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "GatedRepo", "is gated. Accept its terms"),
        (401, "RepoNotFound", "the Hub knows no some/model"),
        (404, "RevisionNotFound", "at revision abc"),
        (500, "", "the Hub cannot be reached"),
    ],
)
def test_what_the_hub_answers_is_said_in_words(
    status: int, code: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Against a server that answers as the Hub does."""
    import huggingface_hub.constants

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    try:
        annotator = DepthAnythingAnnotator(model="some/model", revision="abc")
        with pytest.raises(RequestError, match=message):
            annotator.find_weights()
    finally:
        server.shutdown()


@pytest.fixture(autouse=True)
def _folder_for_wrong_weights(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir(exist_ok=True)


def test_damaged_weights_are_named(photos: Path, tmp_path: Path) -> None:
    folder = tiny_depth_model(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RequestError, match="cannot be loaded"):
        annotator_of(DepthAnythingAnnotator(model=str(folder)))
    (tmp_path / "sam.pth").write_bytes(b"no checkpoint")
    with pytest.raises(RequestError, match="no checkpoint of segment_anything"):
        annotator_of(SamAnnotator(checkpoint=str(tmp_path / "sam.pth")))
    torch.save({"a": torch.zeros(1)}, tmp_path / "dexined.pth")
    with pytest.raises(RequestError, match="no weights of DexiNed"):
        annotator_of(EdgesAnnotator(weights=str(tmp_path / "dexined.pth")))


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    """Law 8: a pickle that calls something is not loaded, and does not call it."""
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    torch.save({"x": Evil()}, tmp_path / "evil.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.pth", "bare.pth"):
        with pytest.raises(RequestError):
            annotator_of(SamAnnotator(checkpoint=str(tmp_path / name)))
        with pytest.raises(RequestError):
            annotator_of(EdgesAnnotator(weights=str(tmp_path / name)))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html></html>", "an HTML or XML page"),
        (b"", "is empty"),
        (b"\x80\x02noise", "or is damaged"),
    ],
)
def test_what_lies_in_place_of_weights_is_named_and_no_check_is_advised_away(
    tmp_path: Path, beginning: bytes, words: str
) -> None:
    (tmp_path / "sam.pth").write_bytes(beginning)
    for annotator in (
        SamAnnotator(checkpoint=str(tmp_path / "sam.pth")),
        EdgesAnnotator(weights=str(tmp_path / "sam.pth")),
    ):
        with pytest.raises(RequestError) as refused:
            annotator_of(annotator)
        assert words in str(refused.value) and "weights_only" not in str(refused.value)


def test_other_weights_are_another_build(depth_model: Path, photos: Path, tmp_path: Path) -> None:
    """And the corpus says by which it was made."""
    output = str(tmp_path / "out")
    build_corpus(depth_manifest(depth_model, photos), output, cluster=IN_PROCESS)
    made = open_corpus(output).header.identity["makers"]["depth"]["annotator"]
    assert made["type"] == "depth_anything" and made["dtype"] == "float32"
    assert made["device"].startswith("cpu ") and len(made["weights"]) == 64
    assert made["libraries"].keys() == {"torch", "transformers"}
    other = tiny_depth_model(tmp_path / "model", seed=1)
    with pytest.raises(CorpusMismatch, match=r"makers\.depth\.annotator\.weights"):
        build_corpus(depth_manifest(other, photos), output, cluster=IN_PROCESS)


# --- SAM


def generated(checkpoint: Path, pixels: Any) -> list[dict[str, Any]]:
    """`SamAutomaticMaskGenerator` called directly."""
    from segment_anything import SamAutomaticMaskGenerator

    from sgt_data.annotators.sam import load_sam

    model = load_sam(str(checkpoint), "test")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as annotators run: the last bits depend on it, and masks on those
    try:
        masks: list[dict[str, Any]] = SamAutomaticMaskGenerator(
            model, output_mode="coco_rle", **LENIENT
        ).generate(pixels)
    finally:
        torch.set_num_threads(threads)
    return masks


def test_sam_equals_the_generator_called_directly(sam_checkpoint: Path) -> None:
    annotator = SamAnnotator(checkpoint=str(sam_checkpoint), **LENIENT)
    document = orjson.loads(
        annotation_bytes(annotator, encoded(Image.fromarray(scene(96, 64)), "PNG"), AsStored())
    )
    expected = generated(sam_checkpoint, scene(96, 64))
    assert len(expected) > 5
    annotation = parse_annotation(orjson.dumps(document))
    assert len(annotation.segments) == len(expected)
    masks = document["annotations"]
    assert [mask.pop("id") for mask in masks] == list(range(1, len(expected) + 1))
    assert masks == orjson.loads(orjson.dumps(expected))
    assert document["image"] == {"width": 96, "height": 64}


@pytest.mark.parametrize("orientation", [6, 7])
def test_masks_of_a_turned_picture_belong_to_its_stored_pixels(
    orientation: int, sam_checkpoint: Path
) -> None:
    turned = Image.Exif()
    turned[0x0112] = orientation
    stored = scene(96, 64)
    picture = encoded(Image.fromarray(stored), "PNG", exif=turned)
    annotator = SamAnnotator(checkpoint=str(sam_checkpoint), **LENIENT)
    document = orjson.loads(annotation_bytes(annotator, picture, AsStored()))
    assert document["image"] == {"width": 96, "height": 64}
    expected = generated(sam_checkpoint, np.ascontiguousarray(upright(stored, orientation)))
    assert len(document["annotations"]) == len(expected)
    for record, reference in zip(document["annotations"], expected, strict=True):
        mask = coco_mask.decode(record["segmentation"])
        assert mask.shape == (64, 96)
        assert (upright(mask, orientation) == coco_mask.decode(reference["segmentation"])).all()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert record["bbox"] == [
            columns[0], rows[0], columns[-1] - columns[0], rows[-1] - rows[0],
        ]  # fmt: skip
        assert record["crop_box"] == [0, 0, 96, 64]
        (point,) = record["point_coords"]
        assert 0 <= point[0] <= 96 and 0 <= point[1] <= 64


def test_sam_draws_for_a_source_without_annotation(
    sam_checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    sam = {"type": "sam", "checkpoint": str(sam_checkpoint), **LENIENT}
    source = {"type": "folder", "name": "photos", "pictures": str(photos)}
    entity = {"type": "segmentation", "name": "entity", "variant": "entity", "annotator": "sam"}
    manifest = manifest_of(source, [entity], annotators=[sam], pictures=SMALL)
    assert build_corpus(manifest, str(tmp_path / "out"), cluster=IN_PROCESS).succeeded
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    samples = samples_in(tmp_path / "out")
    assert len(samples) == 7
    for members in samples.values():
        decoded = decode(members["target.png"], members["json"])
        assert len(decoded.segments) and decoded.segments[0]["predicted_iou"] is not None


def test_sams_size_is_read_off_the_checkpoint() -> None:
    """All three published sizes, by the shapes of their parameters."""
    from sgt_data.annotators.sam import _dimensions
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    provide_torchvision_operators()
    from segment_anything import sam_model_registry

    for name, dimensions in (("vit_b", (768, 12, 12)), ("vit_l", (1024, 24, 16))):
        with torch.device("meta"):
            state = sam_model_registry[name]().state_dict()
        arguments = _dimensions(state)
        assert tuple(arguments.values())[:3] == dimensions
        assert len(arguments["encoder_global_attn_indexes"]) == 4


# --- edges


def test_learned_edges_are_the_networks(photos: Path, tmp_path: Path) -> None:
    from kornia.models.dexined import DexiNed

    weights = tiny_dexined(tmp_path / "dexined.pth")
    pixels = scene(64, 48)
    picture = encoded(Image.fromarray(pixels), "PNG")
    edges = parse_dense(annotation_bytes(EdgesAnnotator(weights=str(weights)), picture, AsStored()))
    network = DexiNed(pretrained=False)
    network.load_from_file(str(weights))
    network.eval()
    bgr = torch.from_numpy(pixels[..., ::-1].astype(np.float32)).permute(2, 0, 1)[None]
    mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = torch.sigmoid(network(bgr - mean))[0, 0].numpy()
    assert np.abs(edges.codes / 65535 - expected).max() <= 0.5 / 255 + 1e-5


def test_kornias_sobel_and_canny_lie_near_opencvs(sample_sources: Path) -> None:
    """Sobel: within one grey level inside the border. Canny: at equal thresholds the Euclidean
    gradient keeps fewer pixels; nearly all that it keeps are within a pixel of OpenCV's."""
    file = next((sample_sources / "coco" / "train2017").glob("*.jpg")).read_bytes()
    grey = np.asarray(Image.open(io.BytesIO(file)).convert("L"))
    across, down = (cv2.Sobel(grey, cv2.CV_64F, *axis) for axis in ((1, 0), (0, 1)))
    sobel = np.minimum(255, np.hypot(across, down) * 0.5)
    edges = (
        parse_dense(annotation_bytes(EdgesAnnotator(method="sobel"), file, AsStored())).codes / 257
    )
    inner = np.s_[1:-1, 1:-1]
    assert np.abs(edges - sobel)[inner].max() <= 1.0
    canny = cv2.Canny(grey, 100, 200) > 0
    kept = parse_dense(annotation_bytes(EdgesAnnotator(method="canny"), file, AsStored())).codes > 0
    assert set(np.unique(kept)) == {False, True}
    assert kept.sum() <= 1.05 * canny.sum()
    near = cv2.dilate(canny.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (kept & near).sum() >= 0.95 * kept.sum()


# --- torchvision without operators


def test_models_import_where_torchvision_has_no_operators() -> None:
    code = (
        "from sgt_data.annotators.torchvision_operators import provide_torchvision_operators as p\n"
        "p(); p()\n"
        "import torch, torchvision, segment_anything, transformers\n"
        "from transformers import DepthAnythingForDepthEstimation\n"
        "boxes = torch.tensor([[0., 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]])\n"
        "print(torchvision.ops.nms(boxes, torch.tensor([.5, .9, .1]), 0.5).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[1, 2]"


def test_non_maximum_suppression_equals_brute_force() -> None:
    from sgt_data.annotators.torchvision_operators import non_maximum_suppression

    rng = np.random.default_rng(0)
    for threshold in (0.0, 0.3, 0.7, 1.0):
        for count in (0, 1, 2, 40):
            corners = rng.integers(0, 30, (count, 2))
            boxes = np.concatenate((corners, corners + rng.integers(1, 20, (count, 2))), 1)
            scores = rng.permutation(count) / max(1, count)
            kept: list[int] = []
            for index in np.argsort(-scores, kind="stable").tolist():
                if all(overlap(boxes[index], boxes[other]) <= threshold for other in kept):
                    kept.append(index)
            indices = non_maximum_suppression(
                torch.from_numpy(boxes).float(), torch.from_numpy(scores), threshold
            )
            assert indices.tolist() == kept


def overlap(first: Any, second: Any) -> float:
    """Intersection over union of two boxes (left, top, right, bottom), pixel by pixel."""
    grid = np.zeros((2, 60, 60), np.bool_)
    for layer, (left, top, right, bottom) in zip(grid, (first, second), strict=True):
        layer[top:bottom, left:right] = True
    return float(np.float32((grid[0] & grid[1]).sum()) / np.float32((grid[0] | grid[1]).sum()))


# --- tars in SA-1B's form


def annotate(
    photos: Path, output: Path, checkpoint: Path, *more: str, settings: Mapping[str, Any] = LENIENT
) -> int:
    """The command line, in this process; its exit code."""
    from sgt_data.cli.app import main

    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with pytest.raises(SystemExit) as done:
        main(
            ["annotate", str(photos), "--output", str(output), "--checkpoint", str(checkpoint),
             "--pictures-per-tar", "3", "--workers", "0", "--max-quarantined", "0.2", *words,
             *more]
        )  # fmt: skip
    return int(done.value.code or 0)


@pytest.fixture(scope="module")
def annotated(
    sam_checkpoint: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Photographs of several kinds, one damaged; and the tars made of them."""
    folder = tmp_path_factory.mktemp("mixed")
    for path in photos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "deep").mkdir()
    (folder / "deep" / "q.png").write_bytes(encoded(Image.fromarray(scene(64, 48)), "PNG"))
    (folder / "bad.jpg").write_bytes(b"no picture")
    output = tmp_path_factory.mktemp("annotated")
    assert annotate(folder, output, sam_checkpoint) == 0
    return folder, output


def test_annotated_tars_are_a_source_like_sa1b(
    annotated: tuple[Path, Path], tmp_path: Path
) -> None:
    output = annotated[1]
    source = {"type": "sa1b", "tars": f"{output}/sa_*.tar"}
    entity = {"type": "segmentation", "name": "entity", "variant": "entity"}
    manifest = manifest_of(source, [entity], pictures=SMALL)
    assert build_corpus(manifest, str(tmp_path / "out"), cluster=IN_PROCESS).succeeded
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    keys = {key.removeprefix("sa1b_") for key in samples_in(tmp_path / "out")}
    assert keys == {*(f"p{number}" for number in (0, 1, 2, 3, 4, 5, 9)), "deep-q"}


def test_annotated_tars_hold_every_picture_and_name_the_lost(
    annotated: tuple[Path, Path],
) -> None:
    from making import tar_members

    folder, output = annotated
    tars = sorted(output.glob("*.tar"))
    assert [tar.name for tar in tars] == ["sa_000000.tar", "sa_000001.tar", "sa_000002.tar"]
    members = {name: data for tar in tars for name, data in tar_members(tar.read_bytes()).items()}
    assert members["p1.jpg"] == (folder / "p1.jpg").read_bytes(), "JPEGs are passed on as they are"
    document = orjson.loads(members["deep-q.json"])
    assert document["image"]["file_name"] == "deep-q.jpg"
    assert Image.open(io.BytesIO(members["deep-q.jpg"])).format == "JPEG"
    ids = {
        orjson.loads(data)["image"]["image_id"]
        for name, data in members.items()
        if name.endswith(".json")
    }
    assert len(ids) == 8
    ledger = b"".join(path.read_bytes() for path in (output / "quarantine").glob("*.jsonl"))
    (row,) = map(orjson.loads, ledger.splitlines())
    assert row["member"] == "bad.jpg" and "not a picture" in row["reason"]


def test_annotating_again_does_nothing_and_after_a_loss_what_is_lost(
    annotated: tuple[Path, Path], sam_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = annotated
    before = file_digests(output)
    assert annotate(folder, output, sam_checkpoint, "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["built_shards"] == 0
    (output / "receipts" / "sa_000001.json").unlink()
    assert annotate(folder, output, sam_checkpoint, "--json") == 0
    report = orjson.loads(capsys.readouterr().out)
    assert (report["built_shards"], report["found_shards"]) == (1, 2)
    assert report["totals"]["inputs"] == 9 and report["totals"]["damaged"] == 1
    assert file_digests(output) == before


def test_annotating_fails_when_too_much_is_damaged_and_says_why(
    annotated: tuple[Path, Path], sam_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = annotated
    assert annotate(folder, output, sam_checkpoint, "--max-quarantined", "0.1") == 1
    told = capsys.readouterr().err
    assert "11.1% of the pictures are damaged, --max-quarantined allows 10.0%" in told
    assert "such as bad.jpg" in told


def test_annotating_otherwise_into_the_same_folder_is_refused(
    annotated: tuple[Path, Path], sam_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = annotated
    code = annotate(folder, output, sam_checkpoint, settings=LENIENT | {"points_per_side": 2})
    assert code == 2
    assert "annotator.points_per_side: in the corpus 3, now 2" in capsys.readouterr().err
    assert annotate(folder, output, sam_checkpoint, "--set", "points=2") == 2
    assert "no such field" in capsys.readouterr().err


@pytest.mark.slow
def test_annotating_on_ray_makes_the_same_bytes(
    annotated: tuple[Path, Path], sam_checkpoint: Path, tmp_path: Path
) -> None:
    folder, output = annotated
    assert annotate(folder, tmp_path / "out", sam_checkpoint, "--workers", "2") == 0
    assert file_digests(tmp_path / "out") == file_digests(output)


def test_adding_depth_reads_each_picture_once_and_changes_no_file(
    depth_model: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished corpus gets a proxy with an annotator: every source picture is read once."""
    from sgt_data.files import promised_reads

    full = depth_manifest(depth_model, photos)
    first = full.model_copy(update={"proxies": full.proxies[1:], "annotators": ()})
    build_corpus(first, str(tmp_path / "out"), cluster=IN_PROCESS)
    before = {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in (tmp_path / "out").rglob("*.*")
        if path.is_file() and path.name not in ("corpus.json", "README.md")
    }
    reads: list[str] = []
    read_bytes = promised_reads.read_bytes

    def counted(url: str) -> bytes:
        reads.append(url)
        return read_bytes(url)

    monkeypatch.setattr(promised_reads, "read_bytes", counted)
    assert build_corpus(full, str(tmp_path / "out"), cluster=IN_PROCESS).built_shards == 2
    assert sorted(reads) == sorted(str(path) for path in photos.glob("*.jpg"))
    assert {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in before
    } == before
