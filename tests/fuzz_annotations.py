"""Fuzz the readers of SA-1B's and COCO's JSON, with pycocotools as the oracle of masks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fuzzing import DEEP, Target, main, spoiled_bytes, spoiled_json
from hypothesis import strategies as st
from making import (
    boxes,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    run_lengths,
    sa1b_document,
)
from pycocotools import mask as coco_mask

from sgt_data.errors import InputError, RequestError
from sgt_data.segmentation.run_lengths import parse_masks
from sgt_data.sources.coco_file import read_coco_file
from sgt_data.sources.sa1b_annotation import parse_annotation

HEIGHT, WIDTH = 24, 32
PICTURE = jpeg(WIDTH, HEIGHT)
SA1B = sa1b_document(1, boxes(WIDTH, HEIGHT), WIDTH, HEIGHT)
_POLYGON = [[1.0, 1.0, 9.0, 1.0, 9.0, 7.5]]
COCO = coco_document(
    [coco_image(1, WIDTH, HEIGHT), coco_image(2, WIDTH, HEIGHT)],
    [
        coco_annotation(1, 1, run_lengths(boxes(WIDTH, HEIGHT)[0])),
        coco_annotation(2, 1, _POLYGON),
        coco_annotation(3, 2, {"size": [HEIGHT, WIDTH], "counts": [5, 9, WIDTH * HEIGHT - 14]},
                        iscrowd=1),
    ],
)  # fmt: skip
PANOPTIC = coco_document(
    [coco_image(1, WIDTH, HEIGHT)],
    [
        {"image_id": 1, "file_name": "000000000001.png",
         "segments_info": [{"id": 5, "category_id": 1, "iscrowd": 0, "area": 3}]}
    ],
)  # fmt: skip


def _written(documents: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return documents.map(lambda document: json.dumps(document).encode())


def check_sa1b(data: bytes) -> None:
    """Masks that are accepted are those that pycocotools decodes."""
    try:
        annotation = parse_annotation(data, PICTURE)
        masks = parse_masks(annotation.masks, annotation.height, annotation.width)
    except InputError:
        return
    if annotation.height * annotation.width > 1 << 20:
        return
    areas = [int(area) for area in masks.areas]
    for counts, area in zip(annotation.masks, areas, strict=True):
        if isinstance(counts, bytes):
            size = [annotation.height, annotation.width]
            decoded = coco_mask.decode({"size": size, "counts": counts})
            assert int(np.sum(decoded)) == area


def coco_check(kind: str) -> Any:
    """A check of COCO's JSON of a kind: it is read, or refused in words."""

    def check(data: bytes) -> None:
        try:
            file = read_coco_file(kind, "memory://x.json", data, "coco")
        except RequestError as why:
            assert str(why).startswith(f"sources.coco.{kind}: memory://x.json is no COCO")
            return
        assert set(file.problems) <= {*file.images, *file.annotations}

    return check


TARGETS: dict[str, Target] = {
    "sa1b": (_written(spoiled_json(SA1B)), check_sa1b),
    "sa1b bytes": (spoiled_bytes(st.just(json.dumps(SA1B).encode())) | DEEP, check_sa1b),
    "instances": (_written(spoiled_json(COCO)), coco_check("instances")),
    "panoptic": (_written(spoiled_json(PANOPTIC)), coco_check("panoptic")),
    "coco bytes": (
        spoiled_bytes(st.just(json.dumps(COCO).encode())) | DEEP, coco_check("instances")
    ),
}  # fmt: skip

if __name__ == "__main__":
    main(TARGETS)
