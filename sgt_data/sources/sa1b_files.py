"""SA-1B's files extracted from their tars: a listing in, pictures paired with their JSON out.

People keep them as one folder, as a folder for each tar (`sa_000000/`), or with pictures and JSON
apart (`images/`, `annotations/`). In all of these a picture and its JSON have one name, so names
alone pair them.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.files.folder_walk import walk_folder
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.urls import absolute, expand, is_local, join
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.records import FilePart, RawInput
from sgt_data.sources.folder_notes import dangling_notes
from sgt_data.sources.keys import key_of

_JSON = ".json"


@dataclass(frozen=True, slots=True)
class ExtractedFile:
    """A file of a listing.

    Attributes:
        path: within the folder that was listed; begins with the folder's name where several were.
        url: where it lies.
        size: in bytes.
    """

    path: str
    url: str
    size: int

    @property
    def stem(self) -> str:
        """Its name without folder, extension and `sa_`: the id of its picture."""
        return posixpath.splitext(posixpath.basename(self.path))[0].removeprefix("sa_")

    @property
    def part(self) -> FilePart:
        """All its bytes."""
        return FilePart(self.url, 0, self.size)


@dataclass(frozen=True, slots=True)
class ExtractedInput:
    """A picture with its JSON; or what cannot become a sample.

    Attributes:
        stem: id of the picture.
        member: the path that names it in ledgers.
        files: places of its `picture` and its `annotation`; empty where there is a problem.
        problem: why it cannot become a sample; None where it can.
    """

    stem: str
    member: str
    files: Mapping[str, FilePart] = field(default_factory=dict)
    problem: str | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of its files."""
        return sum(part.length for part in self.files.values())

    def raw(self, source: str, licence: str | None) -> RawInput:
        """The input of a source."""
        key = key_of(source, self.stem)
        return RawInput(
            key, self.member, licence=licence, problem=self.problem, parts=dict(self.files)
        )

    def as_json(self) -> list[Any]:
        """Plain values, of which `from_json` makes it again."""
        parts = {role: [part.url, part.length] for role, part in self.files.items()}
        return [self.stem, self.member, parts, self.problem]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> ExtractedInput:
        """The input of `as_json`."""
        stem, member, parts, problem = values
        files = {role: FilePart(url, 0, length) for role, (url, length) in parts.items()}
        return cls(stem, member, files, problem)


def list_folders(
    patterns: str | Iterable[str], where: str
) -> tuple[dict[str, ExtractedFile], tuple[str, ...]]:
    """All files below folders, by path, sorted; without those that systems leave. Linked folders
    are followed.

    Args:
        patterns: URLs of folders, brace and glob patterns.
        where: field of the manifest, for messages.

    Returns:
        The files, and remarks on what was not listed.

    Raises:
        RequestError: nothing matches or exists, or two folders have one name.
        SourceError: a folder cannot be listed.
    """
    folders = [folder.rstrip("/") for folder in expand(patterns)]
    names: dict[str, str] = {}
    for folder in folders:
        first = names.setdefault(posixpath.basename(folder), folder)
        if first != folder:
            raise RequestError(
                f"{where}: two folders are named {posixpath.basename(folder)} ({first}, {folder}); "
                "give a folder that holds both"
            )
    files, notes = {}, []
    for name, folder in names.items():
        listing = walk_folder(folder)
        for path, size in listing.sizes.items():
            if not is_system_file(path):
                shown = path if len(folders) == 1 else join(name, path)
                files[shown] = ExtractedFile(shown, join(folder, path), size)
        notes += [f"{join(folder, link)} {why}" for link, why in listing.refused.items()]
        notes += [f"{join(folder, path)} is no regular file" for path in listing.devices]
        notes += dangling_notes(folder, listing)
    if not files:
        given = [patterns] if isinstance(patterns, str) else patterns
        tried = folders or [absolute(pattern) for pattern in given]
        lacking = [folder for folder in tried if is_local(folder) and not os.path.exists(folder)]
        what = f"folder {', '.join(lacking)}" if lacking else f"file below {', '.join(tried)}"
        raise RequestError(f"{where}: there is no {what}")
    return {path: files[path] for path in sorted(files)}, tuple(notes)


def pair_files(
    pictures: Mapping[str, ExtractedFile], annotations: Mapping[str, ExtractedFile]
) -> tuple[list[ExtractedInput], int]:
    """Pictures with their JSON, in the order of the pictures' paths; then JSON without picture.

    Of several pictures with one name the first is used, and the others state both names.

    Args:
        pictures: files among which the pictures are.
        annotations: files among which the JSON is.

    Returns:
        The inputs, and the number of files that are neither.
    """
    images = [file for path, file in pictures.items() if path.lower().endswith(PICTURE_SUFFIXES)]
    documents: dict[str, list[ExtractedFile]] = defaultdict(list)
    for path, file in annotations.items():
        if path.lower().endswith(_JSON):
            documents[file.stem].append(file)
    used = {file.url for file in images} | {
        file.url for of_stem in documents.values() for file in of_stem
    }
    every = {file.url for file in (*pictures.values(), *annotations.values())}
    firsts: dict[str, ExtractedFile] = {}
    inputs = []
    for image in images:
        first = firsts.setdefault(image.stem, image)
        if first is image:
            inputs.append(_paired(image, documents.pop(image.stem, [])))
        else:
            problem = f"{_same_name('pictures', first, image)}; the first one is used"
            inputs.append(ExtractedInput(image.stem, image.path, problem=problem))
    for stem, of_stem in documents.items():
        for document in of_stem:
            problem = f"there is {document.path} but no picture of this name"
            inputs.append(ExtractedInput(stem, document.path, problem=problem))
    return inputs, len(every - used)


def _paired(image: ExtractedFile, documents: list[ExtractedFile]) -> ExtractedInput:
    folder = posixpath.dirname(image.path)
    beside = [document for document in documents if posixpath.dirname(document.path) == folder]
    fitting = beside or documents
    if len(fitting) == 1:
        files = {"picture": image.part, "annotation": fitting[0].part}
        return ExtractedInput(image.stem, image.path, files)
    if not fitting:
        name = posixpath.splitext(posixpath.basename(image.path))[0]
        problem = f"there is {image.path} but no {name}.json"
    else:
        problem = (
            f"{_same_name('annotations', *fitting[:2])}; one must go, or lie beside the picture"
        )
    return ExtractedInput(image.stem, image.path, problem=problem)


def _same_name(what: str, first: ExtractedFile, second: ExtractedFile) -> str:
    return f"two {what} have one name: {first.path} and {second.path}"
