"""SA-1B's JSON of a picture -> masks; and the list of masks that SAM's own generator gives.

`SamAutomaticMaskGenerator` (segment-anything, sam2; `amg.py --convert-to-rle`) saves the masks of
a picture as a list alone, without the picture's name and size. Such lists are read as well, for
each mask states the size itself. The masks have no ids; each takes its place in the list as its id,
from 1 on.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from sgt_data.errors import AnnotationError
from sgt_data.pictures.decode_source import MAX_PIXELS, inspect
from sgt_data.records import MaskAnnotation, RunLengths, Segment
from sgt_data.sources.annotation_json import (
    SCORE_MAX,
    counts_of,
    list_member,
    load_json,
    member,
    score,
    shown,
    whole_number,
)
from sgt_data.sources.json_forms import likely_form


def parse_annotation(data: bytes, picture: bytes = b"") -> MaskAnnotation:
    """Masks from the JSON of a picture.

    Args:
        data: the JSON, in SA-1B's form or a list of masks.
        picture: file of the picture, which gives the size of an empty list.

    Raises:
        AnnotationError: the data are not JSON, a field is missing or of the wrong kind, or sizes
            contradict each other.
    """
    plain = _plain_masks(data)
    return _checked_masks(data, picture) if plain is None else plain


class _Encoding(msgspec.Struct):
    size: tuple[int, int]
    counts: str


class _Mask(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
    segmentation: _Encoding
    predicted_iou: float | None = None
    stability_score: float | None = None


class _Image(msgspec.Struct):
    width: Annotated[int, msgspec.Meta(ge=1, le=MAX_PIXELS)]
    height: Annotated[int, msgspec.Meta(ge=1, le=MAX_PIXELS)]


class _Document(msgspec.Struct):
    image: _Image
    annotations: list[_Mask]


_decode = msgspec.json.Decoder(_Document).decode


def _plain_masks(data: bytes) -> MaskAnnotation | None:
    """Masks from JSON as SA-1B has it; None for anything else, which `_checked_masks` reads.

    Only the fields that are needed become objects, not the whole document.
    """
    if not data.isascii():
        return None
    try:
        document = _decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None
    size = document.image.height, document.image.width
    masks = document.annotations
    segments = tuple(
        Segment(mask.id, predicted_iou=mask.predicted_iou, stability_score=mask.stability_score)
        for mask in masks
    )
    is_plain = (
        size[0] * size[1] <= MAX_PIXELS
        and all(mask.segmentation.size == size for mask in masks)
        and len({mask.id for mask in masks}) == len(masks)
        and all(
            value is None or abs(value) < SCORE_MAX
            for mask in masks
            for value in (mask.predicted_iou, mask.stability_score)
        )
        and all(mask.segmentation.counts.isascii() for mask in masks)
    )
    if not is_plain:
        return None
    counts = tuple(mask.segmentation.counts.encode() for mask in masks)
    return MaskAnnotation(*size, segments, counts)


def _checked_masks(data: bytes, picture: bytes) -> MaskAnnotation:
    """Masks from JSON of either form, with an error that names the field that is wrong."""
    document = load_json(data)
    if isinstance(document, list):
        return _masks(document, _size_of_list(document, picture), "masks", ids_are_places=True)
    if not isinstance(document, dict) or not {"image", "annotations"} <= document.keys():
        raise AnnotationError(
            "the annotation is not in SA-1B's form, an object of image and annotations"
            f"{likely_form(document)}"
        )
    width, height = (member(document["image"], side, "image") for side in ("width", "height"))
    entries = list_member(document, "annotations", "the annotation")
    return _masks(entries, _size(height, width, "image"), "annotations")


def _masks(
    entries: list[Any], size: tuple[int, int], name: str, *, ids_are_places: bool = False
) -> MaskAnnotation:
    segments: dict[int, Segment] = {}
    masks: list[RunLengths] = []
    for index, entry in enumerate(entries):
        where = f"{name}[{index}]"
        masks.append(_mask(entry, size, where))
        identity = (
            index + 1 if ids_are_places else whole_number(member(entry, "id", where), f"{where}.id")
        )
        if identity in segments:
            raise AnnotationError(f"two annotations share one id, {identity}")
        segments[identity] = Segment(
            identity,
            predicted_iou=score(entry.get("predicted_iou"), f"{where}.predicted_iou"),
            stability_score=score(entry.get("stability_score"), f"{where}.stability_score"),
        )
    return MaskAnnotation(*size, tuple(segments.values()), tuple(masks))


def _mask(entry: Any, size: tuple[int, int], where: str) -> RunLengths:
    height, width = size
    stated = _run_lengths(entry, where)
    if stated["size"] != [height, width]:
        raise AnnotationError(
            f"{where}.segmentation.size is {shown(stated['size'])}, the image is "
            f"[{height}, {width}]"
        )
    return counts_of(stated["counts"], where)


def _run_lengths(entry: Any, where: str) -> dict[str, Any]:
    """The field `segmentation` of a mask, with `size` and `counts`."""
    encoding = member(entry, "segmentation", where)
    if isinstance(encoding, list):
        raise AnnotationError(
            f"{where}.segmentation is a list, not run lengths with size and counts; SAM's "
            "generator gives them with output_mode='coco_rle' (amg.py: --convert-to-rle)"
        )
    list_member(encoding, "size", f"{where}.segmentation")
    member(encoding, "counts", f"{where}.segmentation")
    stated: dict[str, Any] = encoding
    return stated


def _size_of_list(entries: list[Any], picture: bytes) -> tuple[int, int]:
    """Height and width that the first mask states; those of the stored picture for an empty list.

    Raises:
        AnnotationError: the first entry is no mask of a size.
        PictureError: the list is empty, and the picture has no size.
    """
    if not entries:
        stored = inspect(picture)
        return stored.height, stored.width
    size = _run_lengths(entries[0], "masks[0]")["size"]
    if len(size) != 2:
        raise AnnotationError(f"masks[0].segmentation.size is {shown(size)}, not [height, width]")
    return _size(size[0], size[1], "masks[0].segmentation.size")


def _size(height: Any, width: Any, where: str) -> tuple[int, int]:
    columns = whole_number(width, f"{where}.width", 1)
    rows = whole_number(height, f"{where}.height", 1)
    if rows * columns > MAX_PIXELS:
        raise AnnotationError(f"{where} claims {columns}x{rows} pixels")
    return rows, columns
