"""A drawing whose colours mean nothing beyond it -> its segments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.scoring.colour_clusters import painted_colours
from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.drawing_noise import has_noise
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.nearest_colours import ALL_COLOURS, RGB
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.stated_colours import read_stated
from sgt_data.segmentation.colours import pack
from sgt_data.segmentation.connected_areas import split_areas

_FEW, _BLENDS_SHARE = 16, 0.75
"""Blends are suspected in drawings of more colours than this, of which more than this share have
few pixels."""


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
        exact = _exact_colours(drawing, background)
        if not _are_blends(exact, decoding.speck):
            return exact
    colours = painted_colours(drawing, background, decoding)
    table: list[RGB] = [background, *(tuple(colour) for colour in colours.tolist())]
    labels = read_stated(drawing, table, replace(decoding, reject=None))
    if is_split:
        labels, former = split_areas(labels)
        colours = colours[former - 1]
    return DrawnMap(labels, colours)


def _are_blends(exact: DrawnMap, speck: int) -> bool:
    """Whether nearly all colours of a drawing have few pixels, as blends at borders have."""
    pixels = np.bincount(exact.labels.ravel(), minlength=len(exact.colours) + 1)[1:]
    return len(pixels) > _FEW and float((pixels < speck).mean()) > _BLENDS_SHARE


def _exact_colours(drawing: NDArray[np.uint8], background: RGB) -> DrawnMap:
    packed = pack(drawing)
    numbers = np.zeros(ALL_COLOURS, np.int32)
    numbers[pack(np.array(background))] = -1
    values = np.empty(packed.size, np.int32)
    labels = np.empty(packed.shape, np.int32)
    drawn = values[: _number_colours(packed, numbers, values, labels)]
    colours = np.stack((drawn >> 16, (drawn >> 8) & 255, drawn & 255), axis=1).astype(np.uint8)
    return DrawnMap(labels, colours)


@njit
def _number_colours(
    packed: NDArray[np.int64],
    numbers: NDArray[np.int32],
    values: NDArray[np.int32],
    labels: Labels,
) -> int:
    """Number the colours by their first pixel, from 1 on; the background has the number -1."""
    count = 0
    for row in range(packed.shape[0]):
        for column in range(packed.shape[1]):
            value = packed[row, column]
            if numbers[value] == 0:
                values[count] = value
                count += 1
                numbers[value] = count
            labels[row, column] = max(numbers[value], 0)
    return count
