"""List a folder of pictures that its owner arranged, with linked folders and what is no file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from sgt_data.errors import SourceError
from sgt_data.files.reading import dangling_link, list_files
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import is_local

_Identity = tuple[int, int]


@dataclass(slots=True)
class FolderListing:
    """What lies below a folder.

    Attributes:
        sizes: bytes of every file by its path below the folder (with `/`), sorted.
        followed: linked folders that were listed, by path below the folder, with their targets.
        refused: linked folders that were not, each with the reason.
        devices: what is no file (pipes, sockets, devices), by path below the folder.
        dangling: links that lead to nothing that can be reached, each with the reason.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    followed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    devices: list[str] = field(default_factory=list)
    dangling: dict[str, str] = field(default_factory=dict)


def walk_folder(url: str) -> FolderListing:
    """All files below a folder; empty where it does not exist.

    Linked folders of a local disk are followed, in the order of their paths. Every folder is listed
    once, at its own place where it has one below `url`, so that a circle of links ends. A link to a
    folder that holds `url` itself is not followed.

    Raises:
        SourceError: the folder, or one below it, cannot be listed.
    """
    if not is_local(url):
        return FolderListing(list_files(url))
    walk = _Walk(url.removeprefix("file://"))
    if os.path.isdir(walk.root):
        try:
            walk.run()
        except OSError as why:
            raise SourceError(f"cannot list {why.filename or url}: {why.strerror}") from why
    sizes = walk.listing.sizes
    walk.listing.sizes = {name: sizes[name] for name in sorted(sizes) if TEMPORARY not in name}
    return walk.listing


class _Walk:
    def __init__(self, root: str) -> None:
        self.root = root
        self.listing = FolderListing()
        self.listed: set[_Identity] = set()
        self.links: list[str] = []

    def run(self) -> None:
        self._list("")
        while self.links:
            links, self.links = sorted(self.links), []
            for link in links:
                self._follow(link)

    def _follow(self, link: str) -> None:
        place = os.path.join(self.root, link)
        target = os.path.realpath(place)
        if os.path.realpath(self.root).startswith(os.path.join(target, "")):
            self.listing.refused[link] = f"leads to {target}, which holds the folder itself"
        elif _identity(os.stat(place)) in self.listed:
            self.listing.refused[link] = f"leads to {target}, which is listed already"
        else:
            self.listing.followed[link] = target
            self._list(link)

    def _list(self, top: str) -> None:
        """List a folder and those below it; note the linked ones."""
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            identity = _identity(os.stat(os.path.join(self.root, folder)))
            if identity in self.listed:
                continue
            self.listed.add(identity)
            for entry in _entries(os.path.join(self.root, folder)):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_symlink() and _is_folder(entry):
                    self.links.append(path)
                else:
                    self._add_file(path, entry)

    def _add_file(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            status = entry.stat()
        except OSError:
            reason = dangling_link(entry.path)
            if reason is None:  # no link: it is gone since, or cannot be asked for just now
                raise
            self.listing.dangling[path] = reason
            return
        if stat.S_ISREG(status.st_mode):
            self.listing.sizes[path] = status.st_size
        else:
            self.listing.devices.append(path)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(entries, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino
