"""Linear light -> 8-bit picture: soft edges of shadows, tone mapping, smooth outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import Record, njit
from sgt_data.scenes.backdrop import meet_backdrop
from sgt_data.scenes.cast import meet_solid, ray_through, surface_of
from sgt_data.scenes.light import PATTERN
from sgt_data.scenes.shade import Images

EXPOSURE = 0.57
RAYS = ((0.125, 0.375), (0.625, 0.125), (0.875, 0.625), (0.375, 0.875))
"""Places within a pixel at which outlines are sampled."""


@njit
def _tone(light: float) -> float:
    """Filmic curve (K. Narkowicz, "ACES filmic tone mapping curve", 2015), 0 to 1."""
    v = EXPOSURE * light
    return min(max((v * (2.51 * v + 0.03)) / (v * (2.43 * v + 0.59) + 0.14), 0.0), 1.0)


@njit
def map_tones(code: NDArray[np.int32], images: Images, tones: NDArray[np.float32]) -> None:
    """Fill `tones` [H, W, 3] with values from 0 to 1; the edges of shadows are softened."""
    ambient, direct, sunlit = images
    height, width = code.shape
    edges = _shadow_edges(sunlit)
    for y in range(height):
        for x in range(width):
            share = float(sunlit[y, x])
            if edges[y // PATTERN, x // PATTERN] and direct[y, x, 0] > 0.0:
                share = _mean_sun(code, sunlit, x, y)
            for c in range(3):
                tones[y, x, c] = _tone(ambient[y, x, c] + share * direct[y, x, c])


@njit
def _shadow_edges(sunlit: NDArray[np.float32]) -> NDArray[np.bool_]:
    """For every PATTERN-sized block: whether sun and shadow meet in it or just around it."""
    height, width = sunlit.shape
    edges = np.empty(((height - 1) // PATTERN + 1, (width - 1) // PATTERN + 1), np.bool_)
    for row in range(edges.shape[0]):
        top, bottom = max(PATTERN * row - 3, 0), min(PATTERN * row + PATTERN + 3, height)
        for column in range(edges.shape[1]):
            left, right = max(PATTERN * column - 3, 0), min(PATTERN * column + PATTERN + 3, width)
            total = 0.0
            for y in range(top, bottom):
                for x in range(left, right):
                    total += sunlit[y, x]
            edges[row, column] = 0.0 < total < (bottom - top) * (right - left)
    return edges


@njit
def _mean_sun(code: NDArray[np.int32], sunlit: NDArray[np.float32], x: int, y: int) -> float:
    """Mean of `sunlit` around a pixel, on its own surface alone.

    The weights are a tent, under which every direction of the pattern counts the same.
    """
    height, width = code.shape
    surface = code[y, x]
    total, weights = 0.0, 0.0
    for v in range(max(y - PATTERN + 1, 0), min(y + PATTERN, height)):
        row_weight = PATTERN - abs(v - y)
        for u in range(max(x - PATTERN + 1, 0), min(x + PATTERN, width)):
            if code[v, u] == surface:
                weight = float(row_weight * (PATTERN - abs(u - x)))
                total += weight * sunlit[v, u]
                weights += weight
    return total / weights


@njit
def _is_outline(code: NDArray[np.int32], x: int, y: int) -> bool:
    height, width = code.shape
    surface = code[y, x]
    return bool(
        (x > 0 and code[y, x - 1] != surface)
        or (x + 1 < width and code[y, x + 1] != surface)
        or (y > 0 and code[y - 1, x] != surface)
        or (y + 1 < height and code[y + 1, x] != surface)
    )


@njit
def _surface_at(
    world: Record,
    near: NDArray[np.int32],
    count: int,
    x: float,
    y: float,
) -> int:
    """Surface code at a raster point, given the `count` codes met around it."""
    ray = ray_through(world, x, y)
    nearest, nearest_solid = np.inf, -1
    backdrop = False
    for k in range(count):
        if near[k] < 8:
            backdrop = True
            continue
        i = (near[k] >> 3) - 1
        if i != nearest_solid:
            t = meet_solid(world.solids[i], world, ray)
            if t < nearest:
                nearest, nearest_solid = t, i
    if nearest_solid >= 0:
        solid = world.solids[nearest_solid]
        return surface_of(solid, nearest_solid, world, ray, nearest)[3]
    if backdrop:
        return meet_backdrop(world, ray[0], ray[1], ray[2])[0]
    return -1


@njit
def _around(
    code: NDArray[np.int32], x: int, y: int, near: NDArray[np.int32], at: NDArray[np.int64]
) -> int:
    """Collect the distinct codes of the 3 x 3 pixels around (x, y), closest first."""
    height, width = code.shape
    near[0] = code[y, x]
    at[0] = y * width + x
    count = 1
    for reach in (1, 2):
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                if abs(u - x) + abs(v - y) != reach:
                    continue
                collected = False
                for k in range(count):
                    collected = collected or near[k] == code[v, u]
                if not collected:
                    near[count] = code[v, u]
                    at[count] = v * width + u
                    count += 1
    return count


@njit
def print_picture(
    world: Record,
    code: NDArray[np.int32],
    tones: NDArray[np.float32],
    srgb: NDArray[np.uint8],
    picture: NDArray[np.uint8],
) -> None:
    """Fill `picture` [H, W, 3] uint8 RGB; pixels on outlines blend the surfaces they cover."""
    height, width = code.shape
    flat = tones.reshape((height * width, 3))
    near = np.empty(9, np.int32)
    at = np.empty(9, np.int64)
    last = float(srgb.shape[0] - 1)
    for y in range(height):
        for x in range(width):
            red, green, blue = tones[y, x, 0], tones[y, x, 1], tones[y, x, 2]
            if _is_outline(code, x, y):
                count = _around(code, x, y, near, at)
                for ray in RAYS:
                    surface = _surface_at(world, near, count, x + ray[0], y + ray[1])
                    source = at[0]
                    for k in range(count):
                        if near[k] == surface:
                            source = at[k]
                            break
                    red += flat[source, 0]
                    green += flat[source, 1]
                    blue += flat[source, 2]
                share = 1.0 / (len(RAYS) + 1.0)
                red, green, blue = red * share, green * share, blue * share
            picture[y, x, 0] = srgb[int(red * last + 0.5)]
            picture[y, x, 1] = srgb[int(green * last + 0.5)]
            picture[y, x, 2] = srgb[int(blue * last + 0.5)]
