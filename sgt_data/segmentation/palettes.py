"""Palettes: labels -> colours.

Whatever the palette, no two labels of a picture share an RGB value, so that a target decodes from
its pixels alone, and no two touching labels look alike.

- `distinct`: seeded by the key; colours as far apart as the coarsest sufficient lattice allows.
- `category`: a fixed colour for each category id; several segments of a category get shades of it.
- `position`: colour from the position of the mask's centre, after Painter (Wang et al., CVPR 2023):
  the picture is divided into 16 columns by 13 rows, each cell with its own colour.
- `tab20`: matplotlib's twenty colours; touching segments get different ones. Where a colour is used
  again in a picture, it differs in its last bits, which no eye sees and every decoder does.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.segmentation.colours import (
    TAB20,
    Colours,
    category_colours,
    free_shade,
    pack,
    spread_colours,
)

Palette = Literal["distinct", "category", "position", "tab20"]

CATEGORY_NUMBERS_MAX = 1 << 14
"""Largest number of a category: the table of colours has an entry for each number up to it."""
POSITION_COLUMNS, POSITION_ROWS = 16, 13
TOUCHING_DISTANCE = 48.0
"""Least distance (RGB levels, Euclidean) between the colours of touching segments. Just below the
51 between neighbours of the lattice that `category` and `position` take their colours from."""

_gaps = TAB20.astype(np.int64)[:, None] - TAB20.astype(np.int64)[None]
_TAB20_ALIKE: NDArray[np.bool_] = (_gaps**2).sum(2) < TOUCHING_DISTANCE**2


def category_numbers(
    categories: NDArray[np.int64], vocabulary: Collection[int]
) -> tuple[NDArray[np.int64], int]:
    """Numbers from 1 on by which categories take their colours, and the largest of a vocabulary.

    The number of a category is its id where all ids of the vocabulary are from 1 to 16,384, as
    COCO's are. Where an id is 0 or larger (LVIS, Objects365, exports of annotation tools), it is
    the position of the id among all ids of the vocabulary, in rising order.

    Args:
        categories: [n], category ids.
        vocabulary: all category ids of the source.
    """
    ids = np.array(sorted(vocabulary), np.int64)
    if not len(ids):
        return categories, 1
    if ids[0] >= 1 and ids[-1] <= CATEGORY_NUMBERS_MAX:
        return categories, int(ids[-1])
    return np.searchsorted(ids, categories) + 1, len(ids)


def distinct(count: int, rng: np.random.Generator) -> Colours:
    """Colours [count, 3] that are far apart; `rng` decides which label gets which."""
    return rng.permutation(spread_colours(count, rng)) if count else np.empty((0, 3), np.uint8)


def by_category(
    categories: NDArray[np.int64], largest: int, touching: NDArray[np.bool_]
) -> Colours:
    """Colours [n, 3] by category; equal and touching ones become shades.

    Args:
        categories: [n], numbers of the categories (see `category_numbers`).
        largest: largest number of the whole vocabulary.
        touching: [n + 1, n + 1], which labels touch (see `label_map.touching_labels`).
    """
    return _distinguished(category_colours(largest)[categories - 1], touching)


def by_class(categories: NDArray[np.int64], largest: int) -> Colours:
    """Colours [n, 3] by category, the same in every picture whatever the category touches.

    Colours lie at least 24 levels apart up to about 1,300 categories.

    Args:
        categories: [n], numbers of the categories (see `category_numbers`), each at most once.
        largest: largest number of the whole vocabulary.
    """
    return category_colours(largest)[categories - 1]


def by_position(
    boxes: NDArray[np.int64], height: int, width: int, touching: NDArray[np.bool_]
) -> Colours:
    """Colours [n, 3] by the position of boxes; equal and touching ones become shades.

    Args:
        boxes: [n, 4], x, y, width, height in output pixels.
        height, width: size of the output.
        touching: [n + 1, n + 1], which labels touch (see `label_map.touching_labels`).
    """
    across = (2 * boxes[:, 0] + boxes[:, 2]) * POSITION_COLUMNS // (2 * width)
    down = (2 * boxes[:, 1] + boxes[:, 3]) * POSITION_ROWS // (2 * height)
    cells = np.minimum(down, POSITION_ROWS - 1) * POSITION_COLUMNS
    cells += np.minimum(across, POSITION_COLUMNS - 1)
    return _distinguished(category_colours(1)[cells], touching)


def tab20(touching: NDArray[np.bool_], rng: np.random.Generator) -> Colours:
    """Colours [n, 3] of matplotlib's twenty: touching labels get colours that do not look alike.

    Each label takes the colour that was used least so far; `rng` decides between equals.
    """
    count = len(touching) - 1
    ranking = rng.permutation(len(TAB20))
    uses = np.zeros(len(TAB20), np.int64)
    choice = np.full(count + 1, -1, np.int64)
    for label in range(1, count + 1):
        neighbours = choice[touching[label]]
        taken = _TAB20_ALIKE[neighbours[neighbours >= 0]].any(axis=0)
        costs = uses + taken * (count + 1)
        best = ranking[int(costs[ranking].argmin())]
        choice[label] = best
        uses[best] += 1
    return _distinguished(TAB20[choice[1:]], touching)


def _distinguished(preferred: Colours, touching: NDArray[np.bool_]) -> Colours:
    """The preferred colour of each label; the nearest free shade where it is used or too near."""
    colours = preferred.copy()
    used = {0}
    for index, colour in enumerate(preferred):
        neighbours = colours[np.flatnonzero(touching[index + 1, 1 : index + 1])]
        gaps = ((neighbours.astype(np.int64) - colour) ** 2).sum(1)
        if int(pack(colour)) in used or (gaps < TOUCHING_DISTANCE**2).any():
            colours[index] = free_shade(colour, used, neighbours, TOUCHING_DISTANCE)
        used.add(int(pack(colours[index])))
    return colours
