"""Boxes in stored source pixels -> boxes in upright output pixels, in integer arithmetic.

An output box is the smallest box of whole output pixels that covers the scaled source box: its left
and top edges are rounded down, its right and bottom edges up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]
"""Boxes, [n, 4] int64: x, y, width, height."""


def output_boxes(
    boxes: Boxes, stored: tuple[int, int], output: tuple[int, int], orientation: int
) -> Boxes:
    """Boxes in the upright output, [n, 4], from boxes in the stored picture.

    Args:
        boxes: [n, 4] in stored pixels; none is empty.
        stored: height and width of the stored picture.
        output: height and width of the upright output.
        orientation: EXIF orientation, 1 to 8.
    """
    lefts, tops, widths, heights = turned_boxes(boxes, stored, orientation).T
    upright_height, upright_width = stored[::-1] if orientation >= 5 else stored
    left, right = _scaled(lefts, lefts + widths, upright_width, output[1])
    top, bottom = _scaled(tops, tops + heights, upright_height, output[0])
    return np.stack((left, top, right - left, bottom - top), axis=1)


def turned_boxes(boxes: Boxes, stored: tuple[int, int], orientation: int) -> Boxes:
    """Boxes in the upright picture at the stored scale, [n, 4], from boxes in the stored picture.

    Args:
        boxes: [n, 4] in stored pixels.
        stored: height and width of the stored picture.
        orientation: EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112).
    """
    height, width = stored
    left, top, across, down = np.asarray(boxes, np.int64).reshape(-1, 4).T
    if orientation >= 5:
        left, top, across, down = top, left, down, across
        height, width = width, height
    if orientation in (2, 3, 6, 7):
        left = width - left - across
    if orientation in (3, 4, 7, 8):
        top = height - top - down
    return np.stack((left, top, across, down), axis=1)


def stored_boxes(boxes: Boxes, stored: tuple[int, int], orientation: int) -> Boxes:
    """Boxes in the stored picture, [n, 4], from boxes in the upright one: undoes `turned_boxes`.

    Args:
        boxes: [n, 4] in pixels of the upright picture at the stored scale; zeros where empty.
        stored: height and width of the stored picture.
        orientation: EXIF orientation, 1 to 8.
    """
    upright = stored[::-1] if orientation >= 5 else stored
    # 6 and 8 turn by a quarter, and undo each other; all others undo themselves
    turned = turned_boxes(boxes, upright, {6: 8, 8: 6}.get(orientation, orientation))
    return np.where(np.asarray(boxes)[:, 2:3] > 0, turned, 0)


def _scaled(
    begin: NDArray[np.int64], end: NDArray[np.int64], source: int, output: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return begin * output // source, -(-end * output // source)
