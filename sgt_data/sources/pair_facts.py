"""The JSON of the samples that targets are copies of: files of a folder, or members of tars."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.range_reader import RangeReader
from sgt_data.files.reading import size_of
from sgt_data.files.tar_walk import TarMember, walk_tar
from sgt_data.files.urls import is_local
from sgt_data.records import FilePart
from sgt_data.sources.pair_entry import PairEntry
from sgt_data.sources.pair_folders import list_role
from sgt_data.sources.pair_names import problem_of
from sgt_data.sources.tar_patterns import matching_tars

_JSON = ".json"
_ROLE = "target_facts"


def are_tars(place: str) -> bool:
    """Whether a place of facts names tars, by its ending."""
    return place.split("?", 1)[0].endswith(".tar")


def facts_by_name(source: str, place: str) -> Mapping[str, list[FilePart]]:
    """Where the JSON of each sample lies, by its key: the name up to its first dot.

    Args:
        source: name of the source.
        place: a folder of `KEY.json`, or a pattern of tars with such members, as those of a corpus.

    Raises:
        RequestError: there is none.
        SourceError: a tar or the folder cannot be read.
    """
    places: dict[str, list[FilePart]] = {}
    if are_tars(place):
        for url in matching_tars(source, place):
            for name, part in _members(url):
                places.setdefault(_key_of(name), []).append(part)
        return places
    folder = list_role(place, None, (_JSON,), f"sources.{source}.facts")
    for path in folder.sizes:
        places.setdefault(_key_of(path), []).append(folder.part(path))
    return places


def with_facts(
    entries: list[PairEntry], places: Mapping[str, list[FilePart]], names: list[str]
) -> list[PairEntry]:
    """The entries with the place of the JSON that has their name.

    Args:
        entries: the pairs.
        places: by name, from `facts_by_name`.
        names: of the pairs, in the order of `entries`.
    """
    placed = []
    for entry, name in zip(entries, names, strict=True):
        parts = places.get(_key_of(name), [])
        if entry.problem is not None:
            placed.append(entry)
        elif len(parts) == 1:
            placed.append(replace(entry, parts={**entry.parts, _ROLE: parts[0]}))
        else:
            problem = problem_of("facts", _key_of(name), [part.url for part in parts])
            placed.append(replace(entry, problems={**entry.problems, _ROLE: problem}))
    return placed


def _key_of(path: str) -> str:
    return posixpath.basename(path).split(".", 1)[0]


def _members(url: str) -> list[tuple[str, FilePart]]:
    """The JSON members of a tar, of which the headers alone are read."""
    size = size_of(url)
    reader = ForwardReader(url) if size is None or is_local(url) else RangeReader(url, size)
    try:
        return [
            (item.name, FilePart(url, item.start, item.size))
            for item in walk_tar(reader)
            if isinstance(item, TarMember) and item.name.endswith(_JSON)
        ]
    finally:
        reader.close()
