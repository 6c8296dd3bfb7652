"""Id maps, which hold the id of a segment for every pixel (COCO panoptic PNGs, stuff pixelmaps)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import AnnotationError
from sgt_data.segmentation.label_map import visible_regions


def panoptic_ids(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """COCO panoptic colours [H, W, 3] RGB -> ids `R + 256 G + 65536 B`, [H, W] int32."""
    wide = rgb.astype(np.int32)
    return wide[..., 0] | (wide[..., 1] << 8) | (wide[..., 2] << 16)


def index_ids(
    id_map: NDArray[np.int32], ids: Sequence[int], void: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64]]:
    """Replace the ids of a map by their position in `ids` plus one, and `void` by 0.

    Returns:
        Positions [H, W] uint16, pixels of each id [len(ids)], boxes [len(ids), 4] as x, y, width,
        height.

    Raises:
        AnnotationError: the map holds an id that is neither in `ids` nor `void`, or lacks an id.
    """
    order = np.argsort(np.asarray(ids, np.int64), kind="stable")
    sorted_ids = np.asarray(ids, np.int64)[order]
    positions = np.zeros(id_map.shape, np.uint16)
    unknown = _index(id_map, sorted_ids, order, void, positions)
    if unknown >= 0:
        raise AnnotationError(f"the id map holds id {unknown}, which the annotation does not list")
    areas, boxes = visible_regions(positions, len(ids))
    if (areas == 0).any():
        missing = int(np.asarray(ids)[areas == 0][0])
        raise AnnotationError(f"the annotation lists id {missing}, which the id map does not hold")
    return positions, areas, boxes


@njit
def _index(
    id_map: NDArray[np.int32],
    sorted_ids: NDArray[np.int64],
    order: NDArray[np.int64],
    void: int,
    positions: NDArray[np.uint16],
) -> int:
    """Fill `positions`; the first id that is unknown, or -1."""
    height, width = id_map.shape
    for y in range(height):
        x = 0
        while x < width:
            identity = id_map[y, x]
            begin = x
            while x < width and id_map[y, x] == identity:
                x += 1
            if identity == void:
                continue
            place = np.searchsorted(sorted_ids, identity)
            if place == len(sorted_ids) or sorted_ids[place] != identity:
                return int(identity)
            positions[y, begin:x] = order[place] + 1
    return -1
