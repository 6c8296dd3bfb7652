"""Which files belong to each entry of COCO: found once, in listings, before the work begins."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sgt_data.errors import InputError
from sgt_data.files.reading import dangling_link
from sgt_data.files.urls import join
from sgt_data.names import checked_path
from sgt_data.sources.annotation_json import load_json
from sgt_data.sources.coco_index import CocoEntry, CocoIndex
from sgt_data.sources.coco_texts import KnownCategories
from sgt_data.sources.picture_pool import ListedFile, PicturePool
from sgt_data.sources.relative_paths import claimed_twice
from sgt_data.sources.slices import packed, unpacked

PICTURES = "pictures"
MAP_KINDS = {"panoptic": "panoptic_maps", "stuff_pixelmaps": "stuff_maps"}
"""By kind of annotation that has a PNG for each picture: the field of the place of the PNGs."""


@dataclass(frozen=True, slots=True)
class LocatedEntry:
    """An entry with its files.

    Attributes:
        entry: has a problem where a file of it was not listed.
        files: by the field of their place (`pictures`, `panoptic_maps`, `stuff_maps`).
    """

    entry: CocoEntry
    files: Mapping[str, ListedFile]


def locate(
    entries: Sequence[CocoEntry], pools: Mapping[str, PicturePool], split: str
) -> list[LocatedEntry]:
    """Find the files of every entry.

    Args:
        entries: of the annotation files.
        pools: what was listed, by field.
        split: name of the split, which is the folder within COCO's own archives.
    """
    located = [_located(entry, pools, split) for entry in entries]
    for field in pools:
        located = _without_double_claims(located, field, pools)
    return located


@dataclass(frozen=True, slots=True)
class CocoInput:
    """An entry as a worker gets it.

    Attributes:
        identity: the key without the name of the source.
        file_name: path within the picture folder.
        url: address of the picture at COCO.
        licence: name of the picture's licence.
        problem: why the entry cannot become a sample; None where it can.
        annotation: JSON of its annotations: by kind, and the fields `width` and `height`.
        files: by the field of their place.
    """

    identity: str
    file_name: str
    url: Any
    licence: str | None
    problem: str | None
    annotation: bytes
    files: Mapping[str, ListedFile]


class SliceNotes:
    """Writes what workers must know to read entries: their files, and their annotations as JSON."""

    def __init__(self, index: CocoIndex, pools: Mapping[str, PicturePool]) -> None:
        self._index = index
        self._archives = {field: pool.archive_bytes for field, pool in pools.items()}
        vocabulary = {category.id: category for category in index.vocabulary}
        self._known = KnownCategories(vocabulary)

    def of(self, located: Sequence[LocatedEntry]) -> bytes:
        """The note for these entries, packed."""
        rows = [self._row(each) for each in located]
        return packed(orjson.dumps({"archives": self._archives, "inputs": rows}))

    def _row(self, located: LocatedEntry) -> dict[str, Any]:
        entry = located.entry
        annotation = None
        if entry.problem is None and entry.number is not None:
            annotation = orjson.Fragment(self._index.annotation(entry.number, self._known))
        return {
            "identity": entry.identity,
            "file_name": entry.file_name,
            "url": entry.url,
            "licence": entry.licence,
            "problem": entry.problem,
            "annotation": annotation,
            "files": located.files,
        }


def parse_payload(payload: bytes) -> tuple[list[CocoInput], dict[str, int | None]]:
    """The entries of a slice, and the sizes of the archives by field."""
    document = load_json(unpacked(payload), "the note of a slice")
    return [_input(row) for row in document["inputs"]], document["archives"]


def first_entries(payload: bytes, count: int) -> bytes:
    """What a worker must know to read the first entries of a slice alone."""
    document = load_json(unpacked(payload), "the note of a slice")
    return packed(orjson.dumps({**document, "inputs": document["inputs"][:count]}))


def _input(row: Mapping[str, Any]) -> CocoInput:
    problem = row["problem"]
    try:
        annotation = orjson.dumps(row["annotation"])
    except TypeError:  # deeper than JSON is written
        annotation, problem = b"", problem or "its annotations are nested too deeply"
    files = {field: _listed(**file) for field, file in row["files"].items()}
    return CocoInput(**{**row, "problem": problem, "annotation": annotation, "files": files})


def _listed(path: str, size: int | None, zipped: list[int] | None) -> ListedFile:
    if zipped is None:
        return ListedFile(path, size)
    start, length, bytes_packed, crc, method, flags = zipped
    return ListedFile(path, size, (start, length, bytes_packed, crc, method, flags))


def _located(entry: CocoEntry, pools: Mapping[str, PicturePool], split: str) -> LocatedEntry:
    if entry.problem:
        return LocatedEntry(entry, {})
    files = {}
    for field, name in _names(entry, pools):
        folder = split if field == PICTURES else posixpath.splitext(_base(pools[field]))[0]
        try:
            files[field] = pools[field].find(name, folder)
        except InputError as why:
            problem = _dangling(pools[field].place, folder, name) or str(why)
            return LocatedEntry(replace(entry, number=None, problem=problem), {})
    return LocatedEntry(entry, files)


def _dangling(place: str, folder: str, name: Any) -> str | None:
    """What is wrong with a file in whose place a link lies that leads to none; None elsewhere."""
    try:
        checked_path(name)
    except ValueError:
        return None
    if not place.startswith("/"):
        return None
    reasons = (dangling_link(join(place, *parts)) for parts in ((name,), (folder, name)))
    reason = next(filter(None, reasons), None)
    return f"{name} {reason}" if reason else None


def _names(entry: CocoEntry, pools: Mapping[str, PicturePool]) -> Iterator[tuple[str, Any]]:
    """The field of the place of each file of an entry, and the name of the file."""
    yield PICTURES, entry.path_in(pools[PICTURES].place)
    for kind, field in MAP_KINDS.items():
        if kind in entry.maps:
            yield field, entry.maps[kind]


def _without_double_claims(
    located: list[LocatedEntry], field: str, pools: Mapping[str, PicturePool]
) -> list[LocatedEntry]:
    """Entries of different names share no file: `a/1.jpg` and `b/1.jpg` are not both `1.jpg`."""
    names = {
        number: (dict(_names(each.entry, pools))[field], each.files[field].path)
        for number, each in enumerate(located)
        if field in each.files
    }
    twice = claimed_twice(names.values())
    checked = list(located)
    for number, (name, path) in names.items():
        if path in twice and posixpath.normpath(name) != path:
            problem = f"{name} may be {path}, but so may another name of the annotation file"
            entry = replace(located[number].entry, number=None, problem=problem)
            checked[number] = LocatedEntry(entry, {})
    return checked


def _base(pool: PicturePool) -> str:
    return posixpath.basename(pool.place.rstrip("/"))
