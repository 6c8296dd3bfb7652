"""The corpus that a subset file belongs to: where it lies, and whether it is still the same one."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from sgt_data.corpus.header import CorpusHeader, not_complete, read_header
from sgt_data.errors import CorpusMismatch, RequestError, SourceError
from sgt_data.files.claim import as_list, differences
from sgt_data.files.urls import checked_url, is_local, join
from sgt_data.foreign_errors import in_words
from sgt_data.subsets.subset_file import SubsetFile
from sgt_data.subsets.subset_headers import short_identity, subset_header
from sgt_data.value_text import cut

_BY_PROXY = ("proxies", "banks", "makers")
"""Parts of an identity that hold a value per proxy."""


def find_parent(file: SubsetFile, url: str) -> tuple[str, CorpusHeader]:
    """The corpus of a subset file: where it lies from the file, where it lay, or beside the file.

    Args:
        file: what the subset file holds.
        url: of the subset file.

    Raises:
        RequestError: it is at none of these places; the message names each.
        CorpusMismatch: another corpus is there, or another build of it; says what differs.
    """
    refused: CorpusMismatch | None = None
    places: dict[str, str] = {}  # where it is not, each with the reason where there is one
    for place in dict.fromkeys(_places(file, url)):
        header, reason = _header_at(place, typed=place != file.parent["url"])
        if header is None:
            places[place] = reason
            continue
        stated = {folder: file.parent["fingerprints"].get(folder) for folder in file.selection.held}
        if stated == {folder: header.fingerprints.get(folder) for folder in stated}:
            if not header.complete:
                raise RequestError(not_complete(place, header))
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
        f"{url} is a subset of the corpus {cut(file.parent['name'])}, which is neither at "
        f"{' nor at '.join(place + reason for place, reason in places.items())}; put the corpus "
        "into the folder of the subset file, or take the subset anew from where the corpus is now"
    )


def _header_at(place: str, typed: bool) -> tuple[CorpusHeader | None, str]:
    """The header of the corpus at a place, or why there is none to read.

    Args:
        place: URL.
        typed: whether it follows from where a person has the subset file, and not from its content.
    """
    try:
        return read_header(place if typed else checked_url(place)), ""
    except ValueError as why:
        return None, f" (not opened: {in_words(why)})"
    except SourceError as why:
        return None, f" (not reached: {why})"


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
    stored: str = file.parent["url"]
    yield stored
    name = posixpath.basename(stored.split("?", 1)[0].rstrip("/"))
    if name not in ("", ".", ".."):  # both were moved into one folder
        yield posixpath.join(os.path.dirname(url), name)  # it is quoted where URLs are


def _joined(folder: str, relative: str) -> str:
    scheme, _, path = folder.rpartition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join('/' + path, relative)).lstrip('/')}"
