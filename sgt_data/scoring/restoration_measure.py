"""The measure of drawings that should be a picture: restored, reconstructed, filled in, coloured.

`PSNR`, `SSIM` and `L1` compare pixels with the decoded target; where the target is a JPEG, the
faultless drawing is what that JPEG shows. No learned measure (LPIPS, FID, CLIP) is among them: its
weights are one more download whose version decides the number, and its licence one more question.
So where a task has many right answers (large holes, colours, a photograph from its edges), these
numbers say how near a drawing is to the picture that was, not how good it looks.

- `PSNR` is the mean over pictures of 10 log10(255^2 / mean square error) over all pixels and
  channels, in dB, as in the literature. A picture without error counts as `HIGHEST_PSNR`.
- `PSNR of all pixels` is that of the mean square error over all pixels of all pictures.
- `SSIM` is the mean over pictures; see `structural_similarity`.
- `L1` is the mean absolute difference over pictures, 0 to 1; 1 is black against white.
- `PSNR in the hole` and `L1 in the hole` are of the hidden pixels of inpainting and mae alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.proxies.hidden_pixels import hidden_pixels
from sgt_data.scoring.drawing_size import CompareAt, pictures_at_one_size
from sgt_data.scoring.intervals import Estimate, Floats, bootstrap, mean_over_pictures
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.structural_similarity import structural_similarity

HIGHEST_PSNR = 100.0
"""dB of a picture without error, whose PSNR is infinite."""


@dataclass(frozen=True, slots=True)
class PixelErrors:
    """Sums over the values (pixels times channels) of one picture, or of its hole.

    Attributes:
        squares: of squared differences, in grey levels.
        absolutes: of absolute differences, in grey levels.
        values: how many there are; 0 where there is no hole.
    """

    squares: float
    absolutes: float
    values: int


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture.

    Attributes:
        whole: errors of all pixels.
        hole: errors of the hidden pixels.
        similarity: SSIM.
    """

    whole: PixelErrors
    hole: PixelErrors
    similarity: float


@dataclass(frozen=True, slots=True)
class RestorationMeasure:
    """`PSNR`, `PSNR of all pixels`, `SSIM` and `L1`, and those of the hole where there is one.

    Attributes:
        compare_at: the size at which both are compared.
        resampling: the filter of Pillow that brings one of them to that size.
    """

    compare_at: CompareAt = "target"
    resampling: Image.Resampling = Image.Resampling.BICUBIC

    def picture(self, drawing: Drawing, sample: ScoredSample) -> PictureRow:
        """Compare a drawing with the decoded target.

        Raises:
            CorpusError: the target cannot be decoded.
        """
        target = _target_pixels(sample)
        drawing, target = pictures_at_one_size(drawing, target, self.compare_at, self.resampling)
        differences = drawing.astype(np.int16) - target
        hole = hidden_pixels(sample.facts)
        if hole is None or hole.shape != differences.shape[:2]:
            in_hole = PixelErrors(0.0, 0.0, 0)
        else:
            in_hole = _errors(differences[hole])
        return PictureRow(_errors(differences), in_hole, structural_similarity(drawing, target))

    def quality(self, row: PictureRow) -> float:
        """SSIM, 0 at the least."""
        return max(0.0, row.similarity)

    def overall(self, rows: Sequence[PictureRow], seed: int) -> dict[str, Estimate]:
        """The measures, each with its interval over pictures."""
        whole = [row.whole for row in rows]
        scores = {
            "PSNR": _mean_psnr(whole, seed),
            "PSNR of all pixels": _psnr_of_all(whole, seed),
            "SSIM": mean_over_pictures(np.array([row.similarity for row in rows]), seed),
            "L1": _mean_distance(whole, seed),
        }
        holes = [row.hole for row in rows if row.hole.values]
        if holes:
            scores["PSNR in the hole"] = _mean_psnr(holes, seed)
            scores["L1 in the hole"] = _mean_distance(holes, seed)
        return scores

    def absent(self, sample: ScoredSample) -> PictureRow:
        """The row of the drawing whose every value is as wrong as it can be."""
        target = _target_pixels(sample)
        return self.picture(np.where(target < 128, 255, 0).astype(np.uint8), sample)


def _target_pixels(sample: ScoredSample) -> NDArray[np.uint8]:
    try:
        return rgb_pixels(sample.target)
    except ValueError as why:
        raise CorpusError(f"{sample.key}: its target: {in_words(why)}") from why


def _errors(differences: NDArray[np.int16]) -> PixelErrors:
    wide = np.abs(differences).astype(np.int64)
    return PixelErrors(float((wide * wide).sum()), float(wide.sum()), wide.size)


def _decibels(mean_squares: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(10 * np.log10(255.0**2 / mean_squares), HIGHEST_PSNR))


def _mean_psnr(pictures: Sequence[PixelErrors], seed: int) -> Estimate:
    mean_squares = np.array([errors.squares / errors.values for errors in pictures])
    return mean_over_pictures(_decibels(mean_squares), seed)


def _psnr_of_all(pictures: Sequence[PixelErrors], seed: int) -> Estimate:
    squares = np.array([errors.squares for errors in pictures])
    values = np.array([errors.values for errors in pictures], float)
    return bootstrap(lambda w: _decibels((w @ squares) / (w @ values)), len(pictures), seed)


def _mean_distance(pictures: Sequence[PixelErrors], seed: int) -> Estimate:
    distances = np.array([errors.absolutes / errors.values / 255 for errors in pictures])
    return mean_over_pictures(distances, seed)
