"""Where work may write: not into what it reads, and not into a corpus or other work's folder.

A file that is written among the files of a source would be an input of the next run; one that is
written into a corpus belongs to no shard of it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from sgt_data.errors import RequestError, SourceError
from sgt_data.files.braces import expand_braces
from sgt_data.files.folder_entries import named, other_entries
from sgt_data.files.reading import exists
from sgt_data.files.urls import (
    Location,
    absolute,
    has_glob,
    is_http_url,
    is_local,
    is_within,
    join,
    plain,
)
from sgt_data.names import INDEX, QUARANTINE, RECEIPTS, SUBSET_SUFFIX
from sgt_data.redaction import without_secrets

CORPUS_MARKER, EXPORT_MARKER = "corpus.json", "export.json"
QUESTIONS_MARKER, ANNOTATE_MARKER = "questions.json", "annotate.json"
CAPTIONS_MARKER = "captions.json"
"""Names of the files that say which work a folder holds."""

_MARKERS = {
    CORPUS_MARKER: "a corpus",
    EXPORT_MARKER: "an export",
    QUESTIONS_MARKER: "a folder of questions",
    ANNOTATE_MARKER: "a folder of annotated tars",
    CAPTIONS_MARKER: "a folder of captions",
}

_BESIDE_A_CORPUS = frozenset({"README.md", "left-out.json"})
"""May lie in a folder before its `corpus.json`: a person's own README.md, which is kept, and the
first file of a join that was stopped."""

_PARTS_OF_A_CORPUS = frozenset({RECEIPTS, INDEX, QUARANTINE})


def check_output(
    output: Location,
    sources: Iterable[str] = (),
    *,
    marker: str | None = None,
    name: str = "output",
) -> str:
    """Check a place that a person wants written, before anything is written; its absolute URL.

    Links and `..` are resolved. The place need not exist.

    Args:
        output: URL of a folder or file, as it was asked for.
        sources: URLs and patterns that the work reads.
        marker: name of the file that marks a folder as this kind of work.
        name: of the field or option, for messages.

    Raises:
        RequestError: it is empty, lies on a web server, overlaps a source, lies in a corpus, or
            holds other work, or files that are of no such work.
    """
    if not plain(output).strip():
        raise RequestError(f"{name} is empty; give the path or URL to write to")
    root = absolute(output)
    _check_takes_files(root, name)
    if marker is not None and root.rstrip("/").endswith(SUBSET_SUFFIX):
        raise RequestError(
            f"{name} is {root}: no folder may be named *{SUBSET_SUFFIX}, as subset files are; "
            "`scale --file` writes a subset file"
        )
    with suppress(SourceError):  # what is not reached, or not ours to look at, the work will say
        _check_other_work(root, marker, name)
    for source in sources:
        if problem := overlap(root, source):
            raise RequestError(f"{name} is {root}, which {problem}; give another {name}")
    with suppress(SourceError):
        _check_folders_above(root, name)
    if marker == CORPUS_MARKER and root.startswith("/"):
        for inner in sorted(Path(root).glob(f"*/{CORPUS_MARKER}")):
            raise RequestError(
                f"{name} is {root}, in which the corpus {inner.parent} lies; give another {name}"
            )
    if marker is not None:
        with suppress(SourceError):
            _check_other_files(root, marker, name)
    return root


def check_file_place(file: Location, name: str = "output") -> None:
    """Check the place of a single file, before the work begins: its folder must be there.

    Folders of whole results (corpora, exports) are created; a file's folder is not, as a name that
    was mistyped would leave folders behind.

    Args:
        file: path or URL as it was asked for; object stores have no folders.
        name: of the field or option, for messages.

    Raises:
        RequestError: there is no such folder, the place is a folder itself, or lies on a web
            server.
    """
    place = absolute(file)
    _check_takes_files(place, name)
    if not place.startswith("/"):
        return
    if os.path.isdir(place):
        raise RequestError(f"{name} is {place}, which is a folder; give the name of a file in it")
    folder = os.path.dirname(place)
    if os.path.isfile(folder):
        raise RequestError(
            f"{name} is {place}, but {folder} is a file, no folder; name another file"
        )
    if not os.path.isdir(folder):
        raise RequestError(
            f"{name} is {place}, and there is no folder {folder}; make it first, or name another "
            "file"
        )


def _check_takes_files(place: str, name: str) -> None:
    if is_http_url(place):
        raise RequestError(
            f"{name} is {place}; files are read over HTTP, and not written: give a path, or the "
            "URL of an object store, such as s3://BUCKET/FOLDER"
        )


def _check_other_files(root: str, marker: str, name: str) -> None:
    """Refuse a folder of a person's own files: work would be strewn among them."""
    what = _MARKERS[marker]
    if is_local(root) and os.path.isfile(root):
        raise RequestError(f"{name} is {root}, which is a file; {what} needs a folder")
    if exists(join(root, marker)):
        return
    entries = other_entries(root, _BESIDE_A_CORPUS if marker == CORPUS_MARKER else ())
    if marker in entries:  # somebody claimed it just now
        return
    if marker == CORPUS_MARKER and {f"{part}/" for part in _PARTS_OF_A_CORPUS} <= set(entries):
        # a corpus whose corpus.json was lost, which its build writes anew
        folders = {each.rstrip("/") for each in other_entries(join(root, RECEIPTS))}
        entries = other_entries(root, folders | _PARTS_OF_A_CORPUS | _BESIDE_A_CORPUS)
    if entries:
        raise RequestError(
            f"{name} is {root}, which holds other files ({named(entries)}) and no {marker}; {what} "
            f"needs a folder of its own: give another {name}, such as {join(root, 'new')}"
        )


def _check_other_work(root: str, marker: str | None, name: str) -> None:
    for other, what in _MARKERS.items():
        if other != marker and exists(join(root, other)):
            raise RequestError(
                f"{name} is {root}, which holds {other}, so it is {what}; give another {name}"
            )


def _check_folders_above(root: str, name: str) -> None:
    for folder in _folders_above(root):
        if exists(join(folder, CORPUS_MARKER)):
            raise RequestError(
                f"{name} is {root}, which lies in the corpus {folder}; give another {name}, "
                "outside of it"
            )


def overlap(output: str, source: str) -> str | None:
    """How an output and what is read overlap, in words that follow "which"; None where they do not.

    Args:
        output: absolute URL.
        source: URL of a file or folder, or a pattern of braces and globs.
    """
    try:
        places = expand_braces(source)
    except (ValueError, RequestError):  # it is refused, field by field, where it is read
        places = [source]
    root = _resolved(output)
    for place in map(absolute, places):
        fixed, pattern = _cut(place)
        folder = _resolved(fixed)
        if is_within(folder, root):
            if folder == root and not pattern:
                return "is read by this work"
            return f"holds {source}, which is read"
        if not pattern and is_within(root, folder):
            return f"lies in {source}, which is read"
        if pattern and _may_match_below(folder, pattern, root):
            return f"lies where {source} looks for files"
    return None


def _cut(place: str) -> tuple[str, list[str]]:
    """The fixed beginning of a pattern, and its parts from the first glob on."""
    parts = place.split("/")
    for number, part in enumerate(parts):
        if has_glob(part, place):
            return "/".join(parts[:number]) or "/", parts[number:]
    return place, []


def _may_match_below(folder: str, pattern: list[str], root: str) -> bool:
    """Whether a pattern below a folder could match a file below `root`."""
    if not is_within(root, folder):
        return False
    parts = [part for part in root[len(folder) :].split("/") if part]
    for number, part in enumerate(parts):
        if number >= len(pattern) - 1:
            return "**" in pattern[-1]
        if "**" in pattern[number]:
            return True
        if not fnmatchcase(part, pattern[number]):
            return False
    return len(pattern) > len(parts)


def _resolved(url: str) -> str:
    if url.startswith("/"):
        return os.path.realpath(url)
    protocol, separator, path = without_secrets(url).rpartition("://")
    path = posixpath.normpath("/" + path.split("?", 1)[0]).lstrip("/")
    return f"{protocol}{separator}{path}"


def _folders_above(root: str) -> Iterator[str]:
    resolved = _resolved(root) if root.startswith("/") else root
    folder = posixpath.dirname(resolved.rstrip("/"))
    while folder.strip("/") and not folder.endswith((":", ":/")):
        yield folder
        folder = posixpath.dirname(folder)
