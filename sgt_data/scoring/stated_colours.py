"""A drawing whose colours are stated -> its label map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.drawing_noise import has_blends, has_noise
from sgt_data.scoring.nearest_colours import (
    RGB,
    ColourTable,
    colour_table,
    kept_table,
    nearest_numbers,
    nearest_of_levels,
)
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.rejected_pixels import rejected
from sgt_data.scoring.settled_borders import settled
from sgt_data.segmentation.connected_areas import without_specks

BLACK: RGB = (0, 0, 0)

_WITHOUT_BLENDS = 2
"""Number of colours up to which a blend looks like no other colour."""


def background_of(facts: Mapping[str, Any]) -> RGB:
    """The colour of what is unlabelled, black unless the facts state another."""
    return rgb(facts.get("unlabelled", BLACK))


def rgb(stated: Sequence[int]) -> RGB:
    """A colour as the facts state it.

    Raises:
        ValueError: these are not three numbers.
    """
    red, green, blue = stated
    return red, green, blue


def read_stated(
    drawing: NDArray[np.uint8], colours: Sequence[RGB], decoding: Decoding, is_kept: bool = False
) -> Labels:
    """Label map [H, W] of a drawing [H, W, 3]: k is `colours[k]`, of which the first is unlabelled.

    Args:
        drawing: the drawing.
        colours: the background, then the colour of each label from 1 on.
        decoding: how it is read; pixels that are read as no colour get the label -1.
        is_kept: whether the colours are those of many drawings.
    """
    table = kept_table(tuple(colours)) if is_kept else colour_table(colours)
    return read_by_table(drawing, table, decoding)


def read_by_table(drawing: NDArray[np.uint8], table: ColourTable, decoding: Decoding) -> Labels:
    """Label map [H, W] of a drawing [H, W, 3] by a table of colours; see `read_stated`."""
    nearest = nearest_numbers(drawing, table)
    is_noisy = decoding.reach > 0 and (
        has_noise(drawing, decoding) or has_blends(drawing, nearest, table.colours)
    )
    if not is_noisy:
        return rejected(drawing, nearest, table.colours, decoding.reject, is_noisy=False)
    labels = rejected(drawing, nearest, table.colours, decoding.reject, is_noisy=True)
    if len(table.colours) > _WITHOUT_BLENDS:
        labels = settled(drawing, labels, table.colours, decoding.reach)
    return without_specks(labels, decoding.speck)


def read_levels(picture: NDArray[np.floating], colours: Sequence[RGB]) -> Labels:
    """Label map [H, W] of a picture [3, H, W] in -1 to 1 by the nearest colour of each pixel."""
    return nearest_of_levels(
        (np.clip(picture, -1, 1).transpose(1, 2, 0).astype(float) + 1) * 127.5, colours
    )
