"""The segments of a map of which nothing is known but its colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.segmentation.connected_areas import connected_areas
from sgt_data.segmentation.target_audit import numbered_colours


def colour_segments(
    pixels: NDArray[np.uint8], unlabelled: tuple[int, int, int]
) -> list[dict[str, Any]]:
    """The facts of each colour of a map: label, colour, pixels, and number of connected areas.

    Labels are 1, 2, 3 ... in the order of the colours' values, red first.

    Args:
        pixels: [H, W, 3] RGB.
        unlabelled: colour that is no label.
    """
    numbers, colours = numbered_colours(pixels)
    areas, count = connected_areas(numbers)
    colour_of = np.zeros(count, np.int64)
    colour_of[areas.ravel()] = numbers.ravel()
    pixel_counts = np.bincount(numbers.ravel(), minlength=len(colours)).tolist()
    area_counts = np.bincount(colour_of, minlength=len(colours)).tolist()
    listed = [
        {"color": colour, "visible_area": pixel_counts[number], "areas": area_counts[number]}
        for number, colour in enumerate(colours.tolist())
        if colour != list(unlabelled)
    ]
    return [{"label": label, **segment} for label, segment in enumerate(listed, 1)]
