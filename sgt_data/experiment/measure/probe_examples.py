"""Examples for linear probes: features of things, or of whole pictures, each with its class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.facts import has_category
from sgt_data.segmentation.target_png import DecodedSegmentation

Floats = NDArray[np.float64]

LEAST_CELLS = 0.25
"""Area, in cells of the feature grid, below which a thing is left out."""


@dataclass(frozen=True, slots=True)
class ProbeExamples:
    """Examples that a probe is trained or tested on.

    Attributes:
        features: one row per example [m, D] float64.
        labels: class of each example.
        keys: key of each example's picture.
    """

    features: Floats
    labels: tuple[str, ...]
    keys: tuple[str, ...]

    def where(self, kept: NDArray[np.bool_]) -> ProbeExamples:
        """The examples for which `kept` [m] is true."""
        rows = np.flatnonzero(kept).tolist()
        return ProbeExamples(
            self.features[kept],
            tuple(self.labels[row] for row in rows),
            tuple(self.keys[row] for row in rows),
        )


def thing_examples(
    features: NDArray[np.floating],
    decoded: Sequence[DecodedSegmentation],
    keys: Sequence[str],
    least_cells: float = LEAST_CELLS,
) -> ProbeExamples:
    """One example per countable thing: the mean of the features under its mask, and its category.

    Args:
        features: feature grids [n, rows, columns, D] of n pictures.
        decoded: targets of these pictures; a label map covers the same field as the features do, at
            any size.
        keys: keys of these pictures.
        least_cells: things that cover less area, in cells of the grid, are left out.
    """
    rows: list[Floats] = []
    labels, picture_keys = [], []
    for grid, segmentation, key in zip(features, decoded, keys, strict=True):
        for label, segment in enumerate(segmentation.segments, 1):
            if not _is_thing(segment):
                continue
            weights = cell_weights(segmentation.labels == label, grid.shape[0], grid.shape[1])
            if weights.sum() < least_cells:
                continue
            rows.append(np.tensordot(weights, grid.astype(float), 2) / weights.sum())
            labels.append(str(segment["category"]))
            picture_keys.append(key)
    stacked = np.stack(rows) if rows else np.empty((0, features.shape[-1]))
    return ProbeExamples(stacked, tuple(labels), tuple(picture_keys))


def number_examples(
    features: NDArray[np.floating], decoded: Sequence[DecodedSegmentation], keys: Sequence[str]
) -> ProbeExamples:
    """One example per picture, whose class is the number of things that are visible in it.

    The features of an example [2 D] are the mean and the maximum of the picture's grid.

    Args:
        features: feature grids [n, rows, columns, D] of n pictures.
        decoded: targets of these pictures that show individuals (instance or panoptic).
        keys: keys of these pictures.

    Raises:
        ValueError: a target merges the individuals of a category.
    """
    counts = []
    for segmentation, key in zip(decoded, keys, strict=True):
        if any("ids" in segment for segment in segmentation.segments):
            raise ValueError(
                f"picture {key}: its target merges individuals; they cannot be counted"
            )
        counts.append(str(sum(map(_is_thing, segmentation.segments))))
    flat = features.reshape(len(features), -1, features.shape[-1]).astype(float)
    return ProbeExamples(
        np.concatenate((flat.mean(axis=1), flat.max(axis=1)), axis=1), tuple(counts), tuple(keys)
    )


def cell_weights(mask: NDArray[np.bool_], rows: int, columns: int) -> Floats:
    """Share, 0 to 1, of each cell [rows, columns] of a grid that lies inside a mask [H, W].

    The area is exact, also where the cells do not fall on pixels.
    """
    height, width = mask.shape
    weights: Floats = (
        _pixel_shares(height, rows) @ mask.astype(float) @ _pixel_shares(width, columns).T
    )
    return weights


def _pixel_shares(pixels: int, cells: int) -> Floats:
    """Share of each cell's length that lies on each pixel [cells, pixels]; rows sum to 1."""
    ends = np.arange(cells + 1) * (pixels / cells)
    starts = np.arange(pixels)
    shared = np.minimum(ends[1:, None], starts + 1) - np.maximum(ends[:-1, None], starts)
    shares: Floats = np.clip(shared, 0, None) * (cells / pixels)
    return shares


def _is_thing(segment: object) -> bool:
    return isinstance(segment, dict) and has_category(segment) and bool(segment.get("isthing"))
