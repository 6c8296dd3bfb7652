"""Targets of surface normals from metric depth: of a source with its camera, or of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.geometry.normals_of_depth import PlaneFit, normals_of_depth
from sgt_data.geometry.normals_of_maps import turned
from sgt_data.pictures.normal_colours import Directions, colours_of_normals
from sgt_data.records import DenseMap, Intrinsics
from sgt_data.segmentation.pixel_sampling import SampleGrid, sample_grid, upright_axes


def colours_of_stored(
    depth: DenseMap, camera: Intrinsics, grid: SampleGrid, fit: PlaneFit, directions: Directions
) -> NDArray[np.uint8]:
    """Colours [H, W, 3] of a source's depth on the stored pixels.

    Args:
        depth: metric depth.
        camera: in stored pixels.
        grid: the stored pixels of the output.
        fit: how planes are laid through neighbourhoods.
        directions: of red, green and blue.

    Raises:
        AnnotationError: the depth is of another picture.
    """
    if depth.upright:
        raise AnnotationError("the depth is of the output's pixels, the camera of stored ones")
    vectors = normals_of_depth(depth, camera, grid, fit)
    axes = upright_axes((1, 2, 3), grid.orientation)
    return colours_of_normals(turned(grid.upright(vectors), axes), directions)


def colours_of_predicted(
    depth: DenseMap, fit: PlaneFit, directions: Directions
) -> NDArray[np.uint8]:
    """Colours [H, W, 3] of depth that a model predicted at the output's pixels.

    The viewing axis meets the middle of the picture, as such models assume.

    Args:
        depth: metric depth, with the focal length.
        fit: how planes are laid through neighbourhoods.
        directions: of red, green and blue.

    Raises:
        AnnotationError: the model gave no focal length.
    """
    if depth.focal_pixels is None:
        raise AnnotationError("the annotator gave no focal length")
    height, width = depth.codes.shape
    focal = depth.focal_pixels
    camera = Intrinsics(focal, focal, (width - 1) / 2, (height - 1) / 2)
    vectors = normals_of_depth(depth, camera, sample_grid(height, width, height, width), fit)
    return colours_of_normals(vectors, directions)
