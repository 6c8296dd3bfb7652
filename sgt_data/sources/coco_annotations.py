"""COCO's annotations of a picture -> masks or an id map."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import AnnotationError, PictureError
from sgt_data.pictures.decode_source import MAX_PIXELS, decoding, inspect
from sgt_data.records import (
    MapAnnotation,
    MaskAnnotation,
    RunLengths,
    Segment,
)
from sgt_data.segmentation.id_map import panoptic_ids
from sgt_data.segmentation.polygons import rasterise
from sgt_data.sources.annotation_json import counts_of, whole_number


def read_instances(annotations: Any, height: Any, width: Any) -> MaskAnnotation:
    """Masks from COCO's instances or stuff: polygons, compressed or plain run lengths.

    Raises:
        AnnotationError: a field is missing or wrong; names the field.
    """
    height, width = _size(height, width)
    segments, masks = [], []
    for index, entry in enumerate(annotations):
        where = f"annotation {entry.get('id', index)}"
        segments.append(_segment(entry, where))
        masks.append(_mask(entry.get("segmentation"), height, width, where))
    _check_ids(segments)
    return MaskAnnotation(height, width, tuple(segments), tuple(masks))


def read_panoptic(annotation: Any, png: bytes, height: Any, width: Any) -> MapAnnotation:
    """Id map from a panoptic annotation and its PNG (id = R + 256 G + 65536 B, 0 = void).

    Raises:
        AnnotationError: a field is missing or wrong, or the PNG has another size or mode.
    """
    if not isinstance(annotation.get("segments_info"), list):
        raise AnnotationError("segments_info is missing or no list")
    segments = [_segment(entry, "segments_info") for entry in annotation["segments_info"]]
    _check_ids(segments)
    pixels = _decode_map(png, _size(height, width), ("RGB",))
    return MapAnnotation(tuple(segments), panoptic_ids(pixels), void=0)


def read_pixelmap(annotation: Any, png: bytes, height: Any, width: Any) -> MapAnnotation:
    """Id map from a stuff pixelmap: a palette PNG whose index is the category id, 0 = unlabelled.

    The format is that of `cocoSegmentationToPng` in `cocostuffapi`.

    Raises:
        AnnotationError: the PNG has another size or mode.
    """
    id_map = _decode_map(png, _size(height, width), ("P", "L")).astype(np.int32)
    present = np.flatnonzero(np.bincount(id_map.ravel(), minlength=1)).tolist()
    segments = [Segment(category, category_id=category) for category in present if category]
    return MapAnnotation(tuple(segments), id_map, void=0)


def _size(height: Any, width: Any) -> tuple[int, int]:
    height, width = whole_number(height, "height", 1), whole_number(width, "width", 1)
    if height * width > MAX_PIXELS:
        raise AnnotationError(f"the annotation claims {width}x{height} pixels")
    return height, width


def _segment(entry: Any, where: str) -> Segment:
    if not isinstance(entry, dict):
        raise AnnotationError(f"{where}: {entry!r:.40} is no object")
    return Segment(
        whole_number(entry.get("id"), f"{where}: id"),
        category_id=whole_number(entry.get("category_id"), f"{where}: category_id", 1),
        iscrowd=bool(entry.get("iscrowd") or 0),
    )


def _check_ids(segments: list[Segment]) -> None:
    if len({segment.id for segment in segments}) != len(segments):
        raise AnnotationError("two annotations share one id")


def _mask(encoding: Any, height: int, width: int, where: str) -> RunLengths:
    if isinstance(encoding, list):
        try:
            return rasterise(encoding, height, width)
        except AnnotationError as why:
            raise AnnotationError(f"{where}: {why}") from why
    if not isinstance(encoding, dict) or not {"size", "counts"} <= encoding.keys():
        raise AnnotationError(f"{where}: segmentation is neither polygons nor run lengths")
    if encoding["size"] != [height, width]:
        raise AnnotationError(
            f"{where}: segmentation.size is {encoding['size']!r:.40}, the image is "
            f"[{height}, {width}]"
        )
    return counts_of(encoding["counts"], where)


def _decode_map(png: bytes, size: tuple[int, int], modes: tuple[str, ...]) -> NDArray[np.uint8]:
    height, width = size
    try:
        stored = inspect(png)
        if (stored.height, stored.width) != size:
            raise AnnotationError(
                f"the map is {stored.width}x{stored.height}, the image {width}x{height}"
            )
        with decoding(), Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.mode not in modes:
                raise AnnotationError(f"the map has mode {image.mode}, not {' or '.join(modes)}")
            return np.asarray(image)
    except PictureError as why:
        raise AnnotationError(f"the map: {why}") from why
