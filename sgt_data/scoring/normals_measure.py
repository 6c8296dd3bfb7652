"""The measure of drawings of surface normals: angles between drawn and true directions.

A drawing's pixel has the direction of its colour, brought to length 1 (`normals_of_colours`), in
the convention that the sample's facts state. Pixels whose target has no normal are left out. Where
a drawing is black, which says that there is none, the pixel counts as `NO_DIRECTION` degrees wrong.

As in the evaluations of normals (Fouhey et al., ICCV 2013; DSINE, CVPR 2024), pixels of all
pictures are pooled: `mean angle`, `median angle` (degrees, lower is better), and the shares of
pixels below 11.25, 22.5 and 30 degrees. So a picture weighs as many pixels as it has normals.
Intervals resample whole pictures, with all their pixels. The median is taken from a histogram with
bins of `BIN` degrees, by which it may be off by half a bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.errors import CorpusError
from sgt_data.pictures.normal_colours import normals_of_colours
from sgt_data.proxies.normals import NormalsProxy
from sgt_data.scoring.drawing_size import CompareAt
from sgt_data.scoring.intervals import Estimate, Floats, bootstrap, ratio_of_sums
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.overlap import at_one_size

SHARES = (11.25, 22.5, 30.0)
"""Degrees below which a pixel counts as right."""

NO_DIRECTION = 180.0
"""Degrees of a pixel that is drawn without a direction: as wrong as one that points away."""

BIN = 0.05
"""Width in degrees of the bins from which the median is taken; the first is around 0."""

_COLOURS = ("red", "green", "blue")
_BINS = round(180 / BIN) + 1


@dataclass(frozen=True, slots=True)
class NormalsRow:
    """One picture.

    Attributes:
        total: sum of the angles, degrees.
        below: numbers of pixels below each of `SHARES`.
        histogram: [bins] uint32, numbers of pixels by their angle.
        pixels: number of pixels that count.
    """

    total: float
    below: tuple[int, int, int]
    histogram: NDArray[np.uint32]
    pixels: int


@dataclass(frozen=True, slots=True)
class NormalsMeasure:
    """`mean angle`, `median angle`, `below 11.25`, `below 22.5` and `below 30`.

    Attributes:
        compare_at: the size at which both are compared; the other one is sampled at the pixel under
            each centre.
    """

    compare_at: CompareAt = "target"

    def picture(self, drawing: Drawing, sample: ScoredSample) -> NormalsRow:
        """Read a drawing as directions and compare it with its target.

        Raises:
            CorpusError: the target and its facts do not belong together.
        """
        target = NormalsProxy.decode(sample.target, sample.facts).vectors
        stated = sample.facts["directions"]
        target, drawing = at_one_size(target, drawing, self.compare_at)
        drawn = normals_of_colours(drawing, [stated[colour] for colour in _COLOURS])
        return _row(_angles(drawn, target))

    def quality(self, row: NormalsRow) -> float:
        """1 less the mean angle, as a share of 180 degrees."""
        return 1 - row.total / max(row.pixels, 1) / 180

    def overall(self, rows: Sequence[NormalsRow], seed: int) -> dict[str, Estimate]:
        """The measures over the pixels of all pictures, each with its interval.

        Raises:
            CorpusError: no picture has a normal.
        """
        pixels = np.array([row.pixels for row in rows], float)
        if not pixels.any():
            raise CorpusError(f"none of the {len(rows)} targets of normals has a normal")
        totals = np.array([row.total for row in rows])
        below = np.array([row.below for row in rows], float)
        histograms = np.stack([row.histogram for row in rows]).astype(np.float64)
        return {
            "mean angle": ratio_of_sums(totals, pixels, seed),
            "median angle": bootstrap(lambda w: _median(w @ histograms), len(rows), seed),
            **{
                f"below {degrees:g}": ratio_of_sums(below[:, number], pixels, seed)
                for number, degrees in enumerate(SHARES)
            },
        }

    def absent(self, sample: ScoredSample) -> NormalsRow:
        """The row of a drawing in which every normal points away from the true one."""
        target = NormalsProxy.decode(sample.target, sample.facts).vectors
        return _row(_angles(np.full_like(target, np.nan), target))


def _row(angles: NDArray[np.float64]) -> NormalsRow:
    bins = np.rint(angles / BIN).astype(np.int64)
    below = tuple(int(np.count_nonzero(angles < degrees)) for degrees in SHARES)
    return NormalsRow(
        float(angles.sum()),
        below,  # type: ignore[arg-type]
        np.bincount(bins, minlength=_BINS).astype(np.uint32),
        len(angles),
    )


def _median(histograms: Floats) -> Floats:
    """The median angle [R] of each histogram [R, bins]; NaN where it is empty."""
    sums = histograms.cumsum(axis=1)
    middle = (sums >= sums[:, -1:] / 2).argmax(axis=1) * BIN
    return np.where(sums[:, -1] > 0, middle, np.nan)


@njit
def _angles(drawn: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """Degrees [n] between two fields of unit vectors, at the pixels where `target` has one."""
    height, width, _ = target.shape
    angles = np.empty(height * width, np.float64)
    count = 0
    for y in range(height):
        for x in range(width):
            if np.isnan(target[y, x, 0]):
                continue
            if np.isnan(drawn[y, x, 0]):
                angles[count] = NO_DIRECTION
            else:
                # by the chords to the other vector and to its opposite: exact near 0 and 180
                apart, opposite = 0.0, 0.0
                for axis in range(3):
                    a, b = np.float64(drawn[y, x, axis]), np.float64(target[y, x, axis])
                    apart += (a - b) ** 2
                    opposite += (a + b) ** 2
                angles[count] = 2 * np.degrees(np.arctan2(np.sqrt(apart), np.sqrt(opposite)))
            count += 1
    return angles[:count]
