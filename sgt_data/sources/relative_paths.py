"""Find a file by a path that may have more, or fewer, leading folders than the listing's."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable


class RelativePaths:
    """The paths of a listing.

    A name stands for a path where one of them ends with the other, folder by folder: `a/1.jpg` is
    `train/a/1.jpg` and may be `1.jpg`, but never `b/1.jpg`.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_base: dict[str, list[str]] = defaultdict(list)
        self._all = frozenset(paths)
        for path in self._all:
            self._by_base[posixpath.basename(path)].append(path)

    def find(self, name: str, folder: str = "") -> list[str]:
        """The paths that a name may stand for; one where it is known which, none where none does.

        Args:
            name: a relative path.
            folder: is tried before the name.
        """
        name = posixpath.normpath(name)
        for exact in (name, posixpath.join(folder, name)):
            if exact in self._all:
                return [exact]
        paths = self._by_base.get(posixpath.basename(name), [])
        below = [path for path in paths if path.endswith(f"/{name}")]
        if below:
            return sorted(below)
        above = [path for path in paths if name.endswith(f"/{path}")]
        return [max(above, key=len)] if above else []


def claimed_twice(matches: Iterable[tuple[str, str]]) -> set[str]:
    """The paths that stand for several names, of pairs of a name and its path."""
    first: dict[str, str] = {}
    twice = set()
    for name, path in matches:
        if first.setdefault(path, posixpath.normpath(name)) != posixpath.normpath(name):
            twice.add(path)
    return twice


def shared_stems(paths: Iterable[str]) -> frozenset[str]:
    """The names, without folders and suffix, that several paths have."""
    stems: set[str] = set()
    shared: set[str] = set()
    for path in paths:
        stem = posixpath.splitext(posixpath.basename(path))[0]
        (shared if stem in stems else stems).add(stem)
    return frozenset(shared)
