"""Intersections of rays with unit solids.

A ray is o + t * d in the frame of the unit solid; d has any length.
"""

from __future__ import annotations

import numpy as np

from sgt_data.compiled import Record, njit
from sgt_data.scenes.blueprints import ELLIPSOID, ROUND_TAPER, SQUARE_TAPER

Vec = tuple[float, float, float]
"""x, y, z (or red, green, blue)."""
Interval = tuple[float, float]


@njit
def into_unit(solid: Record, x: float, y: float, z: float) -> Vec:
    """`solid.inverse @ (x, y, z)`."""
    matrix = solid.inverse
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@njit
def inside(kind: int, p: float, q: float, o: Vec, d: Vec) -> Interval:
    """First and last t of the ray within the unit solid; first > last when it misses."""
    if kind == ELLIPSOID:
        return _within_ellipsoid(p, o, d)
    if kind == ROUND_TAPER:
        return _within_round_taper(p, o, d)
    if kind == SQUARE_TAPER:
        return _within_square_taper(p, q, o, d)
    return _within_torus(p, o, d)


@njit
def _within_ellipsoid(cut: float, o: Vec, d: Vec) -> Interval:
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0
    under_root = b * b - a * c
    if under_root <= 0.0:
        return 1.0, -1.0
    root = np.sqrt(under_root)
    first = (-b - root) / a
    last = (-b + root) / a
    if cut > -1.0:
        crossing = (cut - o[1]) / d[1]
        if d[1] > 0.0:
            first = max(first, crossing)
        else:
            last = min(last, crossing)
    return first, last


@njit
def _within_round_taper(top: float, o: Vec, d: Vec) -> Interval:
    to_low = (-1.0 - o[1]) / d[1]
    to_high = (1.0 - o[1]) / d[1]
    first = min(to_low, to_high)
    last = max(to_low, to_high)
    slope = 0.5 * (top - 1.0)
    radius = 0.5 * (top + 1.0) + slope * o[1]
    a = d[0] * d[0] + d[2] * d[2] - slope * slope * d[1] * d[1]
    b = o[0] * d[0] + o[2] * d[2] - slope * d[1] * radius
    c = o[0] * o[0] + o[2] * o[2] - radius * radius
    under_root = b * b - a * c
    if under_root <= 0.0:
        if a > 0.0:
            return 1.0, -1.0
        return first, last
    root = np.sqrt(under_root)
    near = (-b - root) / a
    far = (-b + root) / a
    if a > 0.0:
        return max(first, near), min(last, far)
    if min(last, far) >= first:
        return first, min(last, far)
    return max(first, near), last


@njit
def _within_square_taper(top_x: float, top_z: float, o: Vec, d: Vec) -> Interval:
    to_low = (-1.0 - o[1]) / d[1]
    to_high = (1.0 - o[1]) / d[1]
    first = min(to_low, to_high)
    last = max(to_low, to_high)
    for axis in range(2):
        top = top_x if axis == 0 else top_z
        along = d[0] if axis == 0 else d[2]
        start = o[0] if axis == 0 else o[2]
        slope = 0.5 * (top - 1.0)
        limit = 0.5 * (top + 1.0) + slope * o[1]
        lean = slope * d[1]
        for side in (-1.0, 1.0):
            leaving = side * along - lean
            room = limit - side * start
            if leaving > 0.0:
                last = min(last, room / leaving)
            elif leaving < 0.0:
                first = max(first, room / leaving)
            elif room < 0.0:
                return 1.0, -1.0
    return first, last


@njit
def _within_torus(tube: float, o: Vec, d: Vec) -> Interval:
    first, last = _within_ellipsoid(-1.0, o, d)
    if first > last:
        return first, last
    to_low = (-tube - o[1]) / d[1]
    to_high = (tube - o[1]) / d[1]
    t = max(max(first, min(to_low, to_high)), 0.0)
    last = min(last, max(to_low, to_high))
    per_length = 1.0 / np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    for _ in range(96):
        if t > last:
            break
        x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
        ring = np.sqrt(x * x + z * z) - (1.0 - tube)
        gap = np.sqrt(ring * ring + y * y) - tube
        if gap < 1e-5:
            return t, last
        t += gap * per_length
    return 1.0, -1.0


@njit
def normal_and_face(
    kind: int, p: float, q: float, x: float, y: float, z: float
) -> tuple[float, float, float, int]:
    """Outward gradient (any length) and face 0-7 of the surface that is closest to a point.

    A point found by a ray lies beside the surface a little: depths are rounded to single precision.
    """
    if kind == ELLIPSOID:
        if p > -1.0 and abs(y - p) < abs(1.0 - np.sqrt(x * x + y * y + z * z)):
            return 0.0, -1.0, 0.0, 1
        return x, y, z, 0
    if kind == ROUND_TAPER:
        slope = 0.5 * (p - 1.0)
        radius = 0.5 * (p + 1.0) + slope * y
        if abs(1.0 - abs(y)) < abs(radius - np.sqrt(x * x + z * z)):
            return 0.0, np.sign(y), 0.0, 1 if y > 0.0 else 2
        return x, -slope * radius, z, 0
    if kind == SQUARE_TAPER:
        return _square_face(p, q, x, y, z)
    across = np.sqrt(x * x + z * z)
    pull = (across - (1.0 - p)) / across
    return x * pull, y, z * pull, 0


@njit
def _square_face(
    p: float, q: float, x: float, y: float, z: float
) -> tuple[float, float, float, int]:
    slope_x = 0.5 * (p - 1.0)
    slope_z = 0.5 * (q - 1.0)
    gap_x = 0.5 * (p + 1.0) + slope_x * y - abs(x)
    gap_z = 0.5 * (q + 1.0) + slope_z * y - abs(z)
    gap_y = 1.0 - abs(y)
    if gap_y < gap_x and gap_y < gap_z:
        return 0.0, np.sign(y), 0.0, 0 if y > 0.0 else 1
    if gap_x < gap_z:
        return np.sign(x), -slope_x, 0.0, 2 if x > 0.0 else 3
    return 0.0, -slope_z, np.sign(z), 4 if z > 0.0 else 5
