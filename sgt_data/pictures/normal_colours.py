"""Surface normals as colours, and back, in the conventions of released normal maps.

A colour states a vector by its three channels: `channel = round((component + 1) / 2 * 255)`. In our
convention the components are right, up and towards the viewer, as the camera sees the scene. The
other conventions differ by directions alone:

- `marigold` is ours. Diffusers documents its pipeline (`MarigoldImageProcessor.visualize_normals`):
  "Default direction is right", "top", "facing the observer".
- `dsine` has left for right. DSINE's README states the axes (right, down, front) and vectors that
  point away from the camera, so that a wall which faces the camera has (0, 0, 1); by the signs of
  the picture that is left, up, towards the viewer.
- `nyuv2` is that of the NYUv2 normal maps of GeoNet in DSINE's evaluation data, which DSINE
  compares with its own output as they are, so: left, up, towards the viewer, black where there is
  none. NYUv2 itself publishes no normals, and the authors of 2D-3D-S describe its colours
  otherwise (right, down, towards the camera). For other files state the directions yourself.

Black means "no normal". A unit vector has length 1, and rounding moves it by sqrt(3) / 255 at most;
the vector of black has length sqrt(3). So no normal is ever drawn in black, also none near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import RequestError
from sgt_data.suggestions import not_among

NormalsConvention = Literal["ours", "nyuv2", "dsine", "marigold"]
Directions = tuple[
    Literal["right", "left"],
    Literal["up", "down"],
    Literal["towards the viewer", "away from the viewer"],
]
"""Where a large red, green and blue value points."""

OURS: Final[Directions] = ("right", "up", "towards the viewer")
_OPPOSITE: Final[Directions] = ("left", "down", "away from the viewer")
_LEFT_UP: Final[Directions] = ("left", "up", "towards the viewer")

CONVENTIONS: Final[dict[NormalsConvention, Directions]] = {
    "ours": OURS,
    "nyuv2": _LEFT_UP,
    "dsine": _LEFT_UP,
    "marigold": OURS,
}
"""The directions of red, green and blue of each convention."""

SHORTEST: Final = 0.5
"""A stored vector that is shorter states no normal."""

ROUNDING: Final = 3**0.5 / 255
"""Largest distance between a unit vector and the vector of its colour, which is 0.39 degrees."""


def directions_of(convention: NormalsConvention | Sequence[str]) -> Directions:
    """The directions of red, green and blue of a convention.

    Args:
        convention: its name, or the three directions themselves.

    Raises:
        RequestError: there is no such convention, or a direction does not fit its channel.
    """
    if isinstance(convention, str):
        if convention not in CONVENTIONS:
            raise RequestError(f"convention: {not_among(convention, get_args(NormalsConvention))}")
        return CONVENTIONS[convention]
    given = tuple(convention)
    if len(given) != len(OURS):
        raise RequestError(
            f"convention: found {len(given)} directions; allowed: three, of red, green and blue"
        )
    for direction, pair in zip(given, zip(OURS, _OPPOSITE, strict=True), strict=True):
        if direction not in pair:
            raise RequestError(f"convention: {not_among(str(direction), pair)}")
    return given  # type: ignore[return-value]


def signs_of(convention: NormalsConvention | Sequence[str]) -> NDArray[np.float32]:
    """1 for each channel of a convention that points as ours, else -1: [3] float32.

    Raises:
        RequestError: there is no such convention.
    """
    same = np.equal(directions_of(convention), OURS)
    return np.where(same, 1, -1).astype(np.float32)


def colours_of_normals(
    vectors: NDArray[np.float32], convention: NormalsConvention | Sequence[str] = "ours"
) -> NDArray[np.uint8]:
    """Colours [H, W, 3] uint8 of unit vectors, black where there is none.

    Args:
        vectors: [H, W, 3] float32: right, up, towards the viewer; NaN where there is none.
        convention: directions of the colours.

    Raises:
        RequestError: there is no such convention.
    """
    return _colours(np.ascontiguousarray(vectors, np.float32), signs_of(convention))


def normals_of_colours(
    rgb: NDArray[np.uint8], convention: NormalsConvention | Sequence[str] = "ours"
) -> NDArray[np.float32]:
    """Unit vectors of the colours of any picture, such as a drawing of a model.

    The vector of a colour is brought to length 1. A colour that lies nearer to black than to the
    colour of any unit vector states that there is no normal. No colour lacks a direction: even the
    mid grey (128, 128, 128) has one, though it says next to nothing.

    Args:
        rgb: [H, W, 3] uint8.
        convention: directions of the colours.

    Returns:
        [H, W, 3] float32: right, up, towards the viewer, of length 1; NaN where there is none.

    Raises:
        RequestError: there is no such convention.
    """
    return _vectors(np.ascontiguousarray(rgb, np.uint8), signs_of(convention))


def is_black(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels of a picture [H, W, 3] state that there is no normal: [H, W]."""
    black: NDArray[np.bool_] = (rgb[..., 0] | rgb[..., 1] | rgb[..., 2]) == 0
    return black


def is_unit_colour(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether a unit vector can have each colour: [H, W] of [H, W, 3] uint8, in any convention."""
    doubled = 2 * rgb.astype(np.int32) - 255
    squares = (doubled * doubled).sum(axis=-1)
    low, high = (255 * (1 - ROUNDING)) ** 2, (255 * (1 + ROUNDING)) ** 2
    inside: NDArray[np.bool_] = (squares >= low) & (squares <= high)
    return inside


def kept_colours(
    levels: NDArray[np.uint8],
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    axes: tuple[int, int, int],
    none: tuple[int, int, int],
    convention: NormalsConvention | Sequence[str] = "ours",
) -> NDArray[np.uint8]:
    """Colours [h, w, 3] uint8 of some normals that are colours of another convention already.

    A colour that a unit vector has is kept as it is, but for the order and the sense of its
    channels; others are those of the vector brought to length 1. Black stands where there is none:
    at the colour `none`, and where the vector is shorter than half of a unit vector.

    Args:
        levels: [H, W, 3] uint8.
        at: the [h] rows and the [w] columns of them that are wanted.
        axes: see `records.NormalMap`.
        none: colour that states no normal.
        convention: directions of the colours that are drawn.

    Raises:
        RequestError: there is no such convention.
    """
    signs = signs_of(convention).astype(np.int64) * np.sign(axes)
    channels = np.abs(axes) - 1
    return _kept(
        np.ascontiguousarray(levels), at, (channels, signs), np.array(none, np.int64),
        ROUNDING + 1e-6,
    )  # fmt: skip


@njit
def _kept(
    levels: NDArray[np.uint8],
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    axes: tuple[NDArray[np.int64], NDArray[np.int64]],
    none: NDArray[np.int64],
    rounding: float,
) -> NDArray[np.uint8]:
    (rows, columns), (channels, signs) = at, axes
    colours = np.zeros((len(rows), len(columns), 3), np.uint8)
    low, high = (255.0 * (1.0 - rounding)) ** 2, (255.0 * (1.0 + rounding)) ** 2
    for y in range(len(rows)):
        row = levels[rows[y]]
        for x in range(len(columns)):
            column = columns[x]
            red, green = np.int64(row[column, 0]), np.int64(row[column, 1])
            blue = np.int64(row[column, 2])
            if red == none[0] and green == none[1] and blue == none[2]:
                continue
            square = (2 * red - 255) ** 2 + (2 * green - 255) ** 2 + (2 * blue - 255) ** 2
            is_kept = low <= square <= high
            length = 1.0 if is_kept else np.sqrt(np.float64(square)) / 255.0
            if length < SHORTEST:
                continue
            for c in range(3):
                level = np.int64(row[column, channels[c]])
                if signs[c] < 0:
                    level = 255 - level
                if not is_kept:
                    component = (level / 127.5 - 1.0) / length
                    level = np.int64(np.rint((component + 1.0) * 127.5))
                colours[y, x, c] = level
    return colours


@njit
def _colours(vectors: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = vectors.shape[:2]
    colours = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            if np.isnan(vectors[y, x, 0] + vectors[y, x, 1] + vectors[y, x, 2]):
                continue
            for c in range(3):
                level = (vectors[y, x, c] * signs[c] + 1.0) * 127.5
                colours[y, x, c] = np.uint8(min(max(np.rint(level), 0.0), 255.0))
    return colours


@njit
def _vectors(rgb: NDArray[np.uint8], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = rgb.shape[:2]
    vectors = np.empty((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            red = rgb[y, x, 0] / 127.5 - 1.0
            green = rgb[y, x, 1] / 127.5 - 1.0
            blue = rgb[y, x, 2] / 127.5 - 1.0
            length = np.sqrt(red * red + green * green + blue * blue)
            to_black = np.sqrt((red + 1.0) ** 2 + (green + 1.0) ** 2 + (blue + 1.0) ** 2)
            if to_black < abs(length - 1.0):
                vectors[y, x, :] = np.nan
                continue
            vectors[y, x, 0] = signs[0] * red / length
            vectors[y, x, 1] = signs[1] * green / length
            vectors[y, x, 2] = signs[2] * blue / length
    return vectors
