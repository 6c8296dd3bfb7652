"""Surface normals of metric depth: a least-squares plane through the neighbourhood of each pixel.

Points of a plane have an inverse depth that is linear in the picture (`n . ray = 1 / depth` for the
plane `n . point = 1`). So the plane is fitted to inverse depth: it minimises the sum of
`(n . ray - 1 / depth)^2`, which is the sum of `(n . point - 1)^2` over the back-projected points,
each weighted by `1 / depth^2`. A plane is met exactly, however steep it is.

The neighbourhood of a pixel of the output is `window x window` points around the stored pixel under
its centre, in steps of the output's own sampling (whole stored pixels, at least one): every point
is a measured one, and a large picture is not judged by a few of its pixels. Left out are

- pixels without measurement, and those that are infinitely far;
- what lies across an edge: the slope along rows and columns is that to the flatter side, half a
  window away; a neighbour whose inverse depth is off the plane of these slopes by more than the
  share `edge` of the pixel's own belongs to another surface.

A pixel has a normal where a third of the window or more is left, and these points lie on no line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import AnnotationError
from sgt_data.records import DenseMap, Intrinsics
from sgt_data.segmentation.pixel_sampling import SampleGrid

_LEAST_SHARE = 1 / 3


def normals_of_depth(
    depth: DenseMap, camera: Intrinsics, grid: SampleGrid, window: int, edge: float
) -> NDArray[np.float32]:
    """Unit vectors [h', w', 3] right, up, towards the viewer of the stored picture, at the grid's
    stored rows and columns; NaN where there is none.

    Args:
        depth: metric depth on the stored pixels.
        camera: in stored pixels.
        grid: the stored pixels of the output.
        window: points along a side of the neighbourhood, odd.
        edge: see the module.

    Raises:
        AnnotationError: the map has another size than its picture.
    """
    height, width = depth.codes.shape
    if (height, width) != (grid.stored_height, grid.stored_width):
        raise AnnotationError(
            f"the depth map is for {width}x{height} pixels, the picture has "
            f"{grid.stored_width}x{grid.stored_height}"
        )
    metres = depth.metres_of_codes()
    with np.errstate(divide="ignore"):
        near = np.nan_to_num(1 / metres, nan=0.0, posinf=0.0)  # 0: not measured, or endless
    steps = (_step(height, len(grid.rows)), _step(width, len(grid.columns)))
    lens = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
    return _fitted(depth.codes, near, (grid.rows, grid.columns), steps, lens, window // 2, edge)


def _step(stored: int, output: int) -> int:
    return max(1, round(stored / output))


@njit
def _fitted(
    codes: NDArray[np.uint16],
    near: NDArray[np.float64],
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    steps: tuple[int, int],
    lens: NDArray[np.float64],
    reach: int,
    edge: float,
) -> NDArray[np.float32]:
    rows, columns = at
    down, across = steps
    fx, fy, cx, cy = lens
    normals = np.full((len(rows), len(columns), 3), np.nan, np.float32)
    least = _LEAST_SHARE * (2 * reach + 1) ** 2
    for i in range(len(rows)):
        row = rows[i]
        for j in range(len(columns)):
            column = columns[j]
            own = near[codes[row, column]]
            if own <= 0.0:
                continue
            slope_down = _slope(codes[:, column], near, row, down * reach, own) / reach
            slope_across = _slope(codes[row], near, column, across * reach, own) / reach
            count, sums = _moments(
                codes, near, (row, column), steps, reach, (own, slope_down, slope_across), edge
            )
            if count < least:
                continue
            x, y, xx, yy, xy, q, qx, qy = sums
            sxx, syy, sxy = xx - x * x / count, yy - y * y / count, xy - x * y / count
            sqx, sqy = qx - q * x / count, qy - q * y / count
            spread = sxx * syy - sxy * sxy
            if spread <= 1e-9:
                continue
            by_column = (sqx * syy - sqy * sxy) / spread
            by_row = (sqy * sxx - sqx * sxy) / spread
            middle = (q - by_column * x - by_row * y) / count
            # n . ray of the rays ((column - cx) / fx, (row - cy) / fy, 1)
            a, b = by_column * fx / across, by_row * fy / down
            c = middle - a * (column - cx) / fx - b * (row - cy) / fy
            length = np.sqrt(a * a + b * b + c * c)
            # n points away from the camera, b downwards and c along the viewing axis
            normals[i, j, 0] = -a / length
            normals[i, j, 1] = b / length
            normals[i, j, 2] = c / length
    return normals


@njit
def _slope(
    line: NDArray[np.uint16], near: NDArray[np.float64], place: int, reach: int, own: float
) -> float:
    """Change of inverse depth over `reach` pixels of a line, to the flatter side of a place."""
    slope, is_known = 0.0, False
    if place >= reach and near[line[place - reach]] > 0.0:
        slope, is_known = own - near[line[place - reach]], True
    if place + reach < len(line) and near[line[place + reach]] > 0.0:
        other = near[line[place + reach]] - own
        if not is_known or abs(other) < abs(slope):
            slope = other
    return slope


@njit
def _moments(
    codes: NDArray[np.uint16],
    near: NDArray[np.float64],
    place: tuple[int, int],
    steps: tuple[int, int],
    reach: int,
    plane: tuple[float, float, float],
    edge: float,
) -> tuple[int, tuple[float, float, float, float, float, float, float, float]]:
    """How many neighbours lie on a pixel's own surface, and the sums that their plane needs."""
    own, slope_down, slope_across = plane
    height, width = codes.shape
    count = 0
    x, y, xx, yy, xy, q, qx, qy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for v in range(-reach, reach + 1):
        row = place[0] + v * steps[0]
        if row < 0 or row >= height:
            continue
        for u in range(-reach, reach + 1):
            column = place[1] + u * steps[1]
            if column < 0 or column >= width:
                continue
            value = near[codes[row, column]]
            off = abs(value - (own + v * slope_down + u * slope_across))
            if value <= 0.0 or off > edge * own:
                continue
            count += 1
            x, y, xx, yy, xy = x + u, y + v, xx + u * u, yy + v * v, xy + u * v
            q, qx, qy = q + value, qx + u * value, qy + v * value
    return count, (x, y, xx, yy, xy, q, qx, qy)
