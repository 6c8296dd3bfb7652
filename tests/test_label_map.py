"""Every pixel of a target is the label under its centre: against masks decoded at full size."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    SMALL,
    UPRIGHT,
    boxes,
    by_key,
    jpeg,
    manifest_of,
    not_shown,
    proxy_of,
    rendered,
    sa1b_document,
    sa1b_members,
    shown,
    tar_members,
    tar_of,
)
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from sgt_data.manifest.manifest import Manifest
from sgt_data.proxies.segmentation import SegmentationProxy
from sgt_data.segmentation.pixel_sampling import centre_samples

IdMap = NDArray[np.int64]


@dataclass
class FullSizeMasks:
    """What an annotation says of a picture: masks at full size, by tools that are not ours."""

    height: int
    width: int
    masks: list[tuple[int, int, NDArray[np.bool_]]]  # id, category, mask

    def label_map(self, semantic: bool) -> IdMap:
        """Ids (categories if semantic) at full size; largest first, so that the smallest is on top;
        of equals the larger id."""
        out = np.zeros((self.height, self.width), np.int64)
        order = sorted(self.masks, key=lambda mask: (-int(mask[2].sum()), mask[0]))
        for identity, category, mask in order:
            out[mask] = category if semantic else identity
        return out


def sampled(full: IdMap, height: int, width: int, orientation: int = 1) -> IdMap:
    """The value at the source pixel under each output pixel's centre, turned upright before."""
    seen = UPRIGHT[orientation](full)
    rows = [int((2 * y + 1) * seen.shape[0] // (2 * height)) for y in range(height)]
    columns = [int((2 * x + 1) * seen.shape[1] // (2 * width)) for x in range(width)]
    return seen[np.ix_(rows, columns)]


def samples_of(manifest: Manifest) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """JSON and members of every rendered sample."""
    for shard in rendered(manifest):
        if shard.tar is not None:
            for key, files in by_key(tar_members(shard.tar)).items():
                facts = json.loads(files["json"])
                assert facts["key"] == key
                yield facts, files


def from_pixels(facts: Mapping[str, Any], png: bytes, name: str) -> IdMap:
    """Target PNG -> ids (or categories), by colour, written out."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int64)
    packed = pixels[..., 0] * 65536 + pixels[..., 1] * 256 + pixels[..., 2]
    out = np.full(packed.shape, -1, np.int64)
    out[packed == 0] = 0
    for segment in shown(facts):
        red, green, blue = segment["color"]
        out[packed == red * 65536 + green * 256 + blue] = segment[name]
    assert (out >= 0).all(), "a colour that no segment has"
    return out


def check(facts: Mapping[str, Any], files: Mapping[str, bytes], annotation: FullSizeMasks) -> None:
    """One sample against its annotation."""
    semantic = facts["variant"] == "semantic"
    name = "category_id" if semantic else "id"
    size = facts["size"]["height"], facts["size"]["width"]
    expected = sampled(annotation.label_map(semantic), *size, facts["source"]["orientation"])
    actual = from_pixels(facts, files["target.png"], name)
    np.testing.assert_array_equal(actual, expected, err_msg=facts["key"])
    assert Image.open(io.BytesIO(files["input.jpg"])).size == size[::-1]

    visible = {int(label) for label in np.unique(expected)} - {0}
    assert {segment[name] for segment in shown(facts)} == visible
    everything = {row[1] if semantic else row[0] for row in annotation.masks}
    assert {segment[name] for segment in not_shown(facts)} == everything - visible
    for segment in shown(facts):
        ys, xs = np.nonzero(expected == segment[name])
        assert segment["visible_area"] == len(ys)
        left, top = int(xs.min()), int(ys.min())
        box = [left, top, int(xs.max()) - left + 1, int(ys.max()) - top + 1]
        assert segment["visible_box"] == box
        rows = [
            row for row in annotation.masks if (row[1] if semantic else row[0]) == segment[name]
        ]
        assert segment["area"] == sum(int(mask.sum()) for _, _, mask in rows)

    decoded = SegmentationProxy.decode(files["target.png"], facts)
    names = np.array([0, *(segment[name] for segment in decoded.segments)])
    np.testing.assert_array_equal(names[decoded.labels], expected)


def sa1b_masks(tar: Path) -> dict[str, FullSizeMasks]:
    """By member name of the picture."""
    annotations = {}
    with tarfile.open(tar) as archive:
        for member in archive:
            if member.name.endswith(".json"):
                document = json.load(archive.extractfile(member))  # type: ignore[arg-type]
                image = document["image"]
                masks = [
                    (row["id"], 0, coco_mask.decode(row["segmentation"]).astype(bool))
                    for row in document["annotations"]
                ]
                annotations[image["file_name"]] = FullSizeMasks(
                    image["height"], image["width"], masks
                )
    return annotations


def instance_masks(place: Path) -> dict[str, FullSizeMasks]:
    """Instances or stuff JSON, by file name."""
    document = json.loads(place.read_text())
    annotations_by_image = {
        image["id"]: (image["file_name"], FullSizeMasks(image["height"], image["width"], []))
        for image in document["images"]
    }
    for row in document["annotations"]:
        annotation = annotations_by_image[row["image_id"]][1]
        coded = row["segmentation"]
        if isinstance(coded, list):
            coded = coco_mask.merge(
                coco_mask.frPyObjects(coded, annotation.height, annotation.width)
            )
        elif isinstance(coded["counts"], list):
            coded = coco_mask.frPyObjects(coded, annotation.height, annotation.width)
        mask = coco_mask.decode(coded).astype(bool)
        annotation.masks.append((row["id"], row["category_id"], mask))
    return dict(annotations_by_image.values())


def panoptic_masks(annotations: Path, things_alone: bool = False) -> dict[str, FullSizeMasks]:
    document = json.loads((annotations / "panoptic_train2017.json").read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    things = {row["id"] for row in document["categories"] if row["isthing"]}
    annotations_by_name = {}
    for row in document["annotations"]:
        image = Image.open(annotations / "panoptic_train2017" / row["file_name"])
        rgb = np.asarray(image.convert("RGB")).astype(np.int64)
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
        masks = [
            (segment["id"], segment["category_id"], ids == segment["id"])
            for segment in row["segments_info"]
            if not things_alone or segment["category_id"] in things
        ]
        annotations_by_name[names[row["image_id"]]] = FullSizeMasks(*ids.shape, masks)
    return annotations_by_name


def pixelmap_masks(annotations: Path) -> dict[str, FullSizeMasks]:
    annotations_by_name = {}
    for place in (annotations / "stuff_train2017_pixelmaps").glob("*.png"):
        ids = np.asarray(Image.open(place)).astype(np.int64)
        masks = [(int(number), int(number), ids == number) for number in np.unique(ids) if number]
        annotations_by_name[f"{place.stem}.jpg"] = FullSizeMasks(*ids.shape, masks)
    return annotations_by_name


def check_all(manifest: Manifest, annotations: Mapping[str, FullSizeMasks], at_least: int) -> None:
    count = 0
    for facts, files in samples_of(manifest):
        check(facts, files, annotations[Path(facts["source"]["member"]).name])
        count += 1
    assert count >= at_least


def coco(root: Path, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"type": "coco", "root": str(root), "annotations": list(kinds)} | more


def default_size(*proxies: dict[str, Any], source: dict[str, Any]) -> Manifest:
    return manifest_of(source, list(proxies), pictures={})


def test_real_sa1b_targets_equal_masks_decoded_at_full_size(real_data: Path) -> None:
    tar = real_data / "sa1b" / "sa_000000.tar"
    for palette in ("distinct", "tab20"):
        manifest = default_size(
            proxy_of("entity", palette=palette), source={"type": "sa1b", "tars": str(tar)}
        )
        check_all(manifest, sa1b_masks(tar), 4)


def test_real_coco_instances_equal_masks_decoded_at_full_size(real_data: Path) -> None:
    root = real_data / "coco"
    proxies = [proxy_of(variant) for variant in ("instance", "entity", "semantic")]
    manifest = default_size(*proxies, source=coco(root, "instances"))
    check_all(manifest, instance_masks(root / "annotations" / "instances_train2017.json"), 3 * 120)


def test_real_coco_panoptic_equals_its_id_maps(real_data: Path) -> None:
    root = real_data / "coco"
    everything = panoptic_masks(root / "annotations")
    things = panoptic_masks(root / "annotations", things_alone=True)
    for facts, files in samples_of(
        default_size(
            *(proxy_of(variant) for variant in ("panoptic", "semantic", "instance")),
            source=coco(root, "panoptic"),
        )
    ):
        annotations = things if facts["variant"] == "instance" else everything
        check(facts, files, annotations[facts["source"]["member"]])


def test_real_coco_stuff_equals_masks_decoded_at_full_size(real_data: Path) -> None:
    root = real_data / "coco-stuff"
    source = coco(
        root, "stuff", stuff=str(root / "stuff_examples.json"), pictures=str(root), split="any"
    )
    check_all(
        default_size(proxy_of("semantic"), source=source),
        instance_masks(root / "stuff_examples.json"),
        1,
    )


def test_drawn_sa1b_targets_equal_masks_decoded_at_full_size(sample_sources: Path) -> None:
    for tar in sorted((sample_sources / "sa1b").glob("*.tar")):
        for palette in ("distinct", "position", "tab20"):
            manifest = manifest_of(
                {"type": "sa1b", "tars": str(tar)},
                [proxy_of("entity", palette=palette)],
                pictures={"min_side": 128, "max_side": 256, "multiple_of": 16},
            )
            check_all(manifest, sa1b_masks(tar), 6)


@pytest.mark.parametrize("palette", ["distinct", "category", "position", "tab20"])
def test_drawn_coco_equals_its_annotations_in_every_variant(
    sample_sources: Path, palette: str
) -> None:
    root = sample_sources / "coco"
    annotations = root / "annotations"
    instances = instance_masks(annotations / "instances_train2017.json")
    panoptic = panoptic_masks(annotations)
    rule = {"min_side": 128, "max_side": 256, "multiple_of": 16}
    manifest = manifest_of(
        coco(root, "instances"), [proxy_of("instance", palette=palette)], pictures=rule
    )
    check_all(manifest, instances, 8)
    both = manifest_of(
        coco(root, "panoptic"),
        [proxy_of("panoptic", palette=palette), proxy_of("semantic")],
        pictures=rule,
    )
    check_all(both, panoptic, 24)


@pytest.mark.parametrize("kind", ["stuff", "stuff_pixelmaps"])
def test_drawn_stuff_equals_its_annotations(sample_sources: Path, kind: str) -> None:
    root = sample_sources / "coco"
    annotations = (
        instance_masks(root / "annotations" / "stuff_train2017.json")
        if kind == "stuff"
        else pixelmap_masks(root / "annotations")
    )
    manifest = manifest_of(coco(root, kind), [proxy_of("semantic")])
    check_all(manifest, annotations, 12)


def test_any_size_rule_gives_the_label_under_each_centre(sample_sources: Path) -> None:
    rng = np.random.default_rng(5)
    tar = sample_sources / "sa1b" / "sa_000000.tar"
    annotations = sa1b_masks(tar)
    sizes = [(1, 5, 1), (1, 1, 1), (7, 1021, 1), (700, 1000, 3), (240, 320, 1), (481, 641, 1)]
    for _ in range(8):
        least, most = sorted(rng.integers(1, 500, 2).tolist())
        sizes.append((least, most, int(rng.integers(1, most + 1))))
    for least, most, multiple in sizes:
        rule = {"min_side": least, "max_side": most, "multiple_of": multiple}
        manifest = manifest_of(
            {"type": "sa1b", "tars": str(tar)},
            [proxy_of("entity", filters={"min_segments": 0})],
            pictures=rule,
            shard_samples=100,
        )
        check_all(manifest, annotations, 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_turn_with_their_picture(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    width, height = 67, 41
    masks = boxes(width, height, 9, seed=orientation)
    document = sa1b_document(1, masks, width, height)
    members = [
        ("sa_1.jpg", jpeg(width, height, exif=exif)),
        ("sa_1.json", json.dumps(document).encode()),
    ]
    tar = tmp_path / "sa_0.tar"
    tar.write_bytes(tar_of(members))
    for rule in (SMALL, {"min_side": 100, "max_side": 203, "multiple_of": 1}):
        manifest = manifest_of({"type": "sa1b", "tars": str(tar)}, pictures=rule)
        check_all(manifest, sa1b_masks(tar), 1)
        facts, _ = next(samples_of(manifest))
        assert facts["source"]["orientation"] == orientation
        assert (facts["size"]["width"] < facts["size"]["height"]) == (orientation >= 5)


def test_equal_areas_are_painted_in_rising_id_wherever_they_stand(tmp_path: Path) -> None:
    width, height = 64, 48
    document = sa1b_document(1, [], width, height)
    rng = np.random.default_rng(2)
    for identity in rng.permutation(40).tolist():
        mask = np.zeros((height, width), np.bool_)
        left, top = rng.integers(0, width - 20), rng.integers(0, height - 20)
        mask[top : top + 20, left : left + 20] = True
        entry = sa1b_document(1, [mask], width, height)["annotations"][0]
        document["annotations"].append(entry | {"id": identity + 1})
    tar = tmp_path / "sa_0.tar"
    tar.write_bytes(
        tar_of([("sa_1.jpg", jpeg(width, height)), ("sa_1.json", json.dumps(document).encode())])
    )
    check_all(manifest_of({"type": "sa1b", "tars": str(tar)}), sa1b_masks(tar), 1)


def test_the_rule_of_centres_holds_in_exact_arithmetic() -> None:
    for source in (1, 2, 3, 7, 480, 1500, 2250, 16383):
        for output in (1, 2, 3, 5, 16, 512, 688, 1024):
            expected = [(2 * y + 1) * source // (2 * output) for y in range(output)]
            assert centre_samples(source, output).tolist() == expected


def test_targets_stay_exact_beyond_palette_size(tmp_path: Path) -> None:
    """More than 255 segments do not fit a palette."""
    width, height = 128, 96
    masks = []
    for index in range(384):
        mask = np.zeros((height, width), np.bool_)
        row, column = divmod(index, 24)
        mask[6 * row : 6 * row + 6, 5 * column : 5 * column + 5] = True
        masks.append(mask)
    document = sa1b_document(1, masks, width, height)
    tar = tmp_path / "sa_0.tar"
    tar.write_bytes(
        tar_of([("sa_1.jpg", jpeg(width, height)), ("sa_1.json", json.dumps(document).encode())])
    )
    rule = {"min_side": 64, "max_side": 128, "multiple_of": 1}
    for palette in ("distinct", "position", "tab20"):
        manifest = manifest_of(
            {"type": "sa1b", "tars": str(tar)}, [proxy_of("entity", palette=palette)], pictures=rule
        )
        check_all(manifest, sa1b_masks(tar), 1)
        facts, files = next(samples_of(manifest))
        assert len(shown(facts)) == 384
        assert Image.open(io.BytesIO(files["target.png"])).mode == "RGB"


def test_up_to_255_segments_are_a_palette_picture(tmp_path: Path) -> None:
    tar = tmp_path / "sa_0.tar"
    tar.write_bytes(tar_of(sa1b_members(1)))
    _, files = next(samples_of(manifest_of({"type": "sa1b", "tars": str(tar)})))
    assert Image.open(io.BytesIO(files["target.png"])).mode == "P"
