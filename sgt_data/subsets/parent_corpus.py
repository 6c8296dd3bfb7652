"""The corpus that a subset file belongs to: where it lies, and whether it is still the same one."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from sgt_data.corpus.header import CorpusHeader, read_header
from sgt_data.errors import CorpusMismatch, RequestError
from sgt_data.files.claim import as_list, differences
from sgt_data.files.urls import is_local, join
from sgt_data.subsets.subset_file import SubsetFile
from sgt_data.subsets.subset_headers import short_identity, subset_header

_BY_PROXY = ("proxies", "banks", "makers")
"""Parts of an identity that hold a value per proxy."""


def find_parent(file: SubsetFile, url: str) -> tuple[str, CorpusHeader]:
    """The corpus of a subset file: where it lies from the file, or where it lay.

    Args:
        file: what the subset file holds.
        url: of the subset file.

    Raises:
        RequestError: it is at neither place.
        CorpusMismatch: another corpus is there, or another build of it; says what differs.
    """
    refused: CorpusMismatch | None = None
    places = list(_places(file, url))
    for place in places:
        header = read_header(place)
        if header is None:
            continue
        stated = {folder: file.parent["fingerprints"].get(folder) for folder in file.selection.held}
        if stated == {folder: header.fingerprints.get(folder) for folder in stated}:
            if not header.complete:
                raise RequestError(f"{place} is not complete; build it to its end first")
            return place, header
        differing = differences(
            _known_part(file, file.parent["made"]),
            _known_part(file, short_identity(header.identity)),
        )
        refused = refused or CorpusMismatch(
            f"{url} is a subset of another corpus than {place} holds; these differ:\n"
            + (as_list(differing) if differing else f"  fingerprints: {stated}")
        )
    raise refused or RequestError(
        f"{url} is a subset of the corpus {file.parent['name']!r}, which is neither at "
        f"{' nor at '.join(places)}"
    )


def header_within(file: SubsetFile, header: CorpusHeader) -> CorpusHeader:
    """The header of the subset that a file names, from that of its corpus."""
    shards_of = {folder: set(header.shards[folder]) for folder in file.selection.held}
    samples = {
        folder: {shard: count for shard, count in counts.items() if shard in shards_of[folder]}
        for folder, counts in file.samples().items()
    }
    return subset_header(header, file.rule, file.parent, samples, file.source_totals)


def _known_part(file: SubsetFile, identity: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of the corpus, without proxies that the subset does not know."""
    return {
        name: {proxy: part for proxy, part in value.items() if proxy in file.selection.held}
        if name in _BY_PROXY
        else value
        for name, value in identity.items()
    }


def _places(file: SubsetFile, url: str) -> Iterator[str]:
    if file.relative_path is not None:
        folder = os.path.dirname(url)
        yield (
            os.path.normpath(join(folder, file.relative_path))
            if is_local(url)
            else _joined(folder, file.relative_path)
        )
    yield str(file.parent["url"])


def _joined(folder: str, relative: str) -> str:
    scheme, _, path = folder.rpartition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join('/' + path, relative)).lstrip('/')}"
