"""COCO's annotations of a picture -> masks or an id map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sgt_data.errors import AnnotationError
from sgt_data.pictures.decode_source import MAX_PIXELS, inspect
from sgt_data.records import (
    MapAnnotation,
    MaskAnnotation,
    RunLengths,
    Segment,
)
from sgt_data.segmentation.polygons import rasterise
from sgt_data.segmentation.run_lengths import parse_masks
from sgt_data.sources.annotation_json import (
    NOT_STATED,
    counts_of,
    member,
    shown,
    side_length,
    truth,
    whole_number,
)
from sgt_data.sources.id_pngs import read_colour_ids, read_numbers
from sgt_data.sources.orientation import Frame

BadAnnotations = Literal["drop", "quarantine"]
"""What a wrong annotation costs: itself (and a note in the ledger), or its picture."""

_REASONS_SHOWN = 3
_NO_MASK = "segmentation is empty: it has a box at most, and no mask"


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Size of a stored picture in pixels."""

    height: int
    width: int


def stated_size(height: Any, width: Any, picture: bytes, frame: Frame) -> PictureSize:
    """The size that an annotation file states for a picture.

    Where it states none (missing, null, 0 or -1), it is the size of the picture's file.

    Args:
        height, width: fields of the annotation file.
        picture: the picture's file.
        frame: on which pixels the annotation was made.

    Raises:
        AnnotationError: the size is no number, or too large; or none is stated, and nothing else
            says on which pixels of a turned picture the annotation was made.
        PictureError: the size is needed from the picture, and the picture has none.
    """
    sides = side_length(height, "height"), side_length(width, "width")
    if sides[0] is None or sides[1] is None:
        stored = inspect(picture)
        if frame == "auto" and stored.orientation >= 5:
            raise AnnotationError(
                "the annotation file states no size of this picture, which is turned (EXIF "
                f"orientation {stored.orientation}): the source's orientation, stored or upright, "
                "must say on which pixels the annotation was made"
            )
        if frame == "upright":
            return PictureSize(*stored.upright_size[::-1])
        return PictureSize(stored.height, stored.width)
    size = PictureSize(sides[0], sides[1])
    if size.height * size.width > MAX_PIXELS:
        raise AnnotationError(f"the annotation claims {size.width}x{size.height} pixels")
    return size


def read_instances(
    annotations: Sequence[Any], size: PictureSize, bad: BadAnnotations
) -> MaskAnnotation:
    """Masks from COCO's instances or stuff: polygons, compressed or plain run lengths.

    Args:
        annotations: of one picture.
        size: of the picture.
        bad: whether a wrong annotation is left out and named in `left_out`, or costs the picture.

    Raises:
        AnnotationError: an annotation is wrong and `bad` is quarantine, or all of them are; names
            annotations and fields.
    """
    segments: dict[int, Segment] = {}
    masks: list[RunLengths] = []
    problems: list[str] = []
    for index, entry in enumerate(annotations):
        where = f"annotation {_identity(entry, index)}"
        try:
            segment = _segment(entry, where)
            if segment.id in segments:
                raise AnnotationError(f"{where}: an earlier annotation of the picture has this id")
            masks.append(_mask(entry.get("segmentation"), size, where))
            segments[segment.id] = segment
        except AnnotationError as why:
            if bad == "quarantine":
                raise
            problems.append(str(why))
    if problems and not segments:
        raise AnnotationError(_all_wrong(problems))
    return MaskAnnotation(
        size.height, size.width, tuple(segments.values()), tuple(masks), tuple(problems)
    )


def read_panoptic(annotation: Any, png: bytes, size: PictureSize) -> MapAnnotation:
    """Id map from a panoptic annotation and its PNG (id = R + 256 G + 65536 B, 0 = void).

    Raises:
        AnnotationError: a field is missing or wrong, or the PNG has another size or form.
    """
    if not isinstance(annotation.get("segments_info"), list):
        raise AnnotationError("segments_info is missing or no list")
    segments = [
        _segment(entry, f"segments_info[{index}]")
        for index, entry in enumerate(annotation["segments_info"])
    ]
    ids = {segment.id for segment in segments}
    if len(ids) != len(segments):
        raise AnnotationError("two entries of segments_info share one id")
    if 0 in ids:
        raise AnnotationError("segments_info lists id 0, which means unlabelled in panoptic maps")
    return MapAnnotation(tuple(segments), read_colour_ids(png, size.height, size.width), void=0)


def read_pixelmap(png: bytes, size: PictureSize) -> MapAnnotation:
    """Id map from a stuff pixelmap: a PNG of category ids (palette index or grey), 0 = unlabelled.

    The format is that of `cocoSegmentationToPng` in `cocostuffapi`.

    Raises:
        AnnotationError: the PNG has another size or form.
    """
    id_map = read_numbers(png, size.height, size.width)
    present = np.flatnonzero(np.bincount(id_map.ravel(), minlength=1)).tolist()
    segments = [Segment(category, category_id=category) for category in present if category]
    return MapAnnotation(tuple(segments), id_map, void=0)


def _identity(entry: Any, index: int) -> str:
    identity = entry.get("id") if isinstance(entry, dict) else None
    return f"at position {index}" if identity is None else shown(identity)


def _segment(entry: Any, where: str) -> Segment:
    identity = whole_number(member(entry, "id", where), f"{where}: id")
    if problem := entry.get("problem"):
        raise AnnotationError(f"{where}: {problem}")
    return Segment(
        identity,
        category_id=whole_number(entry.get("category_id"), f"{where}: category_id"),
        iscrowd=truth(entry.get("iscrowd"), f"{where}: iscrowd", default=False),
    )


def _mask(encoding: Any, size: PictureSize, where: str) -> RunLengths:
    """A checked mask of a picture."""
    height, width = size.height, size.width
    if encoding in NOT_STATED or encoding == []:
        raise AnnotationError(f"{where}: {_NO_MASK}")
    try:
        if isinstance(encoding, list):
            return rasterise(encoding, height, width)
        if not isinstance(encoding, dict) or not {"size", "counts"} <= encoding.keys():
            raise AnnotationError("segmentation is neither polygons nor run lengths")
        if encoding["size"] != [height, width]:
            raise AnnotationError(
                f"segmentation.size is {shown(encoding['size'])}, the image is [{height}, {width}]"
            )
        counts = counts_of(encoding["counts"], "segmentation")
        parse_masks([counts], height, width)
        return counts
    except AnnotationError as why:
        raise AnnotationError(f"{where}: {why}") from why


def _all_wrong(problems: Sequence[str]) -> str:
    if all(problem.endswith(_NO_MASK) for problem in problems):
        return (
            f"none of its {len(problems)} annotations has a mask (segmentation is empty): they are "
            "boxes alone, from which no proxy draws"
        )
    more = f" ... and {len(problems) - _REASONS_SHOWN} more" * (len(problems) > _REASONS_SHOWN)
    return (
        f"all {len(problems)} annotations are wrong: {'; '.join(problems[:_REASONS_SHOWN])}{more}"
    )
