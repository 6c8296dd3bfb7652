"""Masks -> COCO's forms: run lengths, polygons, boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from sgt_data.compiled import njit

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Region:
    """A mask that is not empty, with COCO's description of it.

    Attributes:
        mask: [H, W] bool.
        runs: COCO's compressed run-length object.
        box: x, y, width, height in pixels.
        area: number of pixels.
    """

    mask: Mask
    runs: dict[str, Any]
    box: tuple[int, int, int, int]
    area: int


def region(mask: Mask) -> Region:
    """Describe a mask [H, W]; fastest where the mask is in Fortran order."""
    encoded = coco_mask.encode(np.asfortranarray(mask).view(np.uint8))
    x, y, width, height = (int(value) for value in coco_mask.toBbox(encoded))
    runs = {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}
    return Region(mask, runs, (x, y, width, height), int(coco_mask.area(encoded)))


def uncompressed(mask: Mask) -> dict[str, Any]:
    """COCO's uncompressed run-length object of a mask: column by column, a run of zeros first."""
    flat = mask.T.ravel()
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], turns, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def polygon(region: Region) -> list[float] | None:
    """Outline [x0, y0, x1, y1, ...] of a mask along pixel edges.

    None where the mask is not one piece without holes: pycocotools must fill the polygon to exactly
    the mask.
    """
    x, y, width, height = region.box
    padded = np.zeros((height + 2, width + 2), np.bool_)
    padded[1:-1, 1:-1] = region.mask[y : y + height, x : x + width]
    ring = (_outline(padded) + np.array([x - 1, y - 1])).ravel().astype(np.float64).tolist()
    filled = coco_mask.frPyObjects([ring], *region.mask.shape)[0]
    return ring if filled["counts"].decode("ascii") == region.runs["counts"] else None


_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@njit
def _outline(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[N, 2] corners (x, y) of the outer edge of the first piece of a mask with an empty border."""
    height, width = mask.shape
    corners = np.empty((2 * height * width, 2), np.int64)
    start_x, start_y = 0, 1
    while not mask[start_y, start_x]:
        start_x += 1
    x, y, heading, count = start_x, start_y, 0, 0
    while True:
        before = heading
        for turn in (1, 0, 3):
            heading = (before + turn) % 4
            if _inside_on_the_right(mask, x, y, heading):
                break
        if heading != before or count == 0:
            corners[count, 0], corners[count, 1] = x, y
            count += 1
        x += _STEPS[heading][0]
        y += _STEPS[heading][1]
        if x == start_x and y == start_y:
            return corners[:count]


@njit
def _inside_on_the_right(mask: NDArray[np.bool_], x: int, y: int, heading: int) -> bool:
    """Whether the edge from corner (x, y) has the mask on its right and not on its left."""
    above_left, above_right = mask[y - 1, x - 1], mask[y - 1, x]
    below_left, below_right = mask[y, x - 1], mask[y, x]
    if heading == 0:
        return bool(below_right and not above_right)
    if heading == 1:
        return bool(below_left and not below_right)
    if heading == 2:
        return bool(above_left and not below_left)
    return bool(above_right and not above_left)
