"""Files of dense maps beside the pictures of a source: which file belongs to which picture.

The folder is listed before the work begins. A worker lists it again and compares: where it sees
other files, the source cannot be read at present, and no picture is damaged by that.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from sgt_data.errors import AnnotationError, InputError, RequestError, SourceError
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import dangling_link, list_files
from sgt_data.files.urls import absolute, join
from sgt_data.records import FilePart, RawInput
from sgt_data.sources.held_files import hold
from sgt_data.sources.relative_paths import RelativePaths, as_it_looks, stem_of


@dataclass(frozen=True, slots=True)
class DenseFiles:
    """A folder of files, one for each picture of a source, as it was listed.

    Attributes:
        folder: absolute URL.
        identity: number of the files, and a digest over their names and sizes.
        shared_stems: names, without folders and suffix, that several pictures have: only their
            whole path says which file is theirs. None where the pictures are not known beforehand.
        suffixes: of the files, the first of a picture that is there counts.
    """

    folder: str
    identity: str
    shared_stems: frozenset[str] | None
    suffixes: tuple[str, ...] = (".png",)


def list_dense_files(
    folder: str,
    field: str,
    shared_stems: frozenset[str] | None,
    suffixes: tuple[str, ...] = (".png",),
    right: str = "depth files are 16-bit grey PNGs",
) -> DenseFiles:
    """List a folder of dense maps.

    Args:
        folder: URL.
        field: of the manifest, for messages.
        shared_stems, suffixes: see `DenseFiles`.
        right: what such files are, for messages.

    Raises:
        RequestError: the folder has no such files.
        SourceError: it cannot be listed at present.
    """
    place = absolute(folder)
    sizes = list_files(place)
    if not sizes:
        raise RequestError(
            f"{field}: no file below {place}. Mount or fetch it, or say where the files lie with "
            f"--set {field}=URL"
        )
    if not any(name.lower().endswith(suffixes) for name in sizes):
        raise RequestError(
            f"{field}: {right} with the names of the pictures; {place} "
            f"holds {len(sizes)} other files, such as {next(iter(sizes))}"
        )
    return DenseFiles(place, _identity(sizes), shared_stems, suffixes)


def with_files(inputs: Iterable[RawInput], files: DenseFiles, role: str) -> tuple[RawInput, ...]:
    """The inputs with their files as the layer `role`.

    The file of `a/1.jpg` is `a/1.png`; where the name alone tells, also `1.png` or `x/a/1.png`. An
    input without a file, or with several, gets a text in `layer_problems`.

    Raises:
        SourceError: a file cannot be read at present, or the folder is not as it was listed.
    """
    sizes, paths = _listed(files.folder, files.identity)
    inputs, parts = list(inputs), {}
    for number, raw in enumerate(inputs):
        try:
            path = _path(raw.member, paths, files)
        except AnnotationError as why:
            inputs[number] = _with_problem(raw, role, str(why))
        else:
            parts[number] = FilePart(join(files.folder, path), 0, sizes[path])
    for (number, part), result in zip(parts.items(), hold(list(parts.values())), strict=True):
        raw = inputs[number]
        if isinstance(result, bytes):
            inputs[number] = replace(raw, layer_bytes={**raw.layer_bytes, role: result})
        elif isinstance(result, FilePart):
            inputs[number] = replace(raw, parts={**raw.parts, role: part})
        elif isinstance(result, InputError):
            inputs[number] = _with_problem(raw, role, str(result))
        else:
            raise result
    return tuple(inputs)


def _with_problem(raw: RawInput, role: str, why: str) -> RawInput:
    return replace(raw, layer_problems={**raw.layer_problems, role: f"{role}: {why}"})


def _path(member: str, paths: RelativePaths, files: DenseFiles) -> str:
    """Path of the file of a picture.

    Raises:
        AnnotationError: there is none, or it is not known which.
    """
    stem = posixpath.splitext(member)[0]
    names = [stem + suffix for suffix in files.suffixes]
    name = next((each for each in names if paths.find(each)), names[0])
    matches = paths.find(name)
    if not matches:
        reason = dangling_link(join(files.folder, name)) if files.folder.startswith("/") else None
        raise AnnotationError(f"{name} {reason}" if reason else f"there is no {name}")
    if len(matches) > 1:
        raise AnnotationError(f"{name} may be {' or '.join(matches[:4])}; put it at {name}")
    is_own = as_it_looks(matches[0]) == as_it_looks(posixpath.normpath(name))
    known = files.shared_stems is not None or posixpath.dirname(name) == ""
    if not is_own and (not known or stem_of(name) in (files.shared_stems or ())):
        raise AnnotationError(
            f"there is no {name}; {matches[0]} may belong to another picture of that name"
        )
    return matches[0]


def _identity(sizes: dict[str, int]) -> str:
    listing = "\n".join(f"{name} {size}" for name, size in sorted(sizes.items()))
    return f"{len(sizes)} files, listing sha256:{hashlib.sha256(listing.encode()).hexdigest()[:32]}"


@lru_cache(maxsize=4)
def _listed(folder: str, identity: str) -> tuple[dict[str, int], RelativePaths]:
    """Sizes and paths of the files of a folder.

    Raises:
        SourceError: they are not those that were listed.
    """
    sizes = list_files(folder)
    if (present := _identity(sizes)) != identity:
        raise SourceError(f"{folder} is not as it was listed: {identity}; now {present}")
    return sizes, RelativePaths(path for path in sizes if not is_system_file(path))
