"""COCO's annotation files -> an entry for each picture, with all annotations of it."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sgt_data.errors import RequestError
from sgt_data.records import Category
from sgt_data.sources.base import unique_keys

CATEGORY_ID_MAX = 1 << 14
"""Largest category id that is accepted: the table of colours has an entry for each."""

_MASK_FIELDS = ("id", "category_id", "iscrowd", "segmentation")


@dataclass(frozen=True, slots=True)
class CocoEntry:
    """A picture of COCO and its annotations.

    Attributes:
        identity: the key without the name of the source.
        file_name: path within the picture folder.
        url: address of the picture at COCO.
        licence: name of the picture's licence.
        annotations: annotation of each kind (None where the file of the kind has no entry for the
            picture), and the fields `width` and `height`.
        problem: why the entry cannot become a sample; None where it can.
    """

    identity: str
    file_name: str
    url: str | None
    licence: str | None
    annotations: dict[str, Any]
    problem: str | None = None


def index_coco(
    documents: Mapping[str, tuple[str, bytes]], source: str
) -> tuple[list[CocoEntry], tuple[Category, ...]]:
    """Join COCO annotation files by image id.

    Args:
        documents: URL and bytes of the JSON file of each kind, in the order of the manifest.
        source: name of the source, for messages.

    Returns:
        Entries in the order of image ids, then the entries of annotations whose picture is in no
        file; and the joint vocabulary.

    Raises:
        RequestError: a file is no COCO annotation, or two files name a category differently.
    """
    images: dict[int, dict[str, Any]] = {}
    licences: dict[str, str] = {}
    annotations: dict[int, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(documents))
    vocabulary: dict[int, Category] = {}
    repeated: list[dict[str, Any]] = []
    for kind, (place, data) in documents.items():
        try:
            document = orjson.loads(data)
            seen = set()
            for image in document["images"]:
                number = _image_id(image["id"])
                if number in seen:
                    repeated.append(image)
                seen.add(number)
                images.setdefault(number, image)
            licences |= {str(row["id"]): str(row["name"]) for row in document.get("licenses", [])}
            _add_categories(vocabulary, document["categories"], kind, place)
            _add_annotations(annotations, kind, document, seen)
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise RequestError(
                f"sources.{source}.{kind}: {place} is not a COCO {kind} file: {why!r}"
            ) from why
    entries = [_entry(images[number], annotations[number], licences) for number in sorted(images)]
    entries += [_repeated_entry(image) for image in repeated]
    entries += [
        _entry_without_image(number) for number in sorted(annotations.keys() - images.keys())
    ]
    return _with_own_keys(entries, source), tuple(
        vocabulary[number] for number in sorted(vocabulary)
    )


def _image_id(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError(f"image id {value!r:.40} is no integer")
    return value


def _add_categories(
    vocabulary: dict[int, Category], categories: list[dict[str, Any]], kind: str, place: str
) -> None:
    for entry in categories:
        category = Category(
            int(entry["id"]), str(entry["name"]), bool(entry.get("isthing", kind == "instances"))
        )
        earlier = vocabulary.setdefault(category.id, category)
        if not 1 <= category.id <= CATEGORY_ID_MAX:
            raise ValueError(f"category id {category.id}; allowed are 1 to {CATEGORY_ID_MAX}")
        if earlier.name != category.name:
            raise RequestError(
                f"{place} calls category {category.id} {category.name!r}, another file "
                f"{earlier.name!r}"
            )


def _add_annotations(
    annotations: dict[int, dict[str, Any]], kind: str, document: dict[str, Any], images: set[int]
) -> None:
    """Add the annotations of a file by image id, reduced to the fields that are read later."""
    if kind == "stuff_pixelmaps":
        for image in document["images"]:
            stem = posixpath.splitext(str(image.get("file_name")))[0]
            annotations[image["id"]][kind] = {"file_name": f"{stem}.png"}
        return
    if kind == "panoptic":
        for annotation in document["annotations"]:
            annotations[_image_id(annotation["image_id"])][kind] = {
                "file_name": annotation.get("file_name"),
                "segments_info": annotation.get("segments_info"),
            }
        return
    for number in images:  # a picture without annotation is one with nothing on it
        annotations[number][kind] = []
    for annotation in document["annotations"]:
        of_image = annotations[_image_id(annotation["image_id"])]
        if of_image[kind] is None:
            of_image[kind] = []
        of_image[kind].append({name: annotation.get(name) for name in _MASK_FIELDS})


def _entry(
    image: dict[str, Any], annotations: dict[str, Any], licences: Mapping[str, str]
) -> CocoEntry:
    file_name = image.get("file_name")
    if not isinstance(file_name, str) or not file_name:
        return _problem_entry(
            image["id"], f"its file_name is {file_name!r:.40}, which names no file"
        )
    licence = image.get("license")
    return CocoEntry(
        posixpath.splitext(file_name)[0],
        file_name,
        image.get("coco_url"),
        licences.get(str(licence), f"COCO licence id {licence}") if licence is not None else None,
        {**annotations, "width": image.get("width"), "height": image.get("height")},
    )


def _repeated_entry(image: dict[str, Any]) -> CocoEntry:
    file_name = str(image.get("file_name"))
    identity = posixpath.splitext(file_name)[0]
    problem = f"image id {image['id']} is listed twice in one file; the first entry is used"
    return CocoEntry(identity, file_name, None, None, {}, problem)


def _entry_without_image(number: int) -> CocoEntry:
    return _problem_entry(
        number, f"annotations refer to image id {number}, which images does not list"
    )


def _problem_entry(number: int, problem: str) -> CocoEntry:
    return CocoEntry(f"{number:012d}", f"image id {number}", None, None, {}, problem)


def _with_own_keys(entries: list[CocoEntry], source: str) -> list[CocoEntry]:
    """The entries in order, with identities of which no two give one key.

    Of two entries for one file the second gets a problem.
    """
    files = {entry.file_name for entry in entries if entry.problem is None}
    keys = unique_keys(source, sorted(files))
    seen: set[str] = set()
    checked = []
    for entry in entries:
        if entry.problem is None and entry.file_name in seen:
            problem = f"another image id has the file {entry.file_name} too, and comes first"
            entry = replace(entry, annotations={}, problem=problem)
        elif entry.problem is None:
            seen.add(entry.file_name)
            identity = keys[entry.file_name].removeprefix(f"{source}_")
            entry = replace(entry, identity=identity)
        checked.append(entry)
    return checked
