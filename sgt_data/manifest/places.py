"""Where the relative paths of a manifest lead: into the folder of its file, on disk or at a URL.

Values that a person types (`--set`) and manifests that are given by name or as data are left as
they are: their relative paths lie in the current folder.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import ManifestError, RequestError
from sgt_data.files.braces import expand_braces
from sgt_data.files.urls import absolute, is_http_url

_ROOTED = re.compile(r"[/~]|[A-Za-z][A-Za-z0-9+.-]*:/|.*::")
_PATTERN = re.compile(r"[*?\[{]")
_PIPES = re.compile(r"/dev/|/proc/")


@dataclass(frozen=True, slots=True)
class MovedPlace:
    """A relative path of a manifest, and where it leads.

    Attributes:
        field: path of the field in the manifest.
        written: its value in the file.
        moved: the same place, for those who read it from the current folder.
    """

    field: tuple[str, int, str]
    written: Any
    moved: Any


def stated_places(member: Any) -> Iterator[tuple[str, str]]:
    """The places that a source or an annotator states, each with its field: paths, URLs and
    patterns, without the words that stand for a place."""
    kind = type(member)
    for field in sorted(kind.places):
        value = getattr(member, field)
        for place in value if isinstance(value, list | tuple) else [value]:
            if isinstance(place, str) and place not in kind.place_words:
                yield field, place


def folder_of(manifest: str) -> str:
    """The folder in which a manifest's file lies; empty for the current folder.

    Args:
        manifest: URL or path of the file. What comes through a pipe lies in the current folder.
    """
    if "::" in manifest or _PIPES.match(manifest):
        return ""
    if is_http_url(manifest):
        manifest = re.split(r"[?#]", manifest)[0]
    protocol, separator, path = manifest.rpartition("://")
    return f"{protocol}{separator}{posixpath.dirname(path)}"


def below_folder(folder: str, place: str) -> str:
    """A place of a manifest, for those who read it from the current folder.

    Args:
        folder: of the manifest, by `folder_of`.
        place: path, pattern or URL; absolute ones are returned as they are.
    """
    if not folder or not place or _is_rooted(place):
        return place
    protocol, separator, path = folder.rpartition("://")
    if separator and protocol != "file":  # `..` ends at the host or bucket
        return f"{protocol}://" + posixpath.normpath(f"/{path}/{place}").lstrip("/")
    return f"{protocol}{separator}" + os.path.normpath(posixpath.join(path, place))


def place_members(
    data: dict[str, Any], folder: str, kinds: Mapping[str, Mapping[str, type[Any]]]
) -> list[MovedPlace]:
    """Let the relative paths of a manifest's sources and annotators lead into a folder, in place.

    Args:
        data: what the file holds.
        folder: of the manifest, by `folder_of`.
        kinds: by list of the manifest: classes of its members by `type`, with their `places`.

    Returns:
        What was changed.
    """
    moves: list[MovedPlace] = []
    for name, of_list in kinds.items():
        members = data.get(name)
        for number, member in enumerate(members if isinstance(members, list) else ()):
            kind = member.get("type") if isinstance(member, dict) else None
            places = of_list[kind].places if isinstance(kind, str) and kind in of_list else ()
            for field in sorted(places):
                written = member.get(field)
                moved = _moved(written, folder, of_list[str(kind)], field)
                if moved != written:
                    member[field] = moved
                    moves.append(MovedPlace((name, number, field), written, moved))
    return moves


def check_moves(data: Mapping[str, Any], moves: list[MovedPlace], folder: str) -> None:
    """Check that no path was meant to lead into the current folder.

    Args:
        data: what the manifest holds after all changes of single fields.
        moves: what `place_members` changed.
        folder: of the manifest.

    Raises:
        ManifestError: nothing is where the path leads, but in the current folder there is.
    """
    for move in moves:
        name, number, field = move.field
        if data[name][number].get(field) != move.moved:
            continue
        for written, moved in zip(_listed(move.written), _listed(move.moved), strict=True):
            if written != moved and _is_in_current_folder_alone(written, moved):
                upward = os.path.relpath(written, folder)
                path = ".".join(map(str, move.field))
                raise ManifestError(
                    f"{path}: found {written!r}. Paths in a manifest are relative to its folder, "
                    f"and {absolute(moved)} is not there; {absolute(written)} is. Write {upward} "
                    f"in the manifest, or give --set {path}={written}"
                )


def _moved(written: Any, folder: str, kind: type[Any], field: str) -> Any:
    """A value of a field of places, for those who read it from the current folder."""
    if isinstance(written, list):
        return [_moved(each, folder, kind, field) for each in written]
    if not isinstance(written, str) or written in kind.place_words:
        return written
    moved = below_folder(folder, written)
    if field in kind.hub_places and written.count("/") == 1 and not written.startswith("."):
        return moved if os.path.isdir(moved) else written
    return moved


def _is_rooted(place: str) -> bool:
    if place.startswith("{"):
        try:
            return all(_ROOTED.match(each) for each in expand_braces(place))
        except (ValueError, RequestError):  # it is refused where it is read
            return True
    return bool(_ROOTED.match(place))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _is_in_current_folder_alone(written: str, moved: str) -> bool:
    """Whether a local path exists as it is written, and not where it leads."""
    if "://" in moved or _PATTERN.match(written):
        return False
    return os.path.exists(_fixed(written)) and not os.path.exists(_fixed(moved))


def _fixed(pattern: str) -> str:
    """The part of a pattern that is no pattern: of `a/b/sa_*.tar`, `a/b`."""
    fixed = _PATTERN.split(pattern)[0]
    return fixed if fixed == pattern else posixpath.dirname(fixed)
