"""Normal maps of sources at the pixels of the output, turned upright with their vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.pictures.normal_colours import (
    SHORTEST,
    Directions,
    colours_of_normals,
    kept_colours,
)
from sgt_data.records import NormalMap
from sgt_data.segmentation.pixel_sampling import SampleGrid, upright_axes


def colours_of_map(
    normals: NormalMap, grid: SampleGrid, directions: Directions
) -> NDArray[np.uint8]:
    """Colours [h, w, 3] of a source's map at the pixels of the output."""
    axes = upright_axes(normals.axes, grid.orientation)
    if normals.values.dtype == np.uint8:
        levels = normals.values.astype(np.uint8, copy=False)
        at = grid.rows, grid.columns
        return grid.upright(kept_colours(levels, at, axes, normals.none, directions))
    picked = grid.pick(normals.values).astype(np.float32, copy=False)
    vectors = turned(picked, axes)
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=-1))
        unit = np.where(
            (length >= SHORTEST) & np.isfinite(length), 1 / np.maximum(length, SHORTEST), np.nan
        )
        return colours_of_normals((vectors * unit[..., None]).astype(np.float32), directions)


def turned(vectors: NDArray[np.float32], axes: tuple[int, int, int]) -> NDArray[np.float32]:
    """Vectors [h, w, 3] with the components that `axes` names (see `records.NormalMap`)."""
    if axes == (1, 2, 3):
        return vectors
    return vectors[..., np.abs(axes) - 1] * np.sign(axes).astype(np.float32)


def check_faces_viewer(colours: NDArray[np.uint8], directions: Directions, none: int) -> None:
    """Refuse a map of which most vectors point away from the camera, which sees no such surface.

    Raises:
        AnnotationError: so it is.
    """
    blue = colours[..., 2]
    away = blue > 127 if directions[2] != "towards the viewer" else blue <= 127
    count = int(np.count_nonzero(away)) - (none if directions[2] == "towards the viewer" else 0)
    total = blue.size - none
    if 2 * count > total:
        raise AnnotationError(
            f"{count / total:.0%} of the normals point away from the viewer, as no visible surface "
            "does; does normals_convention of the source fit its files?"
        )
