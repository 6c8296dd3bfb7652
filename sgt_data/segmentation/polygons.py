"""Polygons of COCO -> compressed run lengths, by cocoapi's rasteriser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pycocotools import mask as coco_mask

from sgt_data.errors import AnnotationError
from sgt_data.value_text import cut

# cocoapi walks edges in fifths of a pixel and holds every step in memory: bound them first
_COORDINATE_MAX = 1 << 20  # pixels
_OUTLINE_MAX = 1 << 22  # pixels


def rasterise(polygons: Sequence[Any], height: int, width: int) -> bytes:
    """Compressed run lengths of the union of polygons.

    Args:
        polygons: flat lists x0, y0, x1, y1, ... in pixels.
        height, width: size of the picture.

    Raises:
        AnnotationError: a polygon has fewer than three points, an odd number of coordinates or a
            coordinate that is not a finite number near the picture; or the outline is too long.
    """
    if not polygons:
        raise AnnotationError("its list of polygons is empty")
    for number, polygon in enumerate(polygons):
        _check(number, polygon)
    if sum(map(_outline, polygons)) > _OUTLINE_MAX:
        raise AnnotationError(f"the outline of its polygons is longer than {_OUTLINE_MAX} pixels")
    encoded = coco_mask.frPyObjects([list(polygon) for polygon in polygons], height, width)
    counts: bytes = coco_mask.merge(encoded)["counts"]
    return counts


def _outline(polygon: Sequence[float]) -> float:
    """Length of the outline of a closed polygon (Chebyshev, pixels)."""
    following = [*polygon[2:], *polygon[:2]]
    gaps = [abs(after - before) for before, after in zip(polygon, following, strict=True)]
    return sum(map(max, gaps[::2], gaps[1::2]))


def _check(number: int, polygon: Any) -> None:
    if not isinstance(polygon, Sequence) or isinstance(polygon, str | bytes):
        raise AnnotationError(f"polygon {number} is {cut(polygon, 40)}, not a list of coordinates")
    if len(polygon) < 6 or len(polygon) % 2:
        raise AnnotationError(
            f"polygon {number} has {len(polygon)} coordinates; an even number from 6 on is allowed"
        )
    for value in polygon:
        if (
            not isinstance(value, int | float)
            or not math.isfinite(value)
            or abs(value) > _COORDINATE_MAX
        ):
            stated = "null" if value is None else f"{cut(value, 40)}"
            raise AnnotationError(
                f"polygon {number} has the coordinate {stated}, "
                f"not a number within +-{_COORDINATE_MAX}"
            )
