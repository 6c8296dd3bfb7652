"""Annotations and depth files of pictures that EXIF turns, made on the stored or on the upright
pixels; compared with Pillow's `exif_transpose` and masks drawn by Pillow."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    built,
    coco_annotation,
    coco_document,
    coco_image,
    encoded,
    ledger_in,
    panoptic_png,
    proxy_of,
    run_lengths,
    samples_in,
    scene,
    tar_of,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from sgt_data import decode, verify_corpus

ORIENTATION = 0x0112
POLYGONS = [[6, 4, 30, 8, 24, 36], [34, 22, 46, 22, 46, 40, 34, 40]]
TURNED = range(2, 9)

Labels = NDArray[np.uint8]


def stored_jpeg(width: int, height: int, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(Image.fromarray(scene(width, height, orientation)), quality=90, exif=exif)


def pillow_upright(labels: Labels, orientation: int) -> Labels:
    """A stored map as Pillow turns it upright."""
    image = Image.fromarray(labels)
    image.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def drawn(width: int, height: int) -> Labels:
    """Two labels: POLYGONS as Pillow fills them."""
    image = Image.new("L", (width, height))
    for label, polygon in enumerate(POLYGONS, 1):
        ImageDraw.Draw(image).polygon(polygon, fill=label)
    return np.asarray(image)


def under_centres(upright: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    rows = np.floor((np.arange(height) + 0.5) * upright.shape[0] / height).astype(int)
    columns = np.floor((np.arange(width) + 0.5) * upright.shape[1] / width).astype(int)
    return np.asarray(upright[rows][:, columns])


def coco_of(root: Path, sides: tuple[int, int], maps: dict[int, Labels], form: str) -> Path:
    """Pictures stored with `sides`, by orientation; their annotations are `maps`."""
    images, annotations, panoptic, pngs, pictures = [], [], [], {}, {}
    for number, labels in maps.items():
        name = f"{number:012d}.jpg"
        pictures[name] = stored_jpeg(*sides, number)
        height, width = labels.shape
        images.append(coco_image(number, width, height))
        for label in (1, 2):
            mask = run_lengths(labels == label)
            annotations.append(coco_annotation(10 * number + label, number, mask))
        pngs[f"{number:012d}.png"] = panoptic_png(labels.astype(np.int64))
        segments = [{"id": label, "category_id": label, "iscrowd": 0} for label in (1, 2)]
        panoptic.append(
            {"image_id": number, "file_name": f"{number:012d}.png", "segments_info": segments}
        )
    documents = {
        "instances": coco_document(images, annotations),
        "panoptic": coco_document(images, panoptic),
    }
    return write_coco(root, pictures, {form: documents[form]}, pngs)


def label_maps(output: Path, proxy: str) -> dict[int, Labels]:
    """Label maps of a corpus by number of the picture, with the ids of segments modulo 10."""
    maps = {}
    for key, members in samples_in(output, proxy).items():
        decoded = decode(members["target.png"], members["json"])
        ids = np.array([0, *(segment["id"] % 10 for segment in decoded.segments)], np.uint8)
        maps[int(key.rpartition("_")[2])] = ids[decoded.labels]
    return maps


@pytest.mark.parametrize("form", ["instances", "panoptic"])
@pytest.mark.parametrize(("sides", "frame"), [
    ((48, 64), "upright"), ((48, 64), "auto"), ((48, 48), "upright"), ((64, 48), "stored"),
])  # fmt: skip
def test_what_was_made_on_the_upright_picture_is_drawn_on_the_upright_picture(
    tmp_path: Path, form: str, sides: tuple[int, int], frame: str
) -> None:
    """Sizes decide for quarter turns; for half turns, mirrors and squares, the manifest does."""
    numbers = range(5, 9) if frame == "auto" else TURNED
    uprights, annotated = {}, {}
    for number in numbers:
        if frame == "stored":
            annotated[number] = drawn(*sides)
            uprights[number] = pillow_upright(annotated[number], number)
        else:
            size = sides[::-1] if number >= 5 else sides
            uprights[number] = annotated[number] = drawn(*size)
    root = coco_of(tmp_path / "coco", sides, annotated, form)
    source = {"type": "coco", "root": str(root), "annotations": [form], "orientation": frame}
    proxies = [proxy_of("instance"), {"type": "boxes"}]
    assert built(tmp_path / "out", source, proxies).succeeded
    assert ledger_in(tmp_path / "out", "instance") == []
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    maps = label_maps(tmp_path / "out", "instance")
    assert sorted(maps) == list(numbers)
    for number, labels in maps.items():
        assert (labels == under_centres(uprights[number], *labels.shape)).all()


@pytest.mark.parametrize("form", ["instances", "panoptic"])
def test_both_frames_of_one_annotation_give_the_same_samples(tmp_path: Path, form: str) -> None:
    """Everything that a sample holds, boxes and areas in source pixels included."""
    sides = 64, 48
    stored = {number: drawn(*sides) for number in TURNED}
    upright = {number: pillow_upright(labels, number) for number, labels in stored.items()}
    samples = {}
    for frame, maps in (("stored", stored), ("upright", upright)):
        root = coco_of(tmp_path / frame, sides, maps, form)
        source = {"type": "coco", "root": str(root), "annotations": [form], "orientation": frame}
        built(tmp_path / f"out-{frame}", source, [proxy_of("instance"), {"type": "boxes"}])
        samples[frame] = [
            samples_in(tmp_path / f"out-{frame}", name) for name in ("instance", "boxes")
        ]
    assert len(samples["stored"][0]) == 7
    assert samples["stored"] == samples["upright"]


def test_polygons_of_the_upright_picture_are_filled_there(tmp_path: Path) -> None:
    """Rectangles, which every rasteriser fills alike."""
    sides, number = (48, 64), 6
    root = coco_of(tmp_path / "coco", sides, {number: drawn(64, 48)}, "instances")
    place = root / "annotations" / "instances_train2017.json"
    document = json.loads(place.read_text())
    for annotation, (left, top) in zip(document["annotations"], ((4, 3), (30, 20)), strict=True):
        right, bottom = left + 20, top + 12
        annotation["segmentation"] = [[left, top, right, top, right, bottom, left, bottom]]
    place.write_text(json.dumps(document))
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    built(tmp_path / "out", source, [proxy_of("instance")])
    expected = np.zeros((48, 64), np.uint8)
    expected[3:15, 4:24], expected[20:32, 30:50] = 1, 2
    labels = label_maps(tmp_path / "out", "instance")[number]
    assert (labels == under_centres(expected, *labels.shape)).all()


def test_auto_says_where_it_could_not_know(tmp_path: Path) -> None:
    """It takes the stored pixels, as every version did, and the ledger has a note of it."""
    sides = 64, 48
    maps = {number: drawn(*sides) for number in range(1, 9)}
    root = coco_of(tmp_path / "coco", sides, maps, "instances")
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    report = built(tmp_path / "out", source, [proxy_of("instance"), {"type": "reconstruction"}])
    rows = ledger_in(tmp_path / "out", "instance")
    assert {row["kind"] for row in rows} == {"note"}
    assert [row["key"] for row in rows] == [f"coco_{number:012d}" for number in (2, 3, 4)]
    assert "EXIF orientation 3" in rows[1]["reason"]
    assert "sources.coco.orientation: stored or upright" in rows[1]["reason"]
    assert ledger_in(tmp_path / "out", "reconstruction") == []
    assert report.totals["instance"]["samples"] == report.totals["instance"]["inputs"] == 8
    built(tmp_path / "said", source | {"orientation": "stored"}, [proxy_of("instance")])
    assert ledger_in(tmp_path / "said", "instance") == []
    assert samples_in(tmp_path / "said", "instance") == samples_in(tmp_path / "out", "instance")


@pytest.mark.parametrize(("frame", "size"), [
    ("stored", (48, 64)), ("upright", (64, 48)), ("auto", (9, 9)),
])  # fmt: skip
def test_a_size_that_does_not_fit_is_refused_with_both_sizes(
    tmp_path: Path, frame: str, size: tuple[int, int]
) -> None:
    root = coco_of(tmp_path / "coco", (64, 48), {6: drawn(*size)}, "instances")
    source = {"type": "coco", "root": str(root), "annotations": ["instances"], "orientation": frame}
    built(tmp_path / "out", source, [proxy_of("instance")])
    (row,) = ledger_in(tmp_path / "out", "instance")
    assert row["kind"] == "damaged"
    assert row["reason"] == (
        f"the annotation is for {size[0]}x{size[1]} pixels; the picture has 64x48 as stored and "
        f"48x64 upright (EXIF orientation 6), and sources.coco.orientation is {frame}"
    )


def test_sa1b_annotations_may_be_made_on_the_upright_picture(tmp_path: Path) -> None:
    members = []
    for number in range(5, 9):
        labels = drawn(64, 48)
        document = {
            "image": {"image_id": number, "width": 64, "height": 48},
            "annotations": [
                {"id": label, "segmentation": run_lengths(labels == label)} for label in (1, 2)
            ],
        }
        members.append((f"sa_{number}.jpg", stored_jpeg(48, 64, number)))
        members.append((f"sa_{number}.json", json.dumps(document).encode()))
    (tmp_path / "sa_0.tar").write_bytes(tar_of(members))
    built(tmp_path / "out", {"type": "sa1b", "tars": f"{tmp_path}/sa_0.tar"})
    maps = label_maps(tmp_path / "out", "entity")
    assert sorted(maps) == [5, 6, 7, 8]
    for labels in maps.values():
        assert (labels == under_centres(drawn(64, 48), *labels.shape)).all()


@pytest.mark.parametrize(("sides", "fields"), [
    ((48, 64), {}), ((48, 48), {"orientation": "upright"}),
    ((48, 64), {"orientation": "stored", "depth_orientation": "upright"}),
])  # fmt: skip
def test_depth_files_may_be_made_on_the_upright_picture(
    tmp_path: Path, sides: tuple[int, int], fields: dict[str, Any]
) -> None:
    numbers = TURNED if fields else range(5, 9)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "depth").mkdir()
    depths = {}
    for number in numbers:
        width, height = sides[::-1] if number >= 5 else sides
        ramp = np.add.outer(1000 * np.arange(height), 7 * np.arange(width))
        depths[number] = ramp.astype(np.uint16)
        (tmp_path / "pictures" / f"{number}.jpg").write_bytes(stored_jpeg(*sides, number))
        png = encoded(Image.fromarray(depths[number]), "PNG")
        (tmp_path / "depth" / f"{number}.png").write_bytes(png)
    source = {"type": "folder", "pictures": f"{tmp_path}/pictures", "depth": f"{tmp_path}/depth"}
    proxy = {"type": "depth", "bits": 16, "percentiles": [0, 100]}
    assert built(tmp_path / "out", source | fields, [proxy]).succeeded
    samples = samples_in(tmp_path / "out", "depth")
    assert len(samples) == len(depths)
    for number, depth in depths.items():
        members = samples[f"folder_{number}"]
        decoded = decode(members["target.png"], members["json"]).inverse_depth
        expected = under_centres(depth, *decoded.shape) / 65535
        assert np.abs(decoded - expected).max() < 2e-5


def test_depth_of_a_half_turn_says_what_was_assumed(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "depth").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(stored_jpeg(64, 48, 3))
    ramp = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
    (tmp_path / "depth" / "a.png").write_bytes(encoded(Image.fromarray(ramp), "PNG"))
    source = {"type": "folder", "pictures": f"{tmp_path}/pictures", "depth": f"{tmp_path}/depth"}
    built(tmp_path / "out", source, [{"type": "depth"}])
    (row,) = ledger_in(tmp_path / "out", "depth")
    assert row["kind"] == "note" and "depth map" in row["reason"]


@pytest.mark.parametrize("number", range(9))
def test_real_pictures_of_every_orientation(real_data: Path, tmp_path: Path, number: int) -> None:
    """All nine show one landscape upright; an annotation of the upright picture fits all."""
    data = (real_data / "odd" / f"Landscape_{number}.jpg").read_bytes()
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert upright.size == (1800, 1200)
    labels = np.asarray(
        Image.fromarray(drawn(60, 40)).resize((1800, 1200), Image.Resampling.NEAREST)
    )
    root = tmp_path / "coco"
    image = coco_image(1, 1800, 1200)
    annotations = [coco_annotation(label, 1, run_lengths(labels == label)) for label in (1, 2)]
    write_coco(root, {image["file_name"]: data}, {"instances": coco_document([image], annotations)})
    source = {
        "type": "coco",
        "root": str(root),
        "annotations": ["instances"],
        "orientation": "upright",
    }
    built(tmp_path / "out", source, [proxy_of("instance")])
    (found,) = label_maps(tmp_path / "out", "instance").values()
    assert (found == under_centres(labels, *found.shape)).all()
    (members,) = samples_in(tmp_path / "out", "instance").values()
    picture = Image.open(io.BytesIO(members["input.jpg"])).convert("RGB")
    expected = upright.convert("RGB").resize(picture.size, Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 4


def test_a_picture_whose_size_is_not_stated_needs_the_manifests_word(tmp_path: Path) -> None:
    root = coco_of(tmp_path / "coco", (48, 64), {1: drawn(48, 64), 6: drawn(64, 48)}, "instances")
    place = root / "annotations" / "instances_train2017.json"
    document = json.loads(place.read_text())
    for image in document["images"]:
        image["width"] = image["height"] = None
    place.write_text(json.dumps(document))
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    built(tmp_path / "auto", source, [proxy_of("instance")])
    (row,) = ledger_in(tmp_path / "auto", "instance")
    assert (
        row["key"].endswith("6") and "the source's orientation, stored or upright" in row["reason"]
    )
    built(tmp_path / "said", source | {"orientation": "upright"}, [proxy_of("instance")])
    maps = label_maps(tmp_path / "said", "instance")
    assert (maps[6] == under_centres(drawn(64, 48), *maps[6].shape)).all()
    assert (maps[1] == under_centres(drawn(48, 64), *maps[1].shape)).all()
