"""Distances as colours: a power transform, then a walk along seven edges of the RGB cube.

After the published description of Vision Banana (arXiv 2604.20329, 2026): a distance of d metres
becomes the fraction f = 1 - (1 - d / (lam c))^(lam + 1) (Barron, 2025), lam = -3 and c = 10/3,
which rises from 0 at 0 m to 1 at infinity; the fraction is the length of a walk from black to
white: black, red, yellow, green, cyan, blue, magenta, white. A colour that is not on the walk means
the nearest point that is.

With 8 bits a channel the walk has 1,786 points, 255 to an edge; `walk_colours` takes the nearest
one, so a fraction is wrong by 1/3570 at most. Every edge changes one channel, so projection is an
integer comparison of seven distances.

Why it is ours: `hilbertmap` (PyPI, MIT) draws the same walk and is the oracle of its tests; it
imports matplotlib, takes pictures of floats, and its projection takes over a hundred times as long.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

LAM, C = -3.0, 10 / 3
"""Shape and scale (metres) of the power transform that Vision Banana uses."""

CORNERS = (
    ("black", (0, 0, 0)),
    ("red", (255, 0, 0)),
    ("yellow", (255, 255, 0)),
    ("green", (0, 255, 0)),
    ("cyan", (0, 255, 255)),
    ("blue", (0, 0, 255)),
    ("magenta", (255, 0, 255)),
    ("white", (255, 255, 255)),
)  # fmt: skip
"""The corners of the cube in the order of the walk, with their names."""

_EDGE = 255
POINTS = (len(CORNERS) - 1) * _EDGE + 1
"""Colours of the walk."""


def fraction_of_metres(
    metres: NDArray[np.floating], lam: float = LAM, c: float = C
) -> NDArray[np.float64]:
    """Fractions of the walk, 0 to 1, of distances; infinity gives 1, NaN stays NaN.

    Args:
        metres: distances, 0 and more.
        lam: shape, below -1.
        c: scale in metres, above 0.
    """
    return 1 - (1 - np.asarray(metres, np.float64) / (lam * c)) ** (lam + 1)


def metres_of_fraction(
    fractions: NDArray[np.floating], lam: float = LAM, c: float = C
) -> NDArray[np.float64]:
    """Distances in metres of fractions of the walk, 0 to 1: the inverse of `fraction_of_metres`."""
    with np.errstate(divide="ignore"):
        grown = (1 - np.asarray(fractions, np.float64)) ** (1 / (lam + 1))
    return -lam * c * (grown - 1)


def metres_of_points(lam: float = LAM, c: float = C) -> NDArray[np.float64]:
    """Distance in metres of every point of the walk: [POINTS], 0 first and infinity last."""
    return metres_of_fraction(np.arange(POINTS) / (POINTS - 1), lam, c)


def largest_error(
    metres: NDArray[np.floating], lam: float = LAM, c: float = C
) -> NDArray[np.float64]:
    """Largest error in metres of distances that were drawn and decoded: half a step of the walk.

    Infinite where the nearest point is white, NaN where a distance is.

    Args:
        metres: distances, before or after.
        lam, c: of the power transform.
    """
    given = np.asarray(metres, np.float64)
    known = ~np.isnan(given)
    points = walk_points(fraction_of_metres(np.where(known, given, 0), lam, c))
    edges = metres_of_fraction(np.clip((np.arange(POINTS) + 0.5) / (POINTS - 1), 0, 1), lam, c)
    # the far half of a step is the longer one
    steps = np.append(edges[:-1] - metres_of_points(lam, c)[:-1], np.inf)
    return np.where(known, steps[points], np.nan)


def walk_points(fractions: NDArray[np.floating]) -> NDArray[np.int64]:
    """Number of the nearest of the `POINTS` points of the walk, by fraction; ties go up."""
    clipped = np.clip(np.asarray(fractions, np.float64), 0, 1)
    return np.floor(clipped * (POINTS - 1) + 0.5).astype(np.int64)


@lru_cache(maxsize=1)
def walk_table() -> NDArray[np.uint8]:
    """The colour of every point of the walk: [POINTS, 3] RGB, all different."""
    corners = np.array([rgb for _, rgb in CORNERS], np.int64)
    steps = np.arange(_EDGE)[:, None]
    edges = [begin + (end - begin) // _EDGE * steps for begin, end in pairwise(corners)]
    return np.concatenate([*edges, corners[-1:]]).astype(np.uint8)


def walk_colours(fractions: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colours [..., 3] RGB of fractions [...] of the walk, clipped to 0 and 1; none may be NaN."""
    return walk_table()[walk_points(fractions)]


def walk_fractions(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Fractions [...] of the points of the walk that are nearest to any colours [..., 3] RGB.

    Exact for colours of the walk; where two points are equally near, the one nearer to black.
    """
    return projected_points(rgb) / (POINTS - 1)


def projected_points(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Numbers [...] of the points of the walk that are nearest to any colours [..., 3] RGB."""
    flat = np.ascontiguousarray(rgb, np.uint8).reshape(-1, 3)
    return _project(flat).reshape(np.shape(rgb)[:-1])


@njit
def _project(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    points = np.empty(len(rgb), np.uint16)
    for at in range(len(rgb)):
        r, g, b = np.int32(rgb[at, 0]), np.int32(rgb[at, 1]), np.int32(rgb[at, 2])
        no_r, no_g, no_b = (_EDGE - r) ** 2, (_EDGE - g) ** 2, (_EDGE - b) ** 2
        # by edge: squared distance, and the steps along the edge
        point, least = r, g * g + b * b
        if no_r + b * b < least:
            point, least = _EDGE + g, no_r + b * b
        if no_g + b * b < least:
            point, least = 2 * _EDGE + (_EDGE - r), no_g + b * b
        if r * r + no_g < least:
            point, least = 3 * _EDGE + b, r * r + no_g
        if r * r + no_b < least:
            point, least = 4 * _EDGE + (_EDGE - g), r * r + no_b
        if g * g + no_b < least:
            point, least = 5 * _EDGE + r, g * g + no_b
        if no_r + no_b < least:
            point = 6 * _EDGE + g
        points[at] = point
    return points
