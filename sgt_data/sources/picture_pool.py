"""Files of a split in a folder, in a zip as COCO ships it, or each at its own URL.

What can be listed is listed once, before the work begins, and the listing decides what exists. A
worker that does not find a listed file, or gets fewer bytes than were listed, has a source that
cannot be read at present: that is never damage of a picture.
"""

from __future__ import annotations

import os
import posixpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sgt_data.errors import FileMissing, InputError, RequestError, SourceError
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import list_files
from sgt_data.files.urls import checked_url, is_http_url, is_local, join
from sgt_data.files.zip_directory import read_zip_directory, zip_bytes
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_path
from sgt_data.records import FilePart, ZipMember
from sgt_data.sources.relative_paths import RelativePaths

COCO_URL = "coco_url"


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as the listing of its place has it.

    Attributes:
        path: within the folder or archive; of a place that cannot be listed, the name asked for.
        size: in bytes; None where the place cannot be listed.
        zipped: of a file in a zip: where its range begins, how long it is, and `packed`, `crc`,
            `method` and `flags` of its `ZipMember`.
    """

    path: str
    size: int | None
    zipped: tuple[int, int, int, int, int, int] | None = None

    def part(self, place: str, url: Any = None) -> FilePart:
        """Where its bytes are.

        Args:
            place: where the files of the split lie.
            url: address of the file, used where `place` is `coco_url`; it may be anything.

        Raises:
            InputError: the address is none.
        """
        if self.zipped is not None:
            start, length, *facts = self.zipped
            return FilePart(place, start, length, ZipMember(self.path, self.size or 0, *facts))
        address = _address(url) if place == COCO_URL else join(place, self.path)
        return FilePart(address, 0, self.size or 0)


@dataclass(frozen=True)
class PicturePool:
    """A place that holds files of a split.

    Attributes:
        place: a folder, a `.zip`, or the word `coco_url`.
        archive_bytes: size of the archive; None where the place is none.
        sizes: sizes of its files by path; None where it cannot be listed.
        repeated: paths that an archive holds more than once, with how often.
        zipped: where the files of an archive lie in it, by path.
    """

    place: str
    archive_bytes: int | None
    sizes: Mapping[str, int] | None
    repeated: Mapping[str, int] = field(default_factory=dict)
    zipped: Mapping[str, FilePart] = field(default_factory=dict)

    @cached_property
    def paths(self) -> RelativePaths:
        """The paths of its files, to be found by name."""
        return RelativePaths(self.sizes or {})

    def find(self, name: Any, folder: str) -> ListedFile:
        """A file by the name that an annotation file gives it.

        Args:
            name: may be anything.
            folder: is tried before the name, as COCO's own archives hold `train2017/000.jpg`.

        Raises:
            InputError: the name leads out of the place, or nowhere, or to several files.
        """
        try:
            checked_path(name)
        except ValueError as why:
            raise InputError(str(why)) from None
        if self.sizes is None:
            return ListedFile(name, None)
        matches = self.paths.find(name, folder)
        if not matches:
            raise InputError(f"there is no file {name} in {self._short}")
        if len(matches) > 1:
            raise InputError(
                f"{name} may be {' or '.join(matches[:4])} in {self._short}; the annotation file "
                "must name its folder"
            )
        path = matches[0]
        if path in self.repeated:
            times = "twice" if self.repeated[path] == 2 else f"{self.repeated[path]} times"
            raise InputError(
                f"the zip holds {path} {times}, and nothing says which is meant; write "
                f"{self._short} again with one"
            )
        zipped = self.zipped.get(path)
        if zipped is None or (member := zipped.member) is None:
            return ListedFile(path, self.sizes[path])
        facts = (member.packed, member.crc, member.method, member.flags)
        return ListedFile(path, member.size, (zipped.start, zipped.length, *facts))

    @property
    def _short(self) -> str:
        return posixpath.basename(self.place.rstrip("/"))


def list_pool(place: str, field: str) -> PicturePool:
    """List a place.

    Args:
        place: a folder, a `.zip`, or the word `coco_url`.
        field: of the manifest, for messages.

    Raises:
        RequestError: it does not exist, holds nothing, or is no archive.
        SourceError: it cannot be listed at present.
    """
    if place.endswith(".zip"):
        return _list_archive(place, field)
    if place == COCO_URL or is_http_url(place):
        return PicturePool(place, None, None)
    sizes = {path: size for path, size in list_files(place).items() if not is_system_file(path)}
    if not sizes:
        is_missing = is_local(place) and not os.path.exists(place)
        what = f"folder {place}" if is_missing else f"file below {place}"
        raise RequestError(
            f"{field}: there is no {what}. Mount or fetch it, or say where the files lie with "
            f"--set {field}=URL"
        )
    return PicturePool(place, None, sizes)


def check_archive(place: str, nbytes: int | None) -> None:
    """Check that an archive is as long as it was; nothing is checked of a place that is none.

    Raises:
        SourceError: it is not, or cannot be asked for at present.
    """
    if nbytes is not None and (present := zip_bytes(place)) != nbytes:
        raise SourceError(f"{place} has {present} bytes, {nbytes} when it was listed")


def _list_archive(place: str, field: str) -> PicturePool:
    try:
        directory = read_zip_directory(place)
    except FileMissing as why:
        raise RequestError(
            f"{field}: there is no {place}. Fetch it, or say where it lies with --set {field}=URL"
        ) from why
    except zipfile.BadZipFile as why:
        raise RequestError(
            f"{field}: {place} is not a zip archive, or it was cut off ({in_words(why)}); fetch it "
            "again"
        ) from why
    files = {path: parts for path, parts in directory.parts.items() if not is_system_file(path)}
    if not files:
        raise RequestError(f"{field}: {place} holds no file")
    return PicturePool(
        place,
        directory.nbytes,
        {path: parts[-1].size for path, parts in files.items()},
        {path: len(parts) for path, parts in files.items() if len(parts) > 1},
        {path: parts[-1] for path, parts in files.items()},
    )


def _address(url: Any) -> str:
    try:
        return checked_url(url, ("http", "https"))
    except ValueError as why:
        raise InputError(f"its coco_url is not an http(s) address: {in_words(why)}") from None
