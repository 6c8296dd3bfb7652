"""Outlines of boxes -> label map, painted over one another."""

from __future__ import annotations

import numpy as np

from sgt_data.segmentation.box_geometry import Boxes
from sgt_data.segmentation.label_map import LabelMap


def draw_outlines(boxes: Boxes, line: int, height: int, width: int) -> LabelMap:
    """Outlines of boxes [n, 4] (output pixels) in a map [height, width]; box k has label k + 1 and
    lies above those before it.

    A line is `line` pixels wide and lies inside its box, so the box's outer edge is exact; a box
    narrower than two lines is filled.
    """
    labels = np.zeros((height, width), np.uint16)
    for label, (left, top, across, down) in enumerate(boxes.tolist(), 1):
        box = labels[top : top + down, left : left + across]
        box[:line] = label
        box[max(down - line, 0) :] = label
        box[:, :line] = label
        box[:, max(across - line, 0) :] = label
    return labels
