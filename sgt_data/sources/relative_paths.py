"""Find a file by a path that may have more, or fewer, leading folders than the listing's."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from urllib.parse import unquote


class RelativePaths:
    """The paths of a listing.

    A name stands for a path where one of them ends with the other, folder by folder: `a/1.jpg` is
    `train/a/1.jpg` and may be `1.jpg`, but never `b/1.jpg`. Where no path has the very
    characters of a name, they are compared as they look (macOS takes an accent apart from its
    letter), and then without the escapes of a URL in the name (`%20`).
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
        if matches := self._find_exactly(name, folder):
            return matches
        for spelling in (name, unquote(name)):
            if matches := self._find_as_seen(as_it_looks(spelling), folder):
                return matches
        return []

    @cached_property
    def _as_seen(self) -> tuple[RelativePaths, dict[str, list[str]]]:
        """The paths as they look, and of each the paths that look so."""
        spellings: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._all):
            spellings[as_it_looks(path)].append(path)
        return RelativePaths(spellings), spellings

    def _find_as_seen(self, name: str, folder: str) -> list[str]:
        paths, spellings = self._as_seen
        matches = paths._find_exactly(name, as_it_looks(folder))
        return [path for match in matches for path in spellings[match]]

    def _find_exactly(self, name: str, folder: str) -> list[str]:
        for exact in (name, posixpath.join(folder, name)):
            if exact in self._all:
                return [exact]
        paths = self._by_base.get(posixpath.basename(name), [])
        below = [path for path in paths if path.endswith(f"/{name}")]
        if below:
            return sorted(below)
        above = [path for path in paths if name.endswith(f"/{path}")]
        return [max(above, key=len)] if above else []


def as_it_looks(path: str) -> str:
    """A path with every accent joined to its letter: Unicode's normal form C."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def claimed_twice(matches: Iterable[tuple[str, str]]) -> set[str]:
    """The paths that stand for several names, of pairs of a name and its path."""
    first: dict[str, str] = {}
    twice = set()
    for name, path in matches:
        if first.setdefault(path, posixpath.normpath(name)) != posixpath.normpath(name):
            twice.add(path)
    return twice


def stem_of(path: str) -> str:
    """The name that a picture and its files share: as it looks, without folders and suffix.

    Escapes of a URL are undone, since `find` finds a path by a name with them.
    """
    return as_it_looks(unquote(posixpath.splitext(posixpath.basename(path))[0]))


def shared_stems(paths: Iterable[str]) -> frozenset[str]:
    """The names, as they look, without folders, suffix and escapes, that several paths have."""
    stems: set[str] = set()
    shared: set[str] = set()
    for path in paths:
        stem = stem_of(path)
        (shared if stem in stems else stems).add(stem)
    return frozenset(shared)
