"""Outlines of boxes -> label map."""

from __future__ import annotations

import numpy as np

from sgt_data.segmentation.box_geometry import Boxes
from sgt_data.segmentation.label_map import LabelMap


def draw_outlines(boxes: Boxes, line: int, height: int, width: int) -> LabelMap:
    """Label map of the outlines of boxes: box k has label k + 1 and lies above the boxes before it.

    A line lies inside its box, so that the box's outer edge is exact; a box narrower than two lines
    is filled.

    Args:
        boxes: [n, 4] in output pixels.
        line: width of a line in pixels.
        height, width: size of the map.
    """
    labels = np.zeros((height, width), np.uint16)
    for label, (left, top, across, down) in enumerate(boxes.tolist(), 1):
        box = labels[top : top + down, left : left + across]
        box[:line] = label
        box[max(down - line, 0) :] = label
        box[:, :line] = label
        box[:, max(across - line, 0) :] = label
    return labels
