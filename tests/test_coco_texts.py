"""Annotations of COCO stay texts until they are drawn: with the same results, in little memory."""

from __future__ import annotations

import copy
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from corpora import file_digests
from hypothesis import example, given
from hypothesis import strategies as st
from making import (
    built,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    manifest_of,
    panoptic_png,
    proxy_of,
    write_coco,
)

from sgt_data.engine import build
from sgt_data.engine.listing import Listing, list_inputs
from sgt_data.errors import AnnotationError, RequestError
from sgt_data.manifest.manifest import Manifest
from sgt_data.sources.coco_document import LONG_LISTS, parsed, take_apart
from sgt_data.sources.coco_file import read_coco_file
from sgt_data.sources.coco_texts import KnownCategories

SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]
DOCUMENT: dict[str, Any] = coco_document(
    [coco_image(1), coco_image(2, license=None)],
    [
        coco_annotation(10, 1, SQUARE),
        coco_annotation(11, 1, {"size": [48, 64], "counts": [10, 20, 3042]}, iscrowd=1),
        coco_annotation(12, 2, [], category_id=77, note="h\u00e9"),
    ],
)
TEXT = json.dumps(DOCUMENT, indent=1, ensure_ascii=False).encode()
KNOWN = KnownCategories({})


def careful(data: bytes) -> Any:
    """A document as orjson reads it, an independent parser of all of it."""
    return orjson.loads(data)


def whole(document: Any) -> Any:
    """A document that was taken apart, put together again."""
    if not isinstance(document, dict):
        return document
    return {
        name: [parsed(text) for text in value]
        if name in LONG_LISTS and isinstance(value, list)
        else value
        for name, value in document.items()
    }


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 6), st.binary(max_size=6))
@example(TEXT.index(b"4.0"), 3, b"1e999")
@example(TEXT.index("h\u00e9".encode()) + 1, 2, b"\xff")
@example(TEXT.index("h\u00e9".encode()) + 1, 2, b"\\ud800")
@example(TEXT.index(b'"images"'), 8, b"[]")
@example(TEXT.index(b"[\n"), 2, b"{")
@example(TEXT.index(b'"iscrowd"'), 9, b'"image_id"')
@example(TEXT.index(b"3042"), 4, b"NaN")
def test_what_a_parser_of_the_whole_refuses_is_refused_and_what_it_reads_is_the_same(
    position: int, count: int, by: bytes
) -> None:
    data = TEXT[:position] + by + TEXT[position + count :]
    try:
        document = careful(data)
    except orjson.JSONDecodeError:
        # what has a meaning all the same (NaN, a number beyond all) is read by the lenient reader
        try:
            json.loads(data)
        except ValueError:
            with pytest.raises(AnnotationError):
                take_apart(data, "a file")
        return
    assert whole(take_apart(data, "a file")) == document


@given(st.integers(0, len(TEXT) - 1), st.binary(min_size=1, max_size=3))
def test_a_file_that_only_the_careful_reader_takes_gives_the_same_texts(
    position: int, by: bytes
) -> None:
    """A byte order mark sends a document to it."""
    data = TEXT[:position] + by + TEXT[position + len(by) :]
    outcomes = []
    for form in (data, b"\xef\xbb\xbf" + data):
        try:
            file = read_coco_file("instances", "a.json", form, "coco")
        except RequestError as why:
            outcomes.append(str(why).split(": line ")[0])
            continue
        numbers = {number: file.text_of(number, KNOWN) for number in file.annotations}
        texts = {number: json.loads(text or b"null") for number, text in numbers.items()}
        outcomes.append((texts, file.images, file.categories, file.counts))
    assert outcomes[0] == outcomes[1]


def inputs(root: Path) -> dict[str, Any]:
    pictures = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in (1, 2, 3, 4, 5)}
    images = [coco_image(number) for number in (1, 2, 3, 4, 5)]
    squares = [coco_annotation(10 * n, n, SQUARE) for n in (1, 2, 3, 4)]
    segments = [
        {
            "image_id": n, "file_name": f"{n:012d}.png",
            "segments_info": [{"id": 300, "category_id": 1, "iscrowd": 0}],
        }
        for n in (1, 2, 3, 5)
    ]  # fmt: skip
    maps = {f"{n:012d}.png": panoptic_png(np.full((48, 64), 300)) for n in (1, 2, 3, 5)}
    documents = {
        "instances": coco_document(images, squares), "panoptic": coco_document(images, segments),
    }  # fmt: skip
    write_coco(root, pictures, documents, maps)
    return {"type": "coco", "root": str(root), "annotations": ["instances", "panoptic"]}


def test_workers_need_no_annotation_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, proxies = inputs(tmp_path / "in"), [proxy_of("instance"), proxy_of("panoptic")]
    assert built(tmp_path / "undisturbed", source, proxies).succeeded

    def list_then_remove(manifest: Manifest) -> Listing:
        listing = list_inputs(manifest)
        for file in (tmp_path / "in" / "annotations").glob("*.json"):
            file.unlink()
        return listing

    monkeypatch.setattr(build, "list_inputs", list_then_remove)
    assert built(tmp_path / "out", source, proxies).succeeded
    assert file_digests(tmp_path / "out") == file_digests(tmp_path / "undisturbed")


def many(pictures: int) -> dict[str, Any]:
    """A document with 7 annotations a picture, of 40 corners each."""
    rng = np.random.default_rng(0)
    annotations = [
        coco_annotation(
            7 * number + index, number, [rng.uniform(0, 48, 80).round(2).tolist()], iscrowd=0
        )
        for number in range(pictures)
        for index in range(7)
    ]
    return coco_document([coco_image(number) for number in range(pictures)], annotations)


@pytest.mark.parametrize("form", ["instances", "panoptic"])
def test_listing_takes_little_more_memory_than_the_file_and_sends_each_slice_its_own(
    tmp_path: Path, form: str
) -> None:
    document = many(1500)
    if form == "panoptic":
        document["annotations"] = [
            {
                "image_id": number, "file_name": f"{number:012d}.png",
                "segments_info": [
                    {"id": 1000 * index + number, "category_id": 1, "iscrowd": 0,
                     "bbox": [1, 2, 3, 4], "area": 7}
                    for index in range(60)
                ],
            }
            for number in range(1500)
        ]  # fmt: skip
    root = write_coco(tmp_path, {"0.jpg": b"x"}, {form: document}, {"0.png": b"x"})
    for image in document["images"]:
        (root / "train2017" / image["file_name"]).write_bytes(b"")
        name = image["file_name"].replace(".jpg", ".png")
        (root / "annotations" / "panoptic_train2017" / name).write_bytes(b"")
    source = {"type": "coco", "root": str(root), "annotations": [form]}
    size = (root / "annotations" / f"{form}_train2017.json").stat().st_size
    manifest = manifest_of(source, [proxy_of(form.removesuffix("s"))], shard_samples=100)
    list_inputs(manifest)  # imports and caches
    del document
    tracemalloc.start()
    try:
        listing = list_inputs(manifest)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * size
    notes = [len(piece.payload) for piece in listing.slices]
    assert len(notes) == 15
    assert max(notes) < 1.5 * min(notes)
    assert sum(notes) < 0.7 * size


def test_an_unknown_category_is_known_by_the_joint_list(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    file = read_coco_file("instances", "a.json", json.dumps(document).encode(), "coco")
    known = KnownCategories({1: None})  # type: ignore[dict-item]
    (odd,) = json.loads(file.text_of(2, known) or b"")
    assert odd["problem"] == "category_id is 77, a category that `categories` does not list"
    assert all("problem" not in row for row in json.loads(file.text_of(1, known) or b""))
