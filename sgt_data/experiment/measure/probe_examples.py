"""Examples for linear probes: features of things, or of whole pictures, each with its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sgt_data.facts import has_category
from sgt_data.segmentation.target_png import DecodedSegmentation

Floats = NDArray[np.float64]
Pooled = NDArray[np.float32]

LEAST_CELLS = 0.25
"""Area, in cells of the feature grid, below which a thing is left out."""


@dataclass(frozen=True, slots=True)
class PooledPicture:
    """What probes read of a picture's feature grid; the grid itself need not be kept.

    Attributes:
        things: the mean of the features under the mask of each countable thing [k, D] float32.
        categories: category of each of these things.
        whole: the mean and the maximum of the grid [2 D] float32.
        number: how many things are visible, small ones too; None where the target merges the
            individuals of a category.
    """

    things: Pooled
    categories: tuple[str, ...]
    whole: Pooled
    number: int | None


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


def pool_picture(
    grid: NDArray[np.floating], decoded: DecodedSegmentation, least_cells: float = LEAST_CELLS
) -> PooledPicture:
    """Pool a picture's features over its things, and over the whole picture.

    Args:
        grid: features [rows, columns, D] of a square field, in whose middle the picture lies as
            large as it fits.
        decoded: the picture's target, at any size; for numbers one that shows individuals
            (instance or panoptic).
        least_cells: things that cover less area, in cells of the grid, are left out.
    """
    rows, columns, width = grid.shape
    flat = grid.reshape(rows * columns, width).astype(np.float64)
    weights, categories = list[Floats](), list[str]()
    for label, segment in enumerate(decoded.segments, 1):
        if not _is_thing(segment):
            continue
        cells = cell_weights(decoded.labels == label, rows, columns)
        if cells.sum() >= least_cells:
            weights.append(cells.ravel() / cells.sum())
            categories.append(str(segment["category"]))
    things = np.stack(weights) @ flat if weights else np.empty((0, width))
    merged = any("ids" in segment for segment in decoded.segments)
    return PooledPicture(
        things.astype(np.float32),
        tuple(categories),
        np.concatenate((flat.mean(axis=0), flat.max(axis=0))).astype(np.float32),
        None if merged else sum(map(_is_thing, decoded.segments)),
    )


def thing_examples(pooled: Mapping[str, PooledPicture], keys: Sequence[str]) -> ProbeExamples:
    """One example per countable thing: the mean of the features under its mask, and its category.

    Args:
        pooled: pooled pictures by key.
        keys: the pictures to take, one at least.
    """
    taken = [(key, pooled[key]) for key in keys]
    return ProbeExamples(
        np.concatenate([picture.things for _, picture in taken]).astype(np.float64),
        tuple(category for _, picture in taken for category in picture.categories),
        tuple(key for key, picture in taken for _ in picture.categories),
    )


def number_examples(pooled: Mapping[str, PooledPicture], keys: Sequence[str]) -> ProbeExamples:
    """One example per picture, whose class is the number of things that are visible in it.

    The features of an example [2 D] are the mean and the maximum of the picture's grid.

    Args:
        pooled: pooled pictures by key.
        keys: the pictures to take, one at least.

    Raises:
        ValueError: a target merges the individuals of a category.
    """
    for key in keys:
        if pooled[key].number is None:
            raise ValueError(
                f"picture {key}: its target merges individuals; they cannot be counted"
            )
    return ProbeExamples(
        np.stack([pooled[key].whole for key in keys]).astype(np.float64),
        tuple(str(pooled[key].number) for key in keys),
        tuple(keys),
    )


def cell_weights(mask: NDArray[np.bool_], rows: int, columns: int) -> Floats:
    """Share, 0 to 1, of each cell [rows, columns] of a square field that lies inside a mask [H, W].

    The mask lies in the middle of the field, as large as it fits. The area is exact, also where the
    cells do not fall on pixels.
    """
    height, width = mask.shape
    side = max(height, width)
    weights: Floats = (
        _pixel_shares(height, side, rows)
        @ mask.astype(float)
        @ _pixel_shares(width, side, columns).T
    )
    return weights


@lru_cache(maxsize=64)
def _pixel_shares(pixels: int, side: int, cells: int) -> Floats:
    """Share of each cell's length that lies on each pixel [cells, pixels].

    Args:
        pixels: so many lie in the middle of the field.
        side: the field's length, pixels.
        cells: the field's length, cells.
    """
    ends = np.arange(cells + 1) * (side / cells)
    starts = (side - pixels) / 2 + np.arange(pixels)
    shared = np.minimum(ends[1:, None], starts + 1) - np.maximum(ends[:-1, None], starts)
    shares: Floats = np.clip(shared, 0, None) * (cells / side)
    shares.setflags(write=False)
    return shares


def _is_thing(segment: object) -> bool:
    return isinstance(segment, dict) and has_category(segment) and bool(segment.get("isthing"))
