"""Surface normals of metric depth: a least-squares plane through the neighbourhood of each pixel.

Points of a plane have an inverse depth that is linear in the picture (`n . ray = 1 / depth` for the
plane `n . point = 1`). So the plane is fitted to inverse depth: it minimises the sum of
`(n . ray - 1 / depth)^2`, which is the sum of `(n . point - 1)^2` over the back-projected points,
each weighted by `1 / depth^2`. A plane is met exactly, however steep it is.

The neighbourhood of a pixel are the `window x window` pixels of the output around it. Each stands
for the stored pixel under its centre, with its own place: every point is a measured one, none is
interpolated, and the neighbourhood of a large picture is as large as what the target shows of it.
(Where the output is larger than the stored picture, the window grows by as much.) Left out are

- pixels without measurement, and those that are infinitely far;
- what lies across an edge: the slope along rows and columns is that to the flatter side, half a
  window away; a neighbour whose inverse depth is off the plane of these slopes by more than the
  share `edge` of the pixel's own belongs to another surface.

A pixel has a normal where a quarter of the window or more is left, and these points lie on no line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import AnnotationError
from sgt_data.records import DenseMap, Intrinsics
from sgt_data.segmentation.pixel_sampling import SampleGrid

Row = NDArray[np.float32]
"""A number for each pixel of a row of the output."""

_LEAST_SHARE: Final = 1 / 4
_SUMS: Final = 9
"""Of a plane: count, x, y, x x, y y, x y, and value, value x, value y; x and y in stored pixels
from the pixel, the value in inverse depth more than its own."""


@dataclass(frozen=True, slots=True)
class PlaneFit:
    """How planes are laid through neighbourhoods; see the module.

    Attributes:
        window: pixels along a side of the neighbourhood, odd.
        edge: largest share by which a neighbour may be off the plane of a pixel's surface.
        farthest: distance in metres beyond which nothing counts as measured.
    """

    window: int = 5
    edge: float = 0.01
    farthest: float = np.inf


def normals_of_depth(
    depth: DenseMap, camera: Intrinsics, grid: SampleGrid, fit: PlaneFit
) -> NDArray[np.float32]:
    """Unit vectors [h', w', 3] right, up, towards the viewer of the stored picture, at the grid's
    stored rows and columns; NaN where there is none.

    Args:
        depth: metric depth on the stored pixels.
        camera: in stored pixels.
        grid: the stored pixels of the output.
        fit: how planes are laid through neighbourhoods.

    Raises:
        AnnotationError: the map has another size than its picture.
    """
    height, width = depth.codes.shape
    if (height, width) != (grid.stored_height, grid.stored_width):
        raise AnnotationError(
            f"the depth map is for {width}x{height} pixels, the picture has "
            f"{grid.stored_width}x{grid.stored_height}"
        )
    with np.errstate(divide="ignore"):
        inverse = 1 / depth.metres_of_codes()
    inverse[~(inverse >= 1 / fit.farthest)] = 0  # not measured, endless, or too far
    near = inverse.astype(np.float32)
    reach = (
        fit.window // 2 * max(1, round(len(grid.rows) / height), round(len(grid.columns) / width))
    )
    values = np.zeros((len(grid.rows) + 2 * reach, len(grid.columns) + 2 * reach), np.float32)
    values[reach:-reach, reach:-reach] = near.take(
        depth.codes[grid.rows[:, None], grid.columns[None, :]]
    )
    down, across = _padded(grid.rows, reach), _padded(grid.columns, reach)
    lens = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
    return _fitted(values, down, across, lens, reach, np.float32(fit.edge))


def _padded(places: NDArray[np.int64], reach: int) -> Row:
    return np.pad(places, reach, mode="edge").astype(np.float32)


@njit
def _fitted(
    values: NDArray[np.float32],
    down: Row,
    across: Row,
    lens: NDArray[np.float64],
    reach: int,
    edge: np.float32,
) -> NDArray[np.float32]:
    """Normals of all pixels. `values` are inverse depth, `down` and `across` the stored rows and
    columns, all with a border of `reach` pixels without measurement."""
    height, width = values.shape[0] - 2 * reach, values.shape[1] - 2 * reach
    normals = np.empty((height, width, 3), np.float32)
    slopes = np.empty((2, width), np.float32)
    sums = np.empty((_SUMS, width), np.float32)
    of_row = np.empty((5, width), np.float32)
    expected, bound = np.empty(width, np.float32), np.empty(width, np.float32)
    aside = np.empty((2 * reach + 1, width), np.float32)
    for u in range(2 * reach + 1):
        for x in range(width):
            aside[u, x] = across[x + u] - across[x + reach]
    least = np.float32(_LEAST_SHARE * (2 * reach + 1) ** 2)
    for y in range(height):
        own = values[y + reach, reach : reach + width]
        _slopes(values, y, (down, across), reach, slopes)
        for x in range(width):
            bound[x] = edge * own[x]
        sums[:] = 0
        for v in range(2 * reach + 1):
            dy = down[y + v] - down[y + reach]
            for x in range(width):
                expected[x] = own[x] + dy * slopes[0, x]
            of_row[:] = 0
            for u in range(2 * reach + 1):
                line = values[y + v, u : u + width]
                _add_line(line, own, expected, bound, (slopes[1], aside[u]), of_row)
            _add_row(of_row, dy, sums)
        _solve(sums, own, (down[y + reach], across[reach:]), lens, least, normals[y])
    return normals


@njit
def _slopes(
    values: NDArray[np.float32], y: int, places: tuple[Row, Row], reach: int, slopes: Row
) -> None:
    """Fill `slopes` [2, w]: change of inverse depth by stored row and by stored column, to the
    flatter side, half a window away; 0 where neither side is measured."""
    down, across = places
    row = y + reach
    width = slopes.shape[1]
    own, above, below = values[row], values[row - reach], values[row + reach]
    to_above = max(down[row] - down[row - reach], np.float32(1))
    to_below = max(down[row + reach] - down[row], np.float32(1))
    for x in range(width):
        at = own[x + reach]
        first, second = above[x + reach], below[x + reach]
        slopes[0, x] = _flatter((at - first) / to_above, first, (second - at) / to_below, second)
        to_left = max(across[x + reach] - across[x], np.float32(1))
        to_right = max(across[x + 2 * reach] - across[x + reach], np.float32(1))
        first, second = own[x], own[x + 2 * reach]
        slopes[1, x] = _flatter((at - first) / to_left, first, (second - at) / to_right, second)


@njit
def _flatter(
    before: np.float32, first: np.float32, behind: np.float32, second: np.float32
) -> np.float32:
    zero = np.float32(0)
    before = before if first > zero else (behind if second > zero else zero)
    behind = behind if second > zero else before
    return before if abs(before) < abs(behind) else behind


@njit
def _add_line(
    line: Row, own: Row, expected: Row, bound: Row, along: tuple[Row, Row], of_row: Row
) -> None:
    """Add one neighbour of each pixel, where it lies on the pixel's surface: to count, x, x x,
    value and value x. Each step is done for a whole row, so that vector instructions do it."""
    slope, aside = along
    no, yes = np.float32(0), np.float32(1)
    for x in range(len(line)):
        dx = aside[x]
        off = abs(line[x] - expected[x] - dx * slope[x])
        counts = yes if (off <= bound[x]) & (line[x] > no) else no
        more = counts * (line[x] - own[x])
        of_row[0, x] += counts
        of_row[1, x] += counts * dx
        of_row[2, x] += counts * dx * dx
        of_row[3, x] += more
        of_row[4, x] += more * dx


@njit
def _add_row(of_row: Row, dy: np.float32, sums: Row) -> None:
    for x in range(of_row.shape[1]):
        count, dx, square = of_row[0, x], of_row[1, x], of_row[2, x]
        more, by_x = of_row[3, x], of_row[4, x]
        sums[0, x] += count
        sums[1, x] += dx
        sums[2, x] += count * dy
        sums[3, x] += square
        sums[4, x] += count * dy * dy
        sums[5, x] += dx * dy
        sums[6, x] += more
        sums[7, x] += by_x
        sums[8, x] += more * dy


@njit
def _solve(
    sums: Row,
    own: Row,
    place: tuple[np.float32, Row],
    lens: NDArray[np.float64],
    least: np.float32,
    normals: NDArray[np.float32],
) -> None:
    """Fill the normals [w, 3] of a row from the sums of its planes."""
    row, columns = place
    fx, fy, cx, cy = lens
    for j in range(normals.shape[0]):
        count = np.float64(sums[0, j])
        x, y, xx, yy, xy = sums[1, j], sums[2, j], sums[3, j], sums[4, j], sums[5, j]
        q, qx, qy = sums[6, j], sums[7, j], sums[8, j]
        share = 1.0 / count
        sxx, syy, sxy = xx - x * x * share, yy - y * y * share, xy - x * y * share
        sqx, sqy = qx - q * x * share, qy - q * y * share
        spread = sxx * syy - sxy * sxy
        if own[j] <= 0.0 or count < least or not spread > 1e-3:
            normals[j, :] = np.nan
            continue
        factor = 1.0 / spread
        by_column = (sqx * syy - sqy * sxy) * factor
        by_row = (sqy * sxx - sqx * sxy) * factor
        middle = own[j] + (q - by_column * x - by_row * y) * share
        # n . ray of the rays ((column - cx) / fx, (row - cy) / fy, 1)
        a, b = by_column * fx, by_row * fy
        c = middle - by_column * (columns[j] - cx) - by_row * (row - cy)
        # n points away from the camera, a to the right and b downwards
        scale = 1.0 / np.sqrt(a * a + b * b + c * c)
        normals[j, 0] = -a * scale
        normals[j, 1] = b * scale
        normals[j, 2] = c * scale
