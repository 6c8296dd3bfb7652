"""Scenes -> SA-1B's form: tars of JPEG and JSON, with masks that have no class and may nest."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sgt_data.scenes.masks import Mask, Region, region
from sgt_data.scenes.scene import Scene
from sgt_data.seeds import generator

_STUFF_COVERED = 0.55
"""Share of the stuff that SA-1B-like annotation outlines; the rest stays uncovered."""
_LEAST_SHARE = 0.0001
"""Smallest mask, as a share of the picture."""


def sa1b_record(scene: Scene, image_id: int, seed: int) -> dict[str, Any]:
    """The JSON of a picture: `image` and unsorted `annotations`.

    Each thing, each of its parts and about half of the stuff have a mask. As in SA-1B, `bbox` is
    x, y, max - min without the last pixel, and `predicted_iou` may exceed 1.
    """
    height, width = scene.segments.shape
    rng = generator(seed, "sa1b annotations", str(image_id))
    masks = _masks(scene, rng)
    order = rng.permutation(len(masks)).tolist()
    scores = rng.random((len(masks), 3)).tolist()
    return {
        "image": {
            "image_id": image_id,
            "width": width,
            "height": height,
            "file_name": f"sa_{image_id}.jpg",
        },
        "annotations": [
            _annotation(region(masks[k]), 1000 * image_id + k, draws)
            for k, draws in zip(order, scores, strict=True)
        ],
    }


def _masks(scene: Scene, rng: np.random.Generator) -> list[Mask]:
    segments = np.asfortranarray(scene.segments)
    parts = np.asfortranarray(scene.parts)
    least = max(1.0, _LEAST_SHARE * segments.size)
    masks: list[Mask] = []
    for thing in scene.things:
        if thing.area >= least:
            masks.append(segments == thing.segment)
        masks += [parts == part.part for part in thing.parts if least <= part.area < thing.area]
    chosen = rng.random(len(scene.stuff)) < _STUFF_COVERED
    for stuff, outlined in zip(scene.stuff, chosen, strict=True):
        if outlined and stuff.area >= least:
            masks.append(segments == stuff.segment)
    return masks


def _annotation(outline: Region, identity: int, draws: list[float]) -> dict[str, Any]:
    x, y, width, height = outline.box
    rows, columns = outline.runs["size"]
    return {
        "id": identity,
        "segmentation": outline.runs,
        "bbox": [float(x), float(y), float(width - 1), float(height - 1)],
        "area": outline.area,
        "predicted_iou": round(0.88 + 0.15 * draws[0], 6),
        "stability_score": round(0.95 + 0.05 * draws[1], 6),
        "crop_box": [0.0, 0.0, float(columns), float(rows)],
        "point_coords": [_point(outline, draws[2])],
    }


def _point(outline: Region, draw: float) -> list[float]:
    """A pixel of the mask, [x, y], somewhere along its runs."""
    x, y, width, height = outline.box
    columns: NDArray[np.bool_] = outline.mask[y : y + height, x : x + width].T
    column = columns[int(draw * width)]
    while not column.any():
        draw = 0.5 * draw
        column = columns[int(draw * width)]
    inside = np.flatnonzero(column)
    return [float(x + int(draw * width)), float(y + int(inside[inside.size // 2]))]


def add_picture(tar: tarfile.TarFile, record: dict[str, Any], jpeg: bytes) -> None:
    """Append `./sa_<id>.jpg` and `./sa_<id>.json` to a tar."""
    stem = f"./sa_{record['image']['image_id']}"
    for name, body in ((f"{stem}.jpg", jpeg), (f"{stem}.json", orjson.dumps(record))):
        member = tarfile.TarInfo(name)
        member.size = len(body)
        member.mode = 0o644
        tar.addfile(member, io.BytesIO(body))
