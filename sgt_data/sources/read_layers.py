"""Layers of an input as its source gives them, on the pixels of its picture.

Mistakes of own code are named as such.
"""

from __future__ import annotations

from typing import Any

from sgt_data.pictures.decode_source import StoredPicture
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.records import (
    Annotation,
    DenseLayer,
    DenseMap,
    Intrinsics,
    Layer,
    MapAnnotation,
    MaskAnnotation,
    NormalMap,
    RawInput,
)
from sgt_data.sources.base import Source
from sgt_data.sources.cameras import ROLE, parse_camera
from sgt_data.sources.orientation import placed_annotation, placed_depth, placed_normals
from sgt_data.value_text import cut


def read_annotation(
    source: Source, raw: RawInput, stored: StoredPicture, layer: Layer
) -> Annotation | None:
    """A layer of segments of an input with the pixels that it lies on; None where there is none.

    Raises:
        AnnotationError: the annotation cannot be right.
    """
    with own_code(source, "annotation", raw.key):
        annotation: Any = source.annotation(raw, layer)
    if annotation is None:
        return None
    if not isinstance(annotation, MaskAnnotation | MapAnnotation):
        raise mistake(
            source, "annotation", raw.key,
            f"it returned {cut(annotation, 60)}; right is a MaskAnnotation or a MapAnnotation of "
            "sgt_data.records, or None where the picture has none",
        )  # fmt: skip
    field = f"sources.{source.name}.orientation"
    return placed_annotation(annotation, stored, source.orientation, field)


def read_dense(source: Source, raw: RawInput, stored: StoredPicture, layer: DenseLayer) -> DenseMap:
    """A dense layer of an input, on the stored pixels of its picture.

    Raises:
        AnnotationError: the layer is missing, or is no such map.
        FilteredOut: too much of it is no measurement.
    """
    given = source.depth_orientation is not None
    field = f"sources.{source.name}.{'depth_' if given else ''}orientation"
    frame = source.depth_orientation or source.orientation
    with own_code(source, "dense", raw.key):
        dense: Any = source.dense(raw, layer)
    if not isinstance(dense, DenseMap):
        raise mistake(
            source, "dense", raw.key,
            f"it returned {cut(dense, 60)}; right is a DenseMap of sgt_data.records",
        )  # fmt: skip
    return placed_depth(dense, stored, frame, field)


def read_normals(source: Source, raw: RawInput, stored: StoredPicture) -> NormalMap:
    """The normals of an input, on the stored pixels of its picture.

    Raises:
        AnnotationError: there are none, or they are no such map.
    """
    given = source.normals_orientation is not None
    field = f"sources.{source.name}.{'normals_' if given else ''}orientation"
    with own_code(source, "normal_map", raw.key):
        normals: Any = source.normal_map(raw)
    if not isinstance(normals, NormalMap):
        raise mistake(
            source, "normal_map", raw.key,
            f"it returned {cut(normals, 60)}; right is a NormalMap of sgt_data.records",
        )  # fmt: skip
    return placed_normals(normals, stored, source.normals_orientation or source.orientation, field)


def read_intrinsics(source: Source, raw: RawInput, stored: StoredPicture) -> Intrinsics:
    """The camera of an input.

    Raises:
        AnnotationError: there is none, or it is for pixels of another size.
    """
    return parse_camera(read_layer_data(source, raw, ROLE), (stored.width, stored.height))


def read_layer_data(source: Source, raw: RawInput, layer: Layer) -> bytes:
    """Bytes of a layer of a user's own.

    Raises:
        AnnotationError: the input has no such layer.
    """
    with own_code(source, "layer_data", raw.key):
        data: Any = source.layer_data(raw, layer)
    if not isinstance(data, bytes):
        raise mistake(
            source, "layer_data", raw.key, f"it returned {cut(data, 60)}; right are bytes"
        )
    return data
