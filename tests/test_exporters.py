"""docs/your-own-files.md: each entry of that page reads what its exporter writes, and every target
is what pycocotools (or Pillow, for maps) decodes from the same files."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from exporter_files import BOXES_ALONE, EXPORTERS, HEIGHT, PICTURES, WIDTH
from making import SMALL, built, check_accounts, ledger_in, manifest_of, proxy_of, samples_in
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from sgt_data import build_corpus, decode, verify_corpus
from sgt_data.cli.app import main
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.manifest.manifest import load_manifest, parse_manifest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "your-own-files.md").read_text()
HEADINGS = {"scripts": "COCO from your own scripts"}
PLACE = "/data/export"
PROXIES: dict[str, list[dict[str, Any]]] = {
    "instances": [
        proxy_of("instance"), proxy_of("semantic"), proxy_of("entity"), {"type": "boxes"},
        {"type": "referring"}, {"type": "edge"},
    ],
    "panoptic": [
        proxy_of("panoptic"), proxy_of("semantic"), proxy_of("instance"), {"type": "boxes"},
        {"type": "referring"},
    ],
    "stuff_pixelmaps": [proxy_of("semantic"), {"type": "edge"}],
}  # fmt: skip
"""The proxies that the page says each kind of annotation can feed."""

IdMap = NDArray[np.int64]


def entry_of(exporter: str, root: Path) -> dict[str, Any]:
    """The source that the page documents for an exporter, with another place for its files."""
    heading = re.escape(HEADINGS.get(exporter, exporter))
    section = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert section, f"the page has no section {heading}"
    (block,) = re.findall(r"```yaml\n(.*?)```", section.group(1), re.DOTALL)
    (source,) = yaml.safe_load(block.replace(PLACE, str(root)))["sources"]
    entry: dict[str, Any] = source
    return entry


def written(exporter: str, root: Path) -> dict[str, Any]:
    """An exporter's files below `root`, and the page's entry for them."""
    EXPORTERS[exporter](root)
    return entry_of(exporter, root)


def document_of(source: dict[str, Any]) -> Any:
    kind = source["annotations"][0]
    place = Path(source.get(kind) or f"{source['root']}/annotations/stuff_{source['split']}.json")
    data = place.read_bytes()
    return json.loads(gzip.decompress(data) if place.suffix == ".gz" else data)


def decoded_mask(segmentation: Any) -> NDArray[np.bool_]:
    """pycocotools' own reading of a mask of the small pictures."""
    if isinstance(segmentation, list) or isinstance(segmentation["counts"], list):
        segmentation = coco_mask.frPyObjects(segmentation, HEIGHT, WIDTH)
    if isinstance(segmentation, list):
        segmentation = coco_mask.merge(segmentation)
    return np.asarray(coco_mask.decode(segmentation), np.bool_)


def painted(annotations: Iterable[Any]) -> tuple[IdMap, dict[int, int]]:
    """Ids of masks painted largest first, ties by id; and the category of each id."""
    masks = {
        int(annotation["id"]): decoded_mask(annotation["segmentation"])
        for annotation in annotations
        if annotation["segmentation"]
    }
    id_map = np.full((HEIGHT, WIDTH), -1, np.int64)
    for identity in sorted(masks, key=lambda number: (-masks[number].sum(), number)):
        id_map[masks[identity]] = identity
    return id_map, {
        int(annotation["id"]): int(annotation["category_id"]) for annotation in annotations
    }


def file_named(source: dict[str, Any], image: Any) -> Path:
    """Where the picture of an entry of `images` lies."""
    folder = Path(source.get("pictures") or f"{source['root']}/{source['split']}")
    name = image.get("file_name") or "/".join(image["coco_url"].split("/")[-2:])
    return folder / name.replace("\\", "/")


def expected_maps(source: dict[str, Any]) -> list[tuple[bytes, IdMap, dict[int, int]]]:
    """Of each picture: bytes of its file, map of ids (-1: none), and category of each id."""
    document = document_of(source)
    maps = []
    for image in document["images"]:
        picture = file_named(source, image).read_bytes()
        of_image = [
            annotation
            for annotation in document["annotations"]
            if str(annotation["image_id"]) == str(image["id"]).removesuffix(".0")
        ]
        if source["annotations"] == ["instances"]:
            maps.append((picture, *painted(of_image)))
        elif source["annotations"] == ["panoptic"]:
            place = Path(source["panoptic_maps"]) / of_image[0]["file_name"]
            rgb = np.asarray(Image.open(place), np.int64)
            ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
            segments = of_image[0]["segments_info"]
            of_id = {segment["id"]: segment["category_id"] for segment in segments}
            maps.append((picture, np.where(ids == 0, -1, ids), of_id))
        else:
            stem = Path(image["file_name"]).stem
            name = f"annotations/stuff_{source['split']}_pixelmaps/{stem}.png"
            indices = np.asarray(Image.open(Path(source["root"]) / name), np.int64)
            present = {int(index): int(index) for index in np.unique(indices) if index}
            maps.append((picture, np.where(indices == 0, -1, indices), present))
    return maps


def drawn_ids(members: dict[str, bytes]) -> tuple[IdMap, dict[int, str]]:
    """The ids that a target shows (-1: none), and the name of the category of each."""
    decoded = decode(members["target.png"], members["json"])
    ids = np.array([-1, *(segment["id"] for segment in decoded.segments)], np.int64)
    return ids[decoded.labels], {segment["id"]: segment["category"] for segment in decoded.segments}


def drawn_categories(members: dict[str, bytes]) -> IdMap:
    decoded = decode(members["target.png"], members["json"])
    ids = [-1, *(segment["category_id"] for segment in decoded.segments)]
    return np.asarray(np.array(ids, np.int64)[decoded.labels])


def test_every_exporter_has_a_section_with_an_entry(tmp_path: Path) -> None:
    for exporter in EXPORTERS:
        source = entry_of(exporter, tmp_path)
        assert source["type"] == "coco"
        manifest_of(source, PROXIES[source["annotations"][0]])


@pytest.mark.parametrize("exporter", sorted(set(EXPORTERS) - BOXES_ALONE))
def test_the_documented_entry_draws_what_pycocotools_decodes(tmp_path: Path, exporter: str) -> None:
    source = written(exporter, tmp_path / "in")
    kind = source["annotations"][0]
    report = built(tmp_path / "out", source, PROXIES[kind])
    assert report.succeeded
    check_accounts(tmp_path / "out", report)
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    names = {int(row["id"]): row["name"] for row in document_of(source)["categories"]}
    wanted = expected_maps(source)
    assert len(wanted) == len(PICTURES)
    for proxy, totals in report.totals.items():
        assert totals["samples"] == len(PICTURES), proxy
    first = "panoptic" if kind == "panoptic" else "instance"
    by_digest = {
        json.loads(members["json"])["source"]["sha256"]: (key, members)
        for key, members in samples_in(tmp_path / "out", "semantic").items()
    }
    for picture, ids, categories in wanted:
        key, members = by_digest[_sha256(picture)]
        of_pixel = np.array([categories.get(int(i), -1) for i in ids.ravel()]).reshape(ids.shape)
        assert (drawn_categories(members) == of_pixel).all()
        if kind != "stuff_pixelmaps":
            found, named = drawn_ids(samples_in(tmp_path / "out", first)[key])
            assert (found == ids).all()
            assert named == {i: names[categories[i]] for i in np.unique(ids).tolist() if i >= 0}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_boxes_alone_feed_the_proxies_that_need_no_masks(tmp_path: Path) -> None:
    source = written("Objects365", tmp_path / "in")
    report = built(tmp_path / "out", source, [proxy_of("instance"), {"type": "edge"}])
    assert report.totals["edge"]["samples"] == len(PICTURES)
    assert len(ledger_in(tmp_path / "out", "instance")) == len(PICTURES)
    assert any("boxes alone" in note for note in report.notes)


def test_a_dry_run_says_what_will_be_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = written("Objects365", tmp_path / "in")
    places = [
        f"--set=sources.mine.{field}={source[field]}" for field in ("root", "pictures", "instances")
    ]
    with pytest.raises(SystemExit) as ended:
        main(["build", "coco-export", f"--output={tmp_path}/out", "--dry-run", *places])
    assert not ended.value.code
    out, notes = capfd.readouterr()
    assert "inpainting" in out
    assert "boxes alone" in " ".join(notes.split())


def test_what_the_page_says_is_left_out_has_a_note(tmp_path: Path) -> None:
    source = written("Label Studio", tmp_path / "in")
    built(tmp_path / "out", source, [proxy_of("instance")])
    (row,) = ledger_in(tmp_path / "out", "instance")
    assert row["kind"] == "note" and "no mask" in row["reason"]


def test_masks_of_cvats_brush_are_crowds_that_filters_drop(tmp_path: Path) -> None:
    source = written("CVAT", tmp_path / "in")
    shown = {}
    for crowds in ("keep", "drop"):
        built(tmp_path / crowds, source, [proxy_of("instance", filters={"crowds": crowds})])
        shown[crowds] = sum(
            len(json.loads(members["json"])["segments"])
            for members in samples_in(tmp_path / crowds, "instance").values()
        )
    assert shown == {"keep": 6, "drop": 5}


def test_every_entry_of_the_page_is_a_source_that_a_manifest_takes() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(blocks) >= len(EXPORTERS) + 5
    for block in blocks:
        (source,) = block["sources"]
        proxies = [{"type": "depth"}] if "depth" in source else [{"type": "edge"}]
        manifest_of(source, proxies)


def test_the_ready_manifest_builds_an_export(tmp_path: Path) -> None:
    source = written("FiftyOne", tmp_path / "in")
    places = ("root", "pictures", "instances")
    overrides = [f"sources.mine.{field}={source[field]}" for field in places]
    fields = load_manifest("coco-export", overrides).resolved() | {"pictures": SMALL}
    report = build_corpus(parse_manifest(fields), str(tmp_path / "out"), cluster=IN_PROCESS)
    assert report.succeeded
    assert {totals["samples"] for totals in report.totals.values()} == {len(PICTURES)}
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
