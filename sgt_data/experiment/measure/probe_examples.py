"""What linear probes read: features of things, and of whole pictures, with what is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.segmentation.target_png import DecodedSegmentation

Floats = NDArray[np.float64]

LEAST_CELLS = 0.25


@dataclass(frozen=True, slots=True)
class Examples:
    """Features [m, D] float64, and for each row its class and its picture's key."""

    features: Floats
    labels: tuple[str, ...]
    keys: tuple[str, ...]

    def where(self, kept: NDArray[np.bool_]) -> Examples:
        """The rows for which `kept` [m] is true."""
        places = np.flatnonzero(kept).tolist()
        return Examples(
            self.features[kept],
            tuple(self.labels[place] for place in places),
            tuple(self.keys[place] for place in places),
        )


def thing_examples(
    features: NDArray[np.floating],
    decoded: Sequence[DecodedSegmentation],
    keys: Sequence[str],
    least_cells: float = LEAST_CELLS,
) -> Examples:
    """Every countable thing with a category: the features under its mask, averaged.

    Args:
        features: [n, rows, columns, D] of n pictures.
        decoded: their targets; a label map covers the same field as the features do, at any size.
        keys: of the pictures.
        least_cells: things that cover less than so much of a place of the grid are left out.
    """
    rows: list[Floats] = []
    labels, owners = [], []
    for grid, one, key in zip(features, decoded, keys, strict=True):
        for label, segment in enumerate(one.segments, 1):
            if not _is_thing(segment):
                continue
            weights = cell_weights(one.labels == label, grid.shape[0], grid.shape[1])
            if weights.sum() < least_cells:
                continue
            rows.append(np.tensordot(weights, grid.astype(float), 2) / weights.sum())
            labels.append(str(segment["category"]))
            owners.append(key)
    stacked = np.stack(rows) if rows else np.empty((0, features.shape[-1]))
    return Examples(stacked, tuple(labels), tuple(owners))


def number_examples(
    features: NDArray[np.floating], decoded: Sequence[DecodedSegmentation], keys: Sequence[str]
) -> Examples:
    """Every picture: the mean and the maximum of its features over the grid, beside each other
    [n, 2 D], and how many things are visible in it. Arguments as above; the targets must show
    individuals (instance or panoptic).

    Raises:
        ValueError: a target merges the individuals of a category.
    """
    counts = []
    for one, key in zip(decoded, keys, strict=True):
        if any("ids" in segment for segment in one.segments):
            raise ValueError(
                f"picture {key}: its target merges individuals; they cannot be counted"
            )
        counts.append(str(sum(map(_is_thing, one.segments))))
    flat = features.reshape(len(features), -1, features.shape[-1]).astype(float)
    return Examples(
        np.concatenate((flat.mean(axis=1), flat.max(axis=1)), axis=1), tuple(counts), tuple(keys)
    )


def cell_weights(mask: NDArray[np.bool_], rows: int, columns: int) -> Floats:
    """How much of each cell [rows, columns] of a grid over a mask [H, W] is inside it, 0 to 1: the
    exact area, also where the cells do not fall on pixels."""
    height, width = mask.shape
    weights: Floats = _overlaps(height, rows) @ mask.astype(float) @ _overlaps(width, columns).T
    return weights


def _overlaps(pixels: int, cells: int) -> Floats:
    """Share of each cell's length that lies on each pixel [cells, pixels]; rows sum to 1."""
    ends = np.arange(cells + 1) * (pixels / cells)
    starts = np.arange(pixels)
    shared = np.minimum(ends[1:, None], starts + 1) - np.maximum(ends[:-1, None], starts)
    shares: Floats = np.clip(shared, 0, None) * (cells / pixels)
    return shares


def _is_thing(segment: object) -> bool:
    return isinstance(segment, dict) and "category" in segment and bool(segment.get("isthing"))
