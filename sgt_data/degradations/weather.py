"""Weather: rain and fog."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.degradations.pixels import Pixels, cosine, sine

ANGLE_MAX = 40
"""Largest angle of the fall in degrees from the vertical; streaks are drawn row by row."""

_ONE = 256
"""The fixed-point 1 of opacities and of places within a pixel."""

_LIGHT = np.array([228, 232, 236], np.int64)
DIMMING_MAX = 0.85
"""Largest brightness of a picture in the rain, so that streaks are visible on white as well."""
_REFERENCE_SIDE = 1024


class _Veil(NamedTuple):
    """A veil of fog; opacities and thicknesses in 1 / 256.

    Attributes:
        thickness: [K, 3 W], relative thickness at K rows of knots, for each value of a row.
        before: [H], the row of knots at or above each row of pixels.
        weight: [H], weight of the row of knots below.
        opacity: [H], opacity of each row where the relative thickness is 1.
        brightness: grey level of the veil.
    """

    thickness: NDArray[np.int64]
    before: NDArray[np.int64]
    weight: NDArray[np.int64]
    opacity: NDArray[np.int64]
    brightness: int


def rain(
    picture: Pixels, drops: int, angle: int, dimming: float, rng: np.random.Generator
) -> Pixels:
    """A dimmed picture behind bright streaks of rain.

    Distant drops are many, short, thin and faint; near ones are few, long, broad and bright. The
    picture is dimmed first, so that streaks are brighter than what is behind them.

    Args:
        picture: the picture; its longer side sets the scale of the streaks.
        drops: streaks of a square picture; others have fewer, in proportion to their area.
        angle: of the fall in whole degrees from the vertical, positive to the right; at most
            ANGLE_MAX.
        dimming: factor on every value, 0 to DIMMING_MAX.
        rng: draws places, lengths and opacities.

    Raises:
        ValueError: `angle` or `dimming` is out of range.
    """
    if abs(angle) > ANGLE_MAX or not 0 <= dimming <= DIMMING_MAX:
        raise ValueError(f"rain of angle {angle} and dimming {dimming}")
    levels = (np.arange(256) * round(dimming * 10_000) + 5_000) // 10_000
    height, width, _ = picture.shape
    wet = np.empty(picture.shape, np.uint8)
    _dim(picture.ravel(), levels.astype(np.uint8), wet.ravel())
    _fall(wet, _streaks(height, width, drops, angle, rng), _LIGHT)
    return wet


def fog(
    picture: Pixels,
    density: float,
    thinning: float,
    brightness: int,
    rng: np.random.Generator,
) -> Pixels:
    """A picture behind fog of uneven thickness, densest at the top, where distant things are.

    Args:
        picture: the picture.
        density: opacity at the top, 0 to 1.
        thinning: opacity at the bottom divided by the opacity at the top, 0 to 1.
        brightness: of the fog in grey levels.
        rng: draws the unevenness.
    """
    height, width, _ = picture.shape
    top = round(density * _ONE)
    bottom = round(density * thinning * _ONE)
    opacity = top - (top - bottom) * np.arange(height) // max(1, height - 1)
    knots = rng.integers(_ONE * 3 // 4, _ONE * 5 // 4, (6, 6))
    veil = _Veil(
        np.repeat(_spread(knots, width), 3, axis=1),
        *_steps(len(knots), height),
        opacity,
        brightness,
    )
    foggy = np.empty(picture.shape, np.uint8)
    _lay_veil(picture.reshape(height, -1), veil, foggy.reshape(height, -1))
    return foggy


def _streaks(
    height: int, width: int, drops: int, angle: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Streaks [K, 6]: x (1/256 pixel) and y (pixels) of the upper end, rows, drift per row and
    breadth (1/256 pixel), opacity (1/256)."""
    longer = max(height, width)
    roomy = height * width // 24  # so that a tiny picture is not all streaks
    count = max(4, min(drops * height * width // longer**2, roomy))
    near = rng.integers(0, _ONE, count) ** 3 // _ONE**2
    vary = rng.integers(_ONE // 2, 3 * _ONE // 2, count)
    rows = np.maximum(3, (12 + near * 60 // _ONE) * vary * longer // (_ONE * _REFERENCE_SIDE))
    breadth = (150 + near * 500 // _ONE) * max(longer, 512) // _REFERENCE_SIDE
    opacity = 70 + near * 90 // _ONE + rng.integers(0, 60, count)
    lean = angle + rng.integers(-1, 2, count)
    drift = sine(lean) * _ONE // cosine(lean)
    tallest = int(rows.max())
    reach = int(np.abs(drift).max()) * tallest // _ONE
    x = rng.integers(-reach * _ONE, (width + reach) * _ONE, count)
    y = rng.integers(-tallest // 2, height - 1, count)
    return np.stack((x, y, rows, drift, breadth, opacity), axis=1)


def _steps(count: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each of `size` places along `count` knots: the knot before it, and the weight of the next
    knot in 1/256. The weight is smooth at both ends, so that no knot is visible as a crease."""
    places = np.arange(size) * (count - 1) * _ONE // size
    part = places % _ONE
    return places // _ONE, part * part * (3 * _ONE - 2 * part) // _ONE**2


def _spread(knots: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Knots [K, K] interpolated along each row: [K, width]."""
    before, weight = _steps(knots.shape[1], width)
    return (knots[:, before] * (_ONE - weight) + knots[:, before + 1] * weight) // _ONE


@njit
def _dim(values: NDArray[np.uint8], levels: NDArray[np.uint8], dimmed: NDArray[np.uint8]) -> None:
    for at in range(len(values)):
        dimmed[at] = levels[values[at]]


@njit
def _fall(wet: NDArray[np.uint8], streaks: NDArray[np.int64], light: NDArray[np.int64]) -> None:
    height, width, _ = wet.shape
    for streak in range(len(streaks)):
        x, top, rows, drift, breadth, opacity = streaks[streak]
        for row in range(max(-top, 0), min(rows, height - top)):
            begin = x + drift * row - breadth // 2
            end = begin + breadth
            # a streak fades in and out over a third of its length
            faded = opacity * min(3 * min(row + 1, rows - row), rows) // rows
            for column in range(max(begin >> 8, 0), min((end - 1) >> 8, width - 1) + 1):
                left = max(begin, column << 8)
                covered = faded * (min(end, (column + 1) << 8) - left) >> 8
                for channel in range(3):
                    value = np.int64(wet[top + row, column, channel])
                    wet[top + row, column, channel] = value + (
                        (light[channel] - value) * covered + 128 >> 8
                    )


@njit
def _lay_veil(values: NDArray[np.uint8], veil: _Veil, foggy: NDArray[np.uint8]) -> None:
    height, width = values.shape
    brightness = veil.brightness
    for y in range(height):
        upper, lower = veil.thickness[veil.before[y]], veil.thickness[veil.before[y] + 1]
        share = np.int32(veil.weight[y])
        thick = np.int32(veil.opacity[y])
        for x in range(width):
            between = np.int32(upper[x]) * (np.int32(256) - share) + np.int32(lower[x]) * share
            opacity = min((between >> np.int32(8)) * thick >> np.int32(8), np.int32(256))
            value = np.int32(values[y, x])
            foggy[y, x] = value + (
                (np.int32(brightness) - value) * opacity + np.int32(128) >> np.int32(8)
            )
