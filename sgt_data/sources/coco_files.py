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
from sgt_data.sources.coco_index import CocoEntry
from sgt_data.sources.picture_pool import ListedFile, PicturePool
from sgt_data.sources.relative_paths import claimed_twice

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


def slice_payload(located: Sequence[LocatedEntry], pools: Mapping[str, PicturePool]) -> bytes:
    """What a worker must know to read these entries."""
    archives = {field: pool.archive_bytes for field, pool in pools.items()}
    return orjson.dumps({"archives": archives, "inputs": located})


def parse_payload(payload: bytes) -> tuple[list[LocatedEntry], dict[str, int | None]]:
    """The entries of a slice, and the sizes of the archives by field."""
    document = orjson.loads(payload)
    located = [
        LocatedEntry(
            CocoEntry(**row["entry"]),
            {field: ListedFile(**file) for field, file in row["files"].items()},
        )
        for row in document["inputs"]
    ]
    return located, document["archives"]


def first_entries(payload: bytes, count: int) -> bytes:
    """What a worker must know to read the first entries of a slice alone."""
    document = orjson.loads(payload)
    return orjson.dumps({**document, "inputs": document["inputs"][:count]})


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
            return LocatedEntry(replace(entry, annotations={}, problem=problem), {})
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
        if (annotation := entry.annotations.get(kind)) is not None:
            yield field, annotation["file_name"]


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
            entry = replace(located[number].entry, annotations={}, problem=problem)
            checked[number] = LocatedEntry(entry, {})
    return checked


def _base(pool: PicturePool) -> str:
    return posixpath.basename(pool.place.rstrip("/"))
