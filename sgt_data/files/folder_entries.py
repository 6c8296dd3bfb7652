"""What lies in a folder beside the work that it is for."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection

from sgt_data.errors import FileMissing
from sgt_data.files.not_pictures import in_system_folder, is_system_file
from sgt_data.files.retries import retried
from sgt_data.files.urls import is_local, open_filesystem

_NAMED = 4
"""So many entries are named; of more, their number."""


def other_entries(url: str, own: Collection[str] = ()) -> list[str]:
    """Names of files and folders (these with `/`) in a folder that are not of its work, sorted.

    One listing of one level. Empty where there is no folder. Hidden entries are no content of a
    person's: `.DS_Store`, `.gitkeep`, `.git/`, and files that are still being written; nor is what
    systems keep for themselves (`lost+found/`).

    Args:
        url: of the folder.
        own: names that may lie in it.

    Raises:
        SourceError: it cannot be listed, after several attempts.
    """
    return [name for name in _entries(url) if name.rstrip("/") not in own and not is_unseen(name)]


def is_unseen(path: str) -> bool:
    """Whether a path below a folder is hidden there, or is what a system keeps for itself.

    Args:
        path: of a file, or of a folder with `/` at its end.
    """
    return path.startswith(".") or in_system_folder(path) or is_system_file(path)


def named(entries: Collection[str]) -> str:
    """Entries of a folder as part of a sentence: the first ones, and how many more there are."""
    more = f" and {len(entries) - _NAMED} more" if len(entries) > _NAMED else ""
    return ", ".join(list(entries)[:_NAMED]) + more


def _entries(url: str) -> list[str]:
    def ask() -> list[str]:
        filesystem, path = open_filesystem(url)
        if is_local(url):
            with os.scandir(path) as entries:
                return sorted(f"{entry.name}{'/' * entry.is_dir()}" for entry in entries)
        filesystem.invalidate_cache()
        folder = str(filesystem._strip_protocol(path)).strip("/")
        names = set()
        for entry in filesystem.ls(path, detail=True):
            place = str(entry["name"]).strip("/")
            if place != folder:  # an object store may keep an object for the folder itself
                names.add(f"{posixpath.basename(place)}{'/' * (entry['type'] == 'directory')}")
        return sorted(names)

    try:
        return retried(ask, f"cannot list {url}")
    except FileMissing:
        return []
