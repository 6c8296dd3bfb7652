"""A COCO file of one kind that is given as another is refused, and the right field is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from making import (
    CATEGORIES,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    manifest_of,
    write_coco,
)

from sgt_data.engine.listing import list_inputs
from sgt_data.errors import RequestError

SQUARE = [[4, 4, 30, 4, 30, 30, 4, 30]]
PANOPTIC = {"image_id": 1, "file_name": "000000000001.png",
            "segments_info": [{"id": 1, "category_id": 1, "iscrowd": 0}]}  # fmt: skip
CAPTION = {"id": 1, "image_id": 1, "caption": "a cat"}
KEYPOINTS = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 1, 2], "num_keypoints": 1}


@pytest.mark.parametrize(
    ("kind", "annotation", "said"),
    [
        ("instances", PANOPTIC, "it is a panoptic file. Give it as the field panoptic"),
        ("stuff", PANOPTIC, "it is a panoptic file. Give it as the field panoptic"),
        ("panoptic", coco_annotation(1, 1, SQUARE),
         "it is an instances file. Give it as the field instances"),
        ("instances", CAPTION, "it is a captions file, which holds no masks. Give"),
        ("panoptic", CAPTION, "it is a captions file, which holds no masks. Give"),
        ("instances", KEYPOINTS, "it is a keypoints file, which holds no masks. Give"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("categories", [True, False])
def test_a_file_of_another_kind_is_refused(
    kind: str, annotation: dict[str, Any], said: str, categories: bool, tmp_path: Path
) -> None:
    document = coco_document([coco_image(1)], [annotation])
    document["categories"] = [
        {name: row[name] for name in ("id", "name")} for row in CATEGORIES
    ]  # as captions and instances have them, without isthing
    if not categories:
        del document["categories"]
    with pytest.raises(RequestError) as raised:
        listed(tmp_path, kind, document)
    assert said in str(raised.value)
    assert f"sources.coco.{kind}: {tmp_path}" in str(raised.value)


def listed(folder: Path, kind: str, document: dict[str, Any]) -> object:
    root = write_coco(folder / "coco", {"000000000001.jpg": jpeg(64, 48)}, {kind: document},
                      {"000000000001.png": b""})  # fmt: skip
    source = {"type": "coco", "root": str(root), "annotations": [kind]}
    return list_inputs(manifest_of(source, [{"type": "edge"}]))


def test_keypoints_with_masks_are_instances(tmp_path: Path) -> None:
    person = coco_annotation(1, 1, SQUARE) | KEYPOINTS
    listed(tmp_path, "instances", coco_document([coco_image(1)], [person]))


def test_a_file_without_annotations_is_of_every_kind(tmp_path: Path) -> None:
    for kind in ("instances", "panoptic"):
        listed(tmp_path / kind, kind, coco_document([coco_image(1)], []))
