"""Sets of colours: lattices over the RGB cube, farthest-point order, tab20, shades of a colour.

All colours are RGB, uint8. Black is never used: it means "unlabelled".
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit

Colours = NDArray[np.uint8]
"""[n, 3] uint8 RGB."""

# matplotlib's "tab20" (its _cm_listed / Tableau's 20 colours).
TAB20: Colours = np.array(
    [
        (31, 119, 180), (174, 199, 232), (255, 127, 14), (255, 187, 120), (44, 160, 44),
        (152, 223, 138), (214, 39, 40), (255, 152, 150), (148, 103, 189), (197, 176, 213),
        (140, 86, 75), (196, 156, 148), (227, 119, 194), (247, 182, 210), (127, 127, 127),
        (199, 199, 199), (188, 189, 34), (219, 219, 141), (23, 190, 207), (158, 218, 229),
    ],
    np.uint8,
)  # fmt: skip


def lattice_side(count: int) -> int:
    """Smallest k for which the k*k*k lattice over the RGB cube has `count` points without black."""
    side = 2
    while side**3 - 1 < count:
        side += 1
    return side


@lru_cache(maxsize=16)
def lattice(side: int) -> Colours:
    """Points [side**3, 3] of the lattice over the RGB cube, `side` levels a channel; black first.

    Neighbours lie `255 / (side - 1)` apart, rounded to whole levels.
    """
    levels = np.round(np.arange(side) * (255 / (side - 1))).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return grid.reshape(-1, 3)


def spread_colours(count: int, rng: np.random.Generator) -> Colours:
    """Colours [count, 3], each as far as possible from black and from the colours before it.

    Points of the coarsest sufficient lattice are chosen by the farthest-point rule; `rng` breaks
    ties, so that every seed has its own colours. No two are closer than the lattice's spacing.
    """
    points = lattice(lattice_side(count))
    shuffled = np.concatenate((points[:1], rng.permutation(points[1:])))
    return shuffled[_farthest_points(shuffled.astype(np.int32), count)]


def spread_around(
    count: int, rng: np.random.Generator, background: Colours, distance: float
) -> Colours:
    """Colours [count, 3], each as far as possible from a background and from those before it.

    As `spread_colours`, for any background. The lattice is the coarsest that has enough points.

    Args:
        count: how many.
        rng: breaks ties.
        background: [1, 3].
        distance: least Euclidean distance to the background, RGB levels.
    """
    side = lattice_side(count)
    while len(points := _points_beyond(side, background, distance)) < count:
        side += 1
    shuffled = np.concatenate((background.astype(np.uint8), rng.permutation(points)))
    return shuffled[_farthest_points(shuffled.astype(np.int32), count)]


def _points_beyond(side: int, background: Colours, distance: float) -> Colours:
    """The points of a lattice that are no nearer to a background."""
    points = lattice(side)
    gaps = ((points.astype(np.int64) - background.astype(np.int64)) ** 2).sum(1)
    far: Colours = points[gaps >= distance**2]
    return far


@lru_cache(maxsize=4)
def category_colours(largest_id: int) -> Colours:
    """Colours of categories, [n, 3] at the index `id - 1`, the same in every corpus.

    Ids up to 208 (all of COCO's) share a table; larger vocabularies get a finer lattice. The 8
    points of the lattice in the corner of black are left out: they would look unlabelled.
    """
    side = lattice_side(max(largest_id, 208) + 7)
    points = spread_colours(side**3 - 1, np.random.default_rng(0))
    dark = points.max(axis=1) <= lattice(side)[1].max()
    return np.delete(points, np.flatnonzero(dark), axis=0)


@njit
def _farthest_points(points: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Indices of `count` points, each the farthest from points[0] and from those chosen before."""
    chosen = np.empty(count, np.int64)
    nearest = np.full(len(points), np.iinfo(np.int64).max)
    last = 0
    for step in range(count):
        best = 0
        for index in range(len(points)):
            distance = np.int64(0)
            for channel in range(3):
                gap = np.int64(points[index, channel] - points[last, channel])
                distance += gap * gap
            nearest[index] = min(nearest[index], distance)
            if nearest[index] > nearest[best]:
                best = index
        chosen[step] = best
        last = best
    return chosen


def _steps(reach: int, stride: int) -> NDArray[np.int64]:
    """Differences to a colour [n, 3], the smallest first."""
    axis = np.arange(-reach, reach + 1) * stride
    steps = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    return steps[np.argsort((steps**2).sum(1), kind="stable")]


@lru_cache(maxsize=1)
def _strides() -> NDArray[np.int64]:
    return _steps(10, 24)


@lru_cache(maxsize=1)
def _single_levels() -> NDArray[np.int64]:
    return _steps(8, 1)


def pack(colours: NDArray[np.integer]) -> NDArray[np.int64]:
    """RGB [..., 3] -> an integer for each colour, `R << 16 | G << 8 | B`."""
    wide = colours.astype(np.int64)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def free_shade(colour: Colours, used: set[int], neighbours: Colours, distance: float) -> Colours:
    """The nearest unused shade of a colour that keeps its distance from neighbouring colours.

    Where `colour` itself keeps the distance, the shade differs by single levels, which no eye sees;
    else by strides of 24 levels. Where no shade is free, it is the unused colour of a lattice that
    is farthest from the neighbours.

    Args:
        colour: [3].
        used: packed colours that must not be returned (see `pack`); black never is.
        neighbours: [m, 3], colours of touching labels.
        distance: least Euclidean distance to every neighbour, RGB levels.

    Returns:
        [3] uint8 RGB.
    """
    near = ((neighbours.astype(np.int64) - colour) ** 2).sum(1) < distance**2
    shades = colour.astype(np.int64) + (_strides() if near.any() else _single_levels())
    shades = shades[((shades >= 0) & (shades <= 255)).all(1)]
    if len(neighbours):
        gaps = ((shades[:, None] - neighbours.astype(np.int64)[None]) ** 2).sum(2).min(1)
        shades = shades[gaps >= distance**2]
    for shade, packed in zip(shades, pack(shades).tolist(), strict=True):
        if packed and packed not in used:
            return np.asarray(shade, np.uint8)
    return _farthest_unused(used, neighbours)


def _farthest_unused(used: set[int], neighbours: Colours) -> Colours:
    points = lattice(max(lattice_side(len(used) + 1), 8))
    points = points[[packed not in used and packed > 0 for packed in pack(points).tolist()]]
    if not len(neighbours):
        return points[:1].reshape(3)
    gaps = ((points[:, None].astype(np.int64) - neighbours.astype(np.int64)[None]) ** 2).sum(2)
    best = int(gaps.min(1).argmax())
    return points[best : best + 1].reshape(3)
