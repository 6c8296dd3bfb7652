"""Files of a split in a folder, in a zip as COCO ships it, or each at its own URL.

What can be listed is listed once, before the work begins, and the listing decides what exists. A
worker that does not find a listed file, or gets fewer bytes than were listed, has a source that
cannot be read at present: that is never damage of a picture.
"""

from __future__ import annotations

import lzma
import os
import posixpath
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from sgt_data.errors import FileMissing, InputError, RequestError, SourceError
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.promised_reads import PromisedFile, read_listed
from sgt_data.files.reading import list_files, read_bytes, size_of
from sgt_data.files.urls import checked_url, is_http_url, is_local, join
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_path
from sgt_data.sources.relative_paths import RelativePaths

COCO_URL = "coco_url"
FILE_BYTES_MAX = 512 << 20

_ENCRYPTED = 1  # bit of a member's flags (APPNOTE.TXT, 4.4.4)

_DAMAGED_MEMBER = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    NotImplementedError, EOFError, ValueError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as the listing of its place has it.

    Attributes:
        path: within the folder or archive; of a place that cannot be listed, the name asked for.
        size: in bytes; None where the place cannot be listed.
    """

    path: str
    size: int | None


@dataclass(frozen=True)
class PicturePool:
    """A place that holds files of a split.

    Attributes:
        place: a folder, a `.zip`, or the word `coco_url`.
        archive_bytes: size of the archive; None where the place is none.
        sizes: sizes of its files by path; None where it cannot be listed.
        repeated: paths that an archive holds more than once, with how often.
    """

    place: str
    archive_bytes: int | None
    sizes: Mapping[str, int] | None
    repeated: Mapping[str, int] = field(default_factory=dict)

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
        return ListedFile(path, self.sizes[path])

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


def _list_archive(place: str, field: str) -> PicturePool:
    try:
        nbytes = _archive_bytes(place)
        members = _archive(place, nbytes).members
    except FileMissing as why:
        raise RequestError(
            f"{field}: there is no {place}. Fetch it, or say where it lies with --set {field}=URL"
        ) from why
    except zipfile.BadZipFile as why:
        raise RequestError(
            f"{field}: {place} is not a zip archive, or it was cut off ({in_words(why)}); fetch it "
            "again"
        ) from why
    files = {
        path: infos
        for path, infos in members.items()
        if not path.endswith("/") and not is_system_file(path)
    }
    if not files:
        raise RequestError(f"{field}: {place} holds no file")
    sizes = {path: infos[-1].file_size for path, infos in files.items()}
    repeated = {path: len(infos) for path, infos in files.items() if len(infos) > 1}
    return PicturePool(place, nbytes, sizes, repeated)


def fetch(place: str, archive_bytes: int | None, file: ListedFile, url: Any = None) -> bytes:
    """The bytes of a file of a split.

    Args:
        place: where it lies.
        archive_bytes: size of the archive, where the place is one.
        file: as the listing has it.
        url: address of the file, used where `place` is `coco_url`; it may be anything.

    Raises:
        InputError: the archive's bytes of the file are damaged; or the place cannot be listed, and
            its server has no such file.
        SourceError: the file cannot be read at present, or is not as it was listed.
    """
    if archive_bytes is not None:
        return _fetch_from_zip(place, archive_bytes, file)
    if file.size is not None:
        return read_listed(join(place, file.path), file.size)
    try:
        return read_bytes(_address(url) if place == COCO_URL else join(place, file.path))
    except FileMissing as why:
        raise InputError(f"the server has no {file.path}") from why


def _address(url: Any) -> str:
    try:
        return checked_url(url, ("http", "https"))
    except ValueError as why:
        raise InputError(f"its coco_url is not an http(s) address: {in_words(why)}") from None


def _fetch_from_zip(place: str, archive_bytes: int, file: ListedFile) -> bytes:
    if file.size is not None and file.size > FILE_BYTES_MAX:
        raise InputError(f"{file.path} claims {file.size} bytes, above {FILE_BYTES_MAX}")
    try:
        archive = _archive(place, archive_bytes)
        info = archive.members[file.path][-1]
    except (zipfile.BadZipFile, KeyError) as why:
        raise SourceError(
            f"{place} is another file than the one that was listed: {in_words(why)}"
        ) from why
    if info.file_size != file.size:
        raise SourceError(
            f"{file.path} in {place} has {info.file_size} bytes, {file.size} were listed"
        )
    data = _unpacked(archive.opened, info)
    if isinstance(data, str):
        raise InputError(f"{file.path} in {posixpath.basename(place)}: {data}")
    return data


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    """The bytes of a member; text that says what is wrong where it is damaged.

    The archive's own reads give all bytes or raise SourceError, so what is damaged was read whole.
    """
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted; write the zip without a password"
    try:
        return archive.read(info)
    except _DAMAGED_MEMBER as why:
        return f"its bytes in the archive are damaged ({in_words(why)})"
    except OSError as why:
        if why.errno is not None:
            raise SourceError(f"cannot read {archive.filename}: {in_words(why)}") from why
        return f"bzip2: {in_words(why)}"  # bzip2 reports damage as an OSError without number


def _archive_bytes(place: str) -> int:
    nbytes = size_of(place)
    if nbytes is None:
        raise SourceError(f"{place}: its server does not say how long it is; copy it to a disk")
    return nbytes


@dataclass(frozen=True, slots=True)
class _Archive:
    """An open archive.

    Attributes:
        opened: reads the members.
        members: by path; several where the archive holds a path more than once. Parts of a path
            are joined by `/`, also where a program of Windows has joined them by backslashes.
    """

    opened: zipfile.ZipFile
    members: Mapping[str, Sequence[zipfile.ZipInfo]]


@lru_cache(maxsize=4)
def _archive(place: str, nbytes: int) -> _Archive:
    """An open archive of a known size.

    Raises:
        zipfile.BadZipFile: it is no archive.
        SourceError: it cannot be read at present, or has another size.
    """
    present = _archive_bytes(place)
    if present != nbytes:
        raise SourceError(f"{place} has {present} bytes, {nbytes} when it was listed")
    opened = zipfile.ZipFile(PromisedFile.buffered(place, nbytes))
    members: dict[str, list[zipfile.ZipInfo]] = defaultdict(list)
    for info in opened.infolist():
        members[info.filename.replace("\\", "/")].append(info)
    return _Archive(opened, dict(members))
