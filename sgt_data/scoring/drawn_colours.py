"""A drawing whose colours mean nothing beyond it -> its segments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.colour_clusters import painted_colours
from sgt_data.scoring.connected_areas import split_areas
from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.drawing_noise import has_noise
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.stated_colours import read_stated
from sgt_data.segmentation.colours import pack


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The segments of a drawing.

    Attributes:
        labels: [H, W]; 0 is unlabelled, k has the colour `colours[k - 1]`.
        colours: [n, 3] uint8 RGB.
    """

    labels: Labels
    colours: NDArray[np.uint8]


def read_drawn(
    drawing: NDArray[np.uint8], background: RGB, decoding: Decoding, is_split: bool = False
) -> DrawnMap:
    """The segments of a drawing [H, W, 3]: each of its colours but the background's.

    In a drawing without noise each RGB value is a segment, whether or not it is connected. In any
    other, colours are clusters (see `colour_clusters`).

    Args:
        drawing: the drawing.
        background: the colour of what is unlabelled.
        decoding: how it is read.
        is_split: whether several segments may look alike, such as those of the palette `tab20`;
            then each connected area of a drawing with noise is a segment.
    """
    if not has_noise(drawing, decoding):
        return _exact_colours(drawing, background)
    colours = painted_colours(drawing, background, decoding)
    table: list[RGB] = [background, *(tuple(colour) for colour in colours.tolist())]
    labels = read_stated(drawing, table, replace(decoding, reject=None))
    if is_split:
        labels, former = split_areas(labels)
        colours = colours[former - 1]
    return DrawnMap(labels, colours)


def _exact_colours(drawing: NDArray[np.uint8], background: RGB) -> DrawnMap:
    packed = pack(drawing)
    ground = int(pack(np.array(background)))
    values, places = np.unique(packed, return_inverse=True)
    is_drawn = values != ground
    numbers = np.where(is_drawn, np.cumsum(is_drawn), 0).astype(np.int32)
    drawn = values[is_drawn]
    colours = np.stack((drawn >> 16, (drawn >> 8) & 255, drawn & 255), axis=1).astype(np.uint8)
    return DrawnMap(numbers[places].reshape(packed.shape), colours)
