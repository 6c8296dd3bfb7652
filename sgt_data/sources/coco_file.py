"""One annotation file of COCO's form, read strictly: bytes in; images, categories, annotations out.

What a file must say is checked as it is read, and a file that does not say it is refused. What no
proxy needs (`info`, `licenses`, `area`, `bbox`, ...) may be missing or wrong.
"""

from __future__ import annotations

import posixpath
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sgt_data.errors import AnnotationError, InputError, RequestError
from sgt_data.files.outside_json import repeated_key, unpacked
from sgt_data.sources.annotation_json import (
    member,
    shown,
    whole_number,
)
from sgt_data.sources.coco_categories import StatedCategory, read_categories, read_licences
from sgt_data.sources.coco_document import Text, parsed, take_apart
from sgt_data.sources.coco_kinds import check_kind
from sgt_data.sources.coco_texts import (
    Annotation,
    KnownCategories,
    annotation_of,
    map_object,
    mask_list,
)
from sgt_data.sources.json_forms import likely_form

_LISTS = ("images", "annotations", "categories")
_IMAGE_FIELDS = ("file_name", "coco_url", "width", "height", "license")

ImageId = int | str
"""Number of an image; text where the file numbers its images by text that is no number."""


@dataclass(frozen=True, slots=True)
class CocoFile:
    """What an annotation file says.

    Attributes:
        kind: field of the manifest that names it.
        place: its URL.
        images: the entries of `images` by id.
        repeated: further entries of an id.
        categories: by id.
        licences: names by id; empty where the file gives none.
        annotations: the texts of the annotations of each image id; none of stuff_pixelmaps.
        maps: the file name of the map of each image id (panoptic, stuff_pixelmaps).
        problems: why a picture cannot be used, by image id.
        counts: `annotations`, `masks` (annotations with a segmentation), `doubled ids`.
    """

    kind: str
    place: str
    images: dict[ImageId, dict[str, Any]] = field(default_factory=dict)
    repeated: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[int, StatedCategory] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)
    annotations: dict[ImageId, list[Text]] = field(default_factory=dict)
    maps: dict[ImageId, Any] = field(default_factory=dict)
    problems: dict[ImageId, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """Name of the file without its folders."""
        return posixpath.basename(self.place)

    def text_of(self, number: ImageId, known: KnownCategories) -> bytes | None:
        """The JSON of the annotations of a picture, with the fields that are read later: a list of
        annotations, or (panoptic, stuff_pixelmaps) the one of the picture's map.

        None where the file has no entry for the picture.
        """
        texts = self.annotations.get(number)
        if texts is None:
            return None
        if number in self.maps:
            return map_object(self.maps[number], texts)
        return mask_list(texts, known)


def read_coco_file(kind: str, place: str, data: bytes, source: str) -> CocoFile:
    """Read an annotation file.

    Args:
        kind: field of the manifest that names it.
        place: its URL, for messages.
        data: its bytes, packed with gzip or not.
        source: name of the source, for messages.

    Raises:
        RequestError: it is no COCO file of this kind; names the place in it, what was found, and
            what is allowed.
    """
    file = CocoFile(kind, place)
    try:
        text = unpacked(data, place)
        document = take_apart(text, place)
        _check_form(document, kind)
        if twice := repeated_key(text, _LISTS):
            raise AnnotationError(
                f"it gives the list {twice} twice, and only the last would be read; join the two "
                "lists to one"
            )
        _add_images(file, document)
        file.licences.update(read_licences(document.get("licenses")))
        file.categories.update(read_categories(document["categories"], kind))
        if kind == "stuff_pixelmaps":
            _add_pixelmaps(file)
        elif kind == "panoptic":
            _add_panoptic(file, document["annotations"])
        else:
            _add_masks(file, document["annotations"])
    except InputError as why:
        raise RequestError(
            f"sources.{source}.{kind}: {place} is no COCO {kind} file: {why}"
        ) from why
    return file


def image_id_of(value: Any, where: str) -> ImageId:
    """The id of an image: a whole number, or text. 12, 12.0 and "12" are one id.

    Raises:
        AnnotationError: the value is neither; the message names `where`.
    """
    if isinstance(value, str) and value:
        try:
            return whole_number(value, where, -(1 << 53))
        except AnnotationError:
            return value
    return whole_number(value, where, -(1 << 53))


def _check_form(document: Any, kind: str) -> None:
    """Whether the document has COCO's lists at all, with annotations of the kind."""
    if isinstance(document, dict) and isinstance(document.get("annotations"), list):
        check_kind(map(parsed, document["annotations"]), kind)
    lists = ["images", "categories"] + ["annotations"] * (kind != "stuff_pixelmaps")
    for name in lists:
        if not isinstance(document, dict) or not isinstance(document.get(name), list):
            if not isinstance(document, dict):
                fault = "it is a list" if isinstance(document, list) else f"it is {shown(document)}"
            elif name in document:
                fault = f"its {name} is {shown(document[name])}, not a list"
            else:
                fault = f"it has no {name}"
            raise AnnotationError(
                f"{fault}; needed are the lists {', '.join(lists)}{likely_form(document)}"
            )


def _add_images(file: CocoFile, document: dict[str, Any]) -> None:
    for index, text in enumerate(document["images"]):
        stated = parsed(text)
        number = image_id_of(member(stated, "id", f"images[{index}]"), f"images[{index}].id")
        image = {name: stated[name] for name in _IMAGE_FIELDS if name in stated}
        if number in file.images:
            file.repeated.append({**image, "id": number})
        else:
            file.images[number] = image


def _add_pixelmaps(file: CocoFile) -> None:
    for number, image in file.images.items():
        name = _path(image.get("file_name"))
        file.maps[number] = f"{posixpath.splitext(name)[0]}.png" if isinstance(name, str) else name
        file.annotations[number] = []


def _add_panoptic(file: CocoFile, texts: Sequence[Text]) -> None:
    for index, text in enumerate(texts):
        annotation = annotation_of(text, f"annotations[{index}]")
        number = _image_of(annotation, index)
        name = _path(annotation.file_name)
        if number not in file.annotations:
            file.annotations[number] = [text]
            file.maps[number] = name
            continue
        file.problems[number] = (
            f"{file.name} has two annotations of image id {number}, with the maps "
            f"{shown(file.maps[number])} and {shown(name)}; one is allowed"
        )


def _add_masks(file: CocoFile, texts: Sequence[Text]) -> None:
    for number in file.images:  # a picture without annotation is one with nothing on it
        file.annotations[number] = []
    ids = array("q")  # 860,000 of them
    for index, text in enumerate(texts):
        annotation = annotation_of(text, f"annotations[{index}]")
        file.annotations.setdefault(_image_of(annotation, index), []).append(text)
        file.counts["masks"] += annotation.has_mask
        if isinstance(annotation.id, int) and abs(annotation.id) < 1 << 63:
            ids.append(annotation.id)
    file.counts["annotations"] = len(texts)
    in_order = np.sort(np.frombuffer(ids, np.int64))
    file.counts["doubled ids"] = int((in_order[1:] == in_order[:-1]).sum())


def _path(name: Any) -> Any:
    """A file name as a path; exporters on Windows separate folders by backslashes."""
    return name.replace("\\", "/") if isinstance(name, str) else name


def _image_of(annotation: Annotation, index: int) -> ImageId:
    if type(annotation.image_id) is int and abs(annotation.image_id) < 1 << 53:  # as nearly always
        return annotation.image_id
    return image_id_of(annotation.image_id, f"annotations[{index}].image_id")
