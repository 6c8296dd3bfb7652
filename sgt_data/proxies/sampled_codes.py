"""Codes of a dense map at the pixels of the output: sampled, never interpolated.

A mean of two distances is the distance of nothing: a map is read under the centre of each output
pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.proxies.base import Subject
from sgt_data.records import DenseMap
from sgt_data.segmentation.pixel_sampling import sample_grid


def sampled_codes(depth: DenseMap, subject: Subject) -> NDArray[np.uint16]:
    """Codes [h, w] of a depth map at the pixels of the output.

    Raises:
        AnnotationError: the map has another size than its picture.
    """
    picture = subject.picture
    if depth.upright:
        if depth.codes.shape != (picture.height, picture.width):
            raise AnnotationError(
                f"the depth map is {depth.codes.shape[1]}x{depth.codes.shape[0]}, "
                f"the output {picture.width}x{picture.height}"
            )
        return depth.codes
    stored = picture.stored
    if depth.codes.shape != (stored.height, stored.width):
        raise AnnotationError(
            f"the depth map is for {depth.codes.shape[1]}x{depth.codes.shape[0]} pixels, "
            f"the picture has {stored.width}x{stored.height}"
        )
    grid = sample_grid(
        stored.height, stored.width, picture.height, picture.width, stored.orientation
    )
    return grid.pick(depth.codes)


def origin_of_map(depth: DenseMap) -> str:
    """Where a map is from: the source's own files (`source`), or a model (`annotator`)."""
    return "annotator" if depth.upright else "source"
