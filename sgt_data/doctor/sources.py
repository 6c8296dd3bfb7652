"""Places that a manifest's sources read, and weights of its annotators: can this node use them?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sgt_data.annotators.base import Annotator
from sgt_data.doctor.check import Check
from sgt_data.errors import SgtDataError, SourceError
from sgt_data.files.reading import is_folder, read_range
from sgt_data.files.urls import expand, has_glob, is_local
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import without_secrets


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """A place of a source.

    Attributes:
        field: of the manifest: `sources.coco.root`.
        pattern: a URL, or a brace or glob pattern.
    """

    field: str
    pattern: str


def source_check(place: SourcePlace) -> Check:
    """Whether a place of a source can be read from this process: of files the first byte of the
    first and the last one is read, of folders it is asked whether they are there."""
    try:
        urls = expand(place.pattern)
        if not urls:
            return _lacks(place, f"no file matches {place.pattern}")
        for url in dict.fromkeys((urls[0], urls[-1])):
            if problem := _problem(url):
                return _lacks(place, problem)
    except (SgtDataError, OSError, ImportError) as why:
        return _lacks(place, in_words(why))
    count = f"{len(urls):,} files or folders" if len(urls) > 1 else "it"
    return Check(place.field, "good", without_secrets(f"{place.pattern}: {count} can be read"))


def _problem(url: str) -> str | None:
    """Why a file or a folder cannot be read; None where it can."""
    if is_local(url):
        path = Path(url.removeprefix("file://"))
        if not path.exists():
            return f"there is no {path}"
        needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
        return None if os.access(path, needed) else f"this user may not read {path}"
    try:
        if is_folder(url):
            return None
        read_range(url, 0, 1)
    except SourceError as why:
        return str(why)
    return None


def _lacks(place: SourcePlace, problem: str) -> Check:
    if is_local(place.pattern) and not has_glob(place.pattern, place.pattern):
        remedy = "put it there, or mount the same disk at this path on every node"
    elif is_local(place.pattern):
        remedy = "correct the pattern, or mount the same disk at this path on every node"
    else:
        remedy = "check the name; the keys of the store must be in the environment of every node"
    return Check(place.field, "lacks", without_secrets(problem), remedy)


def weights_checks(annotators: Iterable[Annotator]) -> Iterator[Check]:
    """Whether the packages and the weights of annotators are on this node.

    Args:
        annotators: of a manifest.
    """
    from sgt_data.annotators.device import check_packages_and_files

    for annotator in annotators:
        subject = f"annotators.{annotator.name}"
        try:
            check_packages_and_files(annotator)
        except SgtDataError as why:
            remedy = "install the packages and fetch the weights on every node that annotates"
            yield Check(subject, "lacks", without_secrets(str(why)), remedy)
        else:
            yield Check(subject, "good", "packages and weights are there")
