"""Hidden regions: brush strokes, boxes or patches of a grid, filled with flat grey."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.degradations.pixels import (
    DIRECTION_ONE,
    Mask,
    Pixels,
    cosine,
    sine,
)

Shape = Literal["strokes", "boxes", "mixed"]

GREY = 128
"""Level of all channels of hidden pixels."""

_BATCH = 16
_TURN = 40  # degrees at most from one piece of a stroke to the next


def hide(picture: Pixels, mask: Mask) -> Pixels:
    """A copy of a picture that is grey where `mask` [H, W] is true."""
    hidden = np.empty(picture.shape, np.uint8)
    _hide(picture.reshape(-1, 3), mask.ravel(), hidden.reshape(-1, 3))
    return hidden


def patch_mask(
    height: int, width: int, patch: int, ratio: float, rng: np.random.Generator
) -> tuple[Mask, int]:
    """Mask of randomly chosen patches of a grid, which begins at the top left corner.

    Args:
        height, width: size of the picture.
        patch: side of a patch in pixels; patches at the right and bottom edges may be cut off.
        ratio: share of the patches that is hidden, 0 to 1, rounded; one patch at least.
        rng: chooses the patches.

    Returns:
        The mask [H, W] bool, and how many patches it hides.
    """
    rows, columns = -(-height // patch), -(-width // patch)
    hidden = max(1, round(ratio * rows * columns))
    grid = np.zeros(rows * columns, np.bool_)
    grid[rng.permutation(rows * columns)[:hidden]] = True
    tall = np.repeat(grid.reshape(rows, columns), patch, axis=1)[:, :width]
    return np.repeat(tall, patch, axis=0)[:height], hidden


def shape_mask(
    height: int, width: int, shape: Shape, share: float, rng: np.random.Generator
) -> Mask:
    """Mask [H, W] of random shapes that hide a share of the picture, exact to the pixel.

    The last shape ends where the share is reached. Sizes are in proportion to the square root of
    the picture's area.

    Args:
        height, width: size of the picture.
        shape: `mixed` is strokes and boxes in turn.
        share: of the pixels that are hidden, 0 to 1; one pixel at least.
        rng: draws the shapes.
    """
    mask = np.zeros((height, width), np.bool_)
    goal = max(1, round(share * height * width))
    drawers = {"strokes": (_strokes,), "boxes": (_boxes,), "mixed": (_strokes, _boxes)}[shape]
    hidden = 0
    while hidden < goal:
        batches = [drawer(height, width, _BATCH // len(drawers), rng) for drawer in drawers]
        hidden = _cover(mask, np.concatenate(batches), hidden, goal)
    return mask


def _strokes(height: int, width: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Brush strokes as pieces [K, 5]: x and y of both ends, and the radius."""
    scale = math.isqrt(height * width)
    pieces = []
    for _ in range(count):
        steps = int(rng.integers(6, 21))
        heading = rng.integers(0, 360) + np.cumsum(rng.integers(-_TURN, _TURN + 1, steps))
        lengths = rng.integers(scale // 64 + 1, scale // 16 + 2, steps)
        start = np.array([rng.integers(0, width), rng.integers(0, height)])
        moves = np.stack((cosine(heading), sine(heading)), axis=1) * lengths[:, None]
        corners = np.concatenate((start[None], start + np.cumsum(moves, axis=0) // DIRECTION_ONE))
        radius = np.full((steps, 1), rng.integers(scale // 64 + 1, scale // 24 + 2))
        pieces.append(np.concatenate((corners[:-1], corners[1:], radius), axis=1))
    return np.concatenate(pieces)


def _boxes(height: int, width: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Boxes as pieces [K, 5]: x and y of two opposite corners, and no radius."""
    scale = math.isqrt(height * width)
    sides = rng.integers(scale // 20 + 1, scale // 3 + 2, (count, 2))
    centres = rng.integers(0, (width, height), (count, 2))
    begins = centres - sides // 2
    return np.concatenate((begins, begins + sides - 1, np.full((count, 1), -1)), axis=1)


@njit
def _cover(mask: Mask, pieces: NDArray[np.int64], hidden: int, goal: int) -> int:
    """Paint pieces row by row until `goal` pixels are hidden; the number of hidden pixels."""
    height, width = mask.shape
    for piece in range(len(pieces)):
        x0, y0, x1, y1, radius = pieces[piece]
        # discs half a radius apart along the piece; a box needs none
        discs = 0
        if radius >= 0:
            discs = 2 * max(abs(x1 - x0), abs(y1 - y0)) // max(radius, 1) + 1
        reach = max(radius, 0)
        for y in range(max(min(y0, y1) - reach, 0), min(max(y0, y1) + reach, height - 1) + 1):
            left, right = (width, -1) if discs else (x0, x1)
            for disc in range(discs + 1 if discs else 0):
                rise = abs(y - (y0 + (y1 - y0) * disc // discs))
                if rise <= radius:
                    half = int(math.sqrt(radius * radius - rise * rise))
                    x = x0 + (x1 - x0) * disc // discs
                    left, right = min(left, x - half), max(right, x + half)
            left, right = max(left, 0), min(right, width - 1)
            for x in range(left, right + 1):
                if not mask[y, x]:
                    mask[y, x] = True
                    hidden += 1
                    if hidden == goal:
                        return hidden
    return hidden


@njit
def _hide(values: NDArray[np.uint8], mask: Mask, hidden: NDArray[np.uint8]) -> None:
    for at in range(len(mask)):
        for channel in range(3):
            hidden[at, channel] = GREY if mask[at] else values[at, channel]
