"""A drawing whose colours mean nothing beyond it -> its segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Labels


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The segments of a drawing.

    Attributes:
        labels: [H, W]; 0 is unlabelled, k has the colour `colours[k - 1]`.
        colours: [n, 3] uint8 RGB.
    """

    labels: Labels
    colours: NDArray[np.uint8]


def read_drawn(drawing: NDArray[np.uint8], background: RGB, decoding: Decoding) -> DrawnMap:
    """The segments of a drawing [H, W, 3]: each of its colours but the background's is a
    segment."""
    red, green, blue = drawing.astype(np.int32).transpose(2, 0, 1)
    packed = (red << 16) | (green << 8) | blue
    values, labels = np.unique(packed, return_inverse=True)
    ground = (background[0] << 16) | (background[1] << 8) | background[2]
    numbers = np.cumsum(values != ground) * (values != ground)
    colours = np.stack((values >> 16, (values >> 8) & 255, values & 255), 1)[values != ground]
    return DrawnMap(
        numbers[labels].astype(np.int32).reshape(packed.shape), colours.astype(np.uint8)
    )
