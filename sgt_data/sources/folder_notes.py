"""What a person should know of the files of a folder that are no inputs."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable

from sgt_data.files.folder_walk import FolderListing
from sgt_data.files.not_pictures import in_system_folder
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES, UNREAD_PICTURE_SUFFIXES
from sgt_data.value_text import counted

_NAMED_SUFFIXES = 8


def folder_notes(place: str, listing: FolderListing, left: Iterable[str]) -> tuple[str, ...]:
    """Remarks on a folder.

    Args:
        place: the folder.
        listing: what lies below it.
        left: paths of the files that are no pictures.
    """
    suffixes = Counter(posixpath.splitext(name)[1].lower() for name in left)
    notes = []
    if suffixes:
        notes.append(
            f"{counted(suffixes.total(), 'file')} below {place}, no pictures that are read: "
            f"{counts_by_suffix(suffixes)}"
        )
    unread = [suffix for suffix in UNREAD_PICTURE_SUFFIXES if suffix in suffixes]
    if unread:
        notes.append(
            f"pictures with {', '.join(unread)} are not read; convert them to PNG or JPEG to use "
            "them"
        )
    if kept := [name for name in listing.sizes if _is_picture_of_system(name)]:
        notes.append(
            f"{counted(len(kept), 'picture')} below {place}, in folders that systems keep for "
            f"themselves, not read; the first one {kept[0]}"
        )
    if listing.devices:
        notes.append(
            f"{counted(len(listing.devices), 'entry')} below {place}, neither files nor folders, "
            f"not read; the first one {listing.devices[0]}"
        )
    notes += dangling_notes(place, listing)
    if listing.followed:
        link, target = next(iter(listing.followed.items()))
        notes.append(
            f"{len(listing.followed)} linked folders below {place} were followed, the first one "
            f"{link} to {target}"
        )
    if listing.refused:
        link, reason = next(iter(listing.refused.items()))
        notes.append(
            f"{len(listing.refused)} linked folders below {place} were not followed; the first "
            f"one, {link}, {reason}"
        )
    return tuple(notes)


def _is_picture_of_system(name: str) -> bool:
    return name.lower().endswith(PICTURE_SUFFIXES) and in_system_folder(name)


def dangling_notes(place: str, listing: FolderListing) -> list[str]:
    """The remark on links that lead to no file, where there are any."""
    if not listing.dangling:
        return []
    link, reason = next(iter(listing.dangling.items()))
    return [
        f"{counted(len(listing.dangling), 'link')} below {place} to no file, no inputs; the first "
        f"one, {printable(link)}, {printable(reason)}"
    ]


def printable(text: str) -> str:
    """A name of a local file, or a text with one, whose bytes that are no UTF-8 are written out."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def counts_by_suffix(suffixes: Counter[str]) -> str:
    """The most frequent suffixes with their counts, as text."""
    named = sorted(suffixes.items(), key=lambda each: (-each[1], each[0]))[:_NAMED_SUFFIXES]
    parts = [f"{count} {suffix or 'without suffix'}" for suffix, count in named]
    rest = suffixes.total() - sum(count for _, count in named)
    return ", ".join([*parts, f"{rest} with others"] if rest else parts)
