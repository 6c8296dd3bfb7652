"""The colours of a palette as a chart of squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.seeds import generator
from sgt_data.segmentation.colours import TAB20, category_colours, spread_colours
from sgt_data.segmentation.palettes import POSITION_COLUMNS, POSITION_ROWS, Palette

_CATEGORIES = 200  # COCO's ids of things and stuff
_SEGMENTS = 24


@dataclass(frozen=True, slots=True)
class Swatches:
    """A chart of colours.

    Attributes:
        picture: RGB.
        caption: what the squares are.
    """

    picture: Image.Image
    caption: str


def swatches(palette: Palette, size: tuple[int, int]) -> Swatches:
    """The colours of a palette, row by row.

    Args:
        palette: name of the palette.
        size: largest width and height in pixels.
    """
    if palette == "distinct":
        colours = spread_colours(_SEGMENTS, generator(0, "palette", "example"))
        return _chart(colours.reshape(4, 6, 3), size, f"for {_SEGMENTS} segments")
    if palette == "category":
        table = category_colours(_CATEGORIES)[:_CATEGORIES].reshape(10, 20, 3)
        return _chart(table, size, f"categories 1 to {_CATEGORIES}, row by row")
    if palette == "position":
        cells = POSITION_COLUMNS * POSITION_ROWS
        grid = category_colours(1)[:cells].reshape(POSITION_ROWS, POSITION_COLUMNS, 3)
        return _chart(grid, size, "by the place of the centre")
    return _chart(TAB20.reshape(4, 5, 3), size, "twenty colours")


def _chart(colours: NDArray[np.uint8], size: tuple[int, int], caption: str) -> Swatches:
    rows, columns, _ = colours.shape
    side = min(size[0] // columns, size[1] // rows)
    picture = Image.fromarray(np.ascontiguousarray(colours.astype(np.uint8)))
    return Swatches(
        picture.resize((columns * side, rows * side), Image.Resampling.NEAREST), caption
    )
