"""Codes of metric depth -> colours of the walk, and a target's colours -> points of the walk.

A map of depth has 65,536 codes at most, so a table of their colours draws it; a target has 1,787
colours at most, so a table of their distances decodes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import AnnotationError, CorpusError
from sgt_data.geometry.colour_walk import (
    POINTS,
    fraction_of_metres,
    projected_points,
    walk_points,
    walk_table,
)
from sgt_data.geometry.distance_scale import NOT_MEASURED
from sgt_data.pictures.rgb_png import decode_rgb
from sgt_data.records import DenseMap

WHITE: Final = POINTS - 1
"""Number of the walk's last point, which means infinitely far."""

GAP: Final = POINTS
"""Stands for pixels without measurement among the numbers of the walk's points."""


@dataclass(frozen=True, slots=True)
class CodeColours:
    """How every code of a map is drawn.

    Attributes:
        metres: [65536], NaN where a code states no measurement.
        points: [65536], number of the point of the walk; `GAP` where there is no measurement.
        colours: [65536, 3] RGB.
    """

    metres: NDArray[np.float64]
    points: NDArray[np.int64]
    colours: NDArray[np.uint8]

    @classmethod
    def of(cls, depth: DenseMap, lam: float, c: float) -> CodeColours:
        """The colours of a map's codes; those of the last few kinds of maps are kept.

        Raises:
            AnnotationError: the depth is relative.
        """
        if not depth.is_metric:
            raise AnnotationError("the depth is relative; it has no metres")
        codes = _Codes(depth.metres_per_code, depth.low, depth.high, depth.invalid)
        return _code_colours(codes, lam, c)

    def paint(self, codes: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Colours [H, W, 3] of codes [H, W], and how many pixels have each code: [65536]."""
        return _paint(codes, self.colours)


@dataclass(frozen=True, slots=True)
class _Codes:
    """What the codes of a metric map mean: fields of `DenseMap`, without its pixels."""

    metres_per_code: float | None
    low: float
    high: float
    invalid: tuple[int, ...]

    def metres(self) -> NDArray[np.float64]:
        unit: Literal["relative", "1/m"] = "1/m" if self.metres_per_code is None else "relative"
        return DenseMap(
            np.empty((0, 0), np.uint16), self.low, self.high, upright=True,
            metres_per_code=self.metres_per_code, invalid=self.invalid, unit=unit,
        ).metres_of_codes()  # fmt: skip


@lru_cache(maxsize=8)
def _code_colours(codes: _Codes, lam: float, c: float) -> CodeColours:
    metres = codes.metres()
    measured = ~np.isnan(metres)
    fractions = fraction_of_metres(np.where(measured, metres, 0), lam, c)
    points = np.where(measured, walk_points(fractions), GAP)
    return CodeColours(metres, points, _point_colours()[points])


@njit
def _paint(
    codes: NDArray[np.uint16], colours: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    pixels = np.empty((*codes.shape, 3), np.uint8)
    counts = np.zeros(len(colours), np.int64)
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            code = codes[y, x]
            counts[code] += 1
            for channel in range(3):
                pixels[y, x, channel] = colours[code, channel]
    return pixels, counts


@lru_cache(maxsize=1)
def _point_colours() -> NDArray[np.uint8]:
    """Colours of the points of the walk, and of pixels without measurement: [POINTS + 1, 3]."""
    return np.concatenate([walk_table(), np.array([NOT_MEASURED], np.uint8)])


def points_of_target(target: bytes, size: tuple[int, int]) -> NDArray[np.int64]:
    """Numbers [H, W] of the walk's points in a target, `GAP` where it is grey.

    Args:
        target: the PNG.
        size: width and height that it must have.

    Raises:
        CorpusError: it is no RGB PNG of this size, or has a colour that means nothing.
    """
    pixels = decode_rgb(target, size)
    points = projected_points(pixels).astype(np.int64)
    foreign = (walk_table().take(points, axis=0) != pixels).any(axis=-1)
    is_grey = (pixels[foreign] == NOT_MEASURED).all(axis=-1)
    if not is_grey.all():
        red, green, blue = pixels[foreign][~is_grey][0].tolist()
        raise CorpusError(
            f"{np.count_nonzero(~is_grey)} pixels of the target have colours that are not on the "
            f"walk, such as ({red}, {green}, {blue})"
        )
    points[foreign] = GAP
    return points
