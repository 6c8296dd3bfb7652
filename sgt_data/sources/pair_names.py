"""Which file belongs to which picture: by the name without its ending. Pure."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping

from sgt_data.sources.relative_paths import as_it_looks

MATCHES_NAMED = 3


def name_without(path: str, suffix: str | None) -> str:
    """A path without its ending: the stated one, or what follows the last dot of its name."""
    if suffix is not None:
        return path[: len(path) - len(suffix)]
    return posixpath.splitext(path)[0]


def has_ending(path: str, suffix: str | None, usual: tuple[str, ...]) -> bool:
    """Whether a path ends with the stated suffix, or with one of the usual ones."""
    name = posixpath.basename(path).lower()
    endings = usual if suffix is None else (suffix.lower(),)
    return any(name.endswith(end) and name != end for end in endings)


class NamedFiles:
    """Files by the names that pictures have too.

    A file belongs to the picture of the same path without ending; where there is none, to that of
    the same name in another folder, if no other picture and no other file has this name.
    """

    def __init__(self, paths: Iterable[str], suffix: str | None) -> None:
        self._by_path: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            stem = as_it_looks(name_without(path, suffix))
            self._by_path[stem].append(path)
            self._by_name[posixpath.basename(stem)].append(path)

    def of(self, stem: str, names: Mapping[str, int]) -> list[str]:
        """The files of a picture: one where it is known which.

        Args:
            stem: path of the picture without its ending.
            names: how many pictures have each name, without folder and ending.
        """
        stem = as_it_looks(stem)
        if stem in self._by_path:
            return self._by_path[stem]
        name = posixpath.basename(stem)
        return self._by_name.get(name, []) if names.get(name) == 1 else []


def problem_of(what: str, stem: str, matches: list[str]) -> str:
    """Why a picture has no file of a role, or which one it has is not known."""
    if not matches:
        return f"there is no {what} of the name {posixpath.basename(stem)}"
    return f"the {what} may be {' or '.join(matches[:MATCHES_NAMED])}; one must go"
