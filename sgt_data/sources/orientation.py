"""Whether annotations and files beside a picture lie on its stored pixels or on its upright ones.

A camera that is held upright often stores the picture turned, and says so in an EXIF tag. COCO and
SA-1B annotate the pixels as they are stored. Most web tools (CVAT, Label Studio, Roboflow)
show the picture upright and annotate what they show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from sgt_data.errors import AnnotationError
from sgt_data.pictures.decode_source import StoredPicture
from sgt_data.records import Annotation, DenseMap, NormalMap
from sgt_data.segmentation.pixel_sampling import stored_axes, stored_frame

Frame = Literal["stored", "upright", "auto"]


def placed_annotation(
    annotation: Annotation, stored: StoredPicture, frame: Frame, field: str
) -> Annotation:
    """An annotation with the frame that its masks lie on.

    Args:
        annotation: as the source states it.
        stored: header of its picture.
        frame: on which pixels it was made. `auto` decides by its size. Where stored and upright
            picture have one size (a square, a half turn, a mirrored picture), `auto` takes the
            stored pixels, and the annotation says in `assumed` that it did.
        field: of the manifest, for messages.

    Raises:
        AnnotationError: its size fits the turned picture in no way that `frame` allows.
    """
    if stored.orientation == 1:
        return annotation
    size = annotation.width, annotation.height
    if _is_upright(size, stored, frame, "annotation", field):
        return replace(annotation, orientation=stored.orientation)
    return replace(annotation, assumed=_assumed(stored, frame, "annotation", field))


def placed_depth(depth: DenseMap, stored: StoredPicture, frame: Frame, field: str) -> DenseMap:
    """The map of a depth file, turned to the stored pixels; see `placed_annotation`.

    Raises:
        AnnotationError: its size fits the turned picture in no way that `frame` allows.
    """
    if stored.orientation == 1 or depth.upright:
        return depth
    height, width = depth.codes.shape
    if _is_upright((width, height), stored, frame, "depth map", field):
        codes = np.ascontiguousarray(stored_frame(depth.codes, stored.orientation))
        return replace(depth, codes=codes)
    return replace(depth, assumed=_assumed(stored, frame, "depth map", field))


def placed_normals(
    normals: NormalMap, stored: StoredPicture, frame: Frame, field: str
) -> NormalMap:
    """The map of a file of normals, turned to the stored pixels with its vectors; see
    `placed_annotation`.

    Raises:
        AnnotationError: its size does not fit the picture, or fits the turned picture in no way
            that `frame` allows.
    """
    height, width = normals.values.shape[:2]
    if stored.orientation == 1:
        if (width, height) != (stored.width, stored.height):
            raise AnnotationError(
                f"the normal map is for {width}x{height} pixels, the picture has "
                f"{stored.width}x{stored.height}"
            )
        return normals
    if _is_upright((width, height), stored, frame, "normal map", field):
        values = np.ascontiguousarray(stored_frame(normals.values, stored.orientation))
        return replace(normals, values=values, axes=stored_axes(normals.axes, stored.orientation))
    return replace(normals, assumed=_assumed(stored, frame, "normal map", field))


def _is_upright(
    size: tuple[int, int], stored: StoredPicture, frame: Frame, what: str, field: str
) -> bool:
    fits_stored = size == (stored.width, stored.height)
    fits_upright = size == stored.upright_size
    if fits_upright and (frame == "upright" or (frame == "auto" and not fits_stored)):
        return True
    if fits_stored and frame != "upright":
        return False
    width, height = stored.upright_size
    raise AnnotationError(
        f"the {what} is for {size[0]}x{size[1]} pixels; the picture has "
        f"{stored.width}x{stored.height} as stored and {width}x{height} upright (EXIF orientation "
        f"{stored.orientation}), and {field} is {frame}"
    )


def _assumed(stored: StoredPicture, frame: Frame, what: str, field: str) -> str | None:
    """What `auto` could not know."""
    if frame != "auto" or stored.upright_size != (stored.width, stored.height):
        return None
    return (
        f"the picture is turned or mirrored (EXIF orientation {stored.orientation}), and its size "
        f"does not show on which pixels the {what} was made: the stored ones are assumed; "
        f"{field}: stored or upright says it"
    )
