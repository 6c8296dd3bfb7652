"""COCO's annotation files -> an entry for each picture, with all annotations of it."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from sgt_data.records import Category
from sgt_data.sources.annotation_json import NOT_STATED, shown
from sgt_data.sources.coco_agreement import check_images, joint_categories
from sgt_data.sources.coco_file import CocoFile, ImageId, read_coco_file
from sgt_data.sources.coco_texts import KnownCategories
from sgt_data.sources.keys import unique_keys
from sgt_data.value_text import counted

_NO_LICENCE = ("", "None", "null", "NaN")  # as exporters write that they know none


@dataclass(frozen=True, slots=True)
class CocoEntry:
    """A picture of COCO.

    Attributes:
        identity: the key without the name of the source.
        file_name: path within the picture folder.
        url: address of the picture at COCO.
        licence: name of the picture's licence.
        number: its id, by which its annotations are known; None where it has none.
        maps: file name of the picture's map, by kind of annotation.
        problem: why the entry cannot become a sample; None where it can.
        folder: folder that `file_name` is in, unless the picture folder is this one: pictures that
            have an address alone (LVIS), which ends in `train2017/000000391895.jpg`.
    """

    identity: str
    file_name: str
    url: str | None
    licence: str | None
    number: ImageId | None = None
    maps: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None
    folder: str = ""

    def path_in(self, place: str) -> str:
        """Path of the picture within the folder or zip at `place`."""
        own = posixpath.basename(place.rstrip("/")).removesuffix(".zip")
        return self.file_name if self.folder in ("", own) else f"{self.folder}/{self.file_name}"


@dataclass(frozen=True, slots=True)
class CocoIndex:
    """All that annotation files list.

    Attributes:
        entries: in the order of image ids (numbers first), then entries that repeat an id.
        vocabulary: the joint categories, by id.
        notes: remarks for the person who builds.
        files: the annotation files.
        images: what the files say of the images, by id.
    """

    entries: list[CocoEntry]
    vocabulary: tuple[Category, ...]
    notes: tuple[str, ...]
    files: Sequence[CocoFile]
    images: Mapping[ImageId, Mapping[str, Any]]

    def annotation(self, number: ImageId, known: KnownCategories) -> bytes:
        """The JSON of all annotations of a picture: those of each kind (null where the file of the
        kind has no entry for it), and the fields `width` and `height`."""
        texts = {file.kind: file.text_of(number, known) for file in self.files}
        image = self.images[number]
        return orjson.dumps(
            {kind: None if text is None else orjson.Fragment(text) for kind, text in texts.items()}
            | {"width": image.get("width"), "height": image.get("height")}
        )


def index_coco(documents: Mapping[str, tuple[str, bytes]], source: str) -> CocoIndex:
    """Join COCO annotation files by image id.

    Args:
        documents: URL and bytes of the JSON file of each kind, in the order of the manifest.
        source: name of the source, for messages.

    Raises:
        RequestError: a file is no COCO annotation, or two files contradict each other.
    """
    files = [read_coco_file(kind, place, data, source) for kind, (place, data) in documents.items()]
    check_images(files, source)
    vocabulary = joint_categories(files, source)
    images: dict[ImageId, dict[str, Any]] = {}
    licences: dict[str, str] = {}
    for file in files:
        images = {**file.images, **images}
        licences.update(file.licences)
    names = _names(images)
    entries = []
    for number in sorted(images, key=lambda number: (isinstance(number, str), number)):
        entry = _entry(number, images[number], names.get(number), licences)
        problem = next((file.problems[number] for file in files if number in file.problems), None)
        maps = {file.kind: file.maps[number] for file in files if number in file.maps}
        if maps or problem:
            entry = replace(entry, maps=maps, problem=entry.problem or problem)
        entries.append(entry)
    entries += [_repeated_entry(image) for file in files for image in file.repeated]
    return CocoIndex(
        _with_own_keys(entries, source),
        tuple(vocabulary.values()),
        tuple(note for file in files for note in _notes(file, images)),
        files,
        images,
    )


def _names(images: Mapping[ImageId, dict[str, Any]]) -> dict[ImageId, tuple[str, str]]:
    """File name and folder of each image that names a file, by id.

    Where there is no `file_name`, both come from the address: the base name alone, where it is
    unique among such images, and its folder.
    """
    names: dict[ImageId, tuple[str, str]] = {}
    from_address: dict[ImageId, tuple[str, str]] = {}
    for number, image in images.items():
        name, url = image.get("file_name"), image.get("coco_url")
        if isinstance(name, str) and name not in ("", *NOT_STATED):
            names[number] = name.replace("\\", "/"), ""
        elif name in NOT_STATED and isinstance(url, str):
            folder, base = posixpath.split(unquote(urlsplit(url).path))
            if base:
                from_address[number] = base, posixpath.basename(folder)
    uses = Counter(base for base, _ in from_address.values())
    for number, (base, folder) in from_address.items():
        alone = uses[base] == 1
        names[number] = (base, folder) if alone else (posixpath.join(folder, base), "")
    return names


def _entry(
    number: ImageId,
    image: dict[str, Any],
    name: tuple[str, str] | None,
    licences: Mapping[str, str],
) -> CocoEntry:
    if name is None:
        problem = f"its file_name is {shown(image.get('file_name'))}, which names no file"
        return _problem_entry(number, problem)
    file_name, folder = name
    identity = posixpath.splitext(file_name)[0]
    licence = _licence(image.get("license"), licences)
    return CocoEntry(identity, file_name, image.get("coco_url"), licence, number, folder=folder)


def _licence(stated: Any, licences: Mapping[str, str]) -> str | None:
    """Name of a licence; None where the file knows none."""
    if stated is None or str(stated) in _NO_LICENCE:
        return None
    name = licences.get(str(stated), f"COCO licence id {stated}")
    return None if name in _NO_LICENCE else name


def _repeated_entry(image: dict[str, Any]) -> CocoEntry:
    file_name = str(image.get("file_name"))
    identity = posixpath.splitext(file_name)[0]
    problem = f"image id {image['id']} is listed twice in one file; the first entry is used"
    return CocoEntry(identity, file_name, None, None, problem=problem)


def _problem_entry(number: ImageId, problem: str) -> CocoEntry:
    identity = number if isinstance(number, str) else f"{number:012d}"
    return CocoEntry(identity, f"image id {number}", None, None, problem=problem)


def _notes(file: CocoFile, images: Mapping[ImageId, Any]) -> Iterable[str]:
    """Remarks on what of a file is not used, or may not be what it should be."""
    orphans = file.annotations.keys() - images.keys()
    if orphans:
        count = sum(len(file.annotations[number]) for number in orphans)
        yield (
            f"{counted(count, 'annotation')} in {file.place} of "
            f"{counted(len(orphans), 'image id')} "
            f"that no list of images has, such as {sorted(map(str, orphans))[0]}; no inputs"
        )
    if count := file.counts["doubled ids"]:
        yield f"{counted(count, 'annotation')} in {file.place} with the id of an earlier one"
    if file.counts["annotations"] and not file.counts["masks"]:
        yield (
            f"none of the {file.counts['annotations']} annotations in {file.place} has a mask "
            "(`segmentation`): they are boxes alone. All proxies on instances draw from masks, so "
            "that every picture with a box will be left out of them"
        )


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
            entry = replace(entry, number=None, problem=problem)
        elif entry.problem is None:
            seen.add(entry.file_name)
            identity = keys[entry.file_name].removeprefix(f"{source}_")
            if identity != entry.identity:
                entry = replace(entry, identity=identity)
        checked.append(entry)
    return checked
