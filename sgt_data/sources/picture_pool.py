"""Files of a COCO split in a folder, in a zip as COCO ships it, or each at its own URL."""

from __future__ import annotations

import lzma
import posixpath
import struct
import zipfile
import zlib
from functools import lru_cache
from typing import Any

from sgt_data.errors import FileMissing, InputError, SourceError
from sgt_data.files.reading import open_binary, read_bytes
from sgt_data.files.retries import retried
from sgt_data.files.urls import checked_url, join
from sgt_data.names import checked_path

COCO_URL = "coco_url"
FILE_BYTES_MAX = 512 << 20

_DAMAGED_MEMBER = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    NotImplementedError, EOFError, ValueError, RuntimeError,
)  # fmt: skip


def fetch(place: str, name: Any, url: Any = None) -> bytes:
    """The bytes of a file of a split.

    Args:
        place: a folder, a `.zip`, or the word `coco_url`.
        name: path of the file in the folder, from an annotation file: it may be anything.
        url: address of the file, used where `place` is `coco_url`; it may be anything.

    Raises:
        InputError: the file does not exist, or its name is none or would leave the folder.
        SourceError: the file cannot be read at present.
    """
    try:
        checked_path(name)
    except ValueError as why:
        raise InputError(str(why)) from None
    try:
        if place == COCO_URL:
            return read_bytes(_address(url))
        if place.endswith(".zip"):
            return _fetch_from_zip(place, name)
        return read_bytes(join(place, name))
    except FileMissing as why:
        raise InputError(f"{name} is not there ({why})") from why
    except SourceError as why:
        if isinstance(why.__cause__, IsADirectoryError | NotADirectoryError):
            raise InputError(f"{name} is no file ({why})") from why
        raise


def _address(url: Any) -> str:
    try:
        return checked_url(url, ("http", "https"))
    except ValueError as why:
        raise InputError(f"its coco_url is not an http(s) address: {why}") from None


def _fetch_from_zip(place: str, name: str) -> bytes:
    archive, members = _archive(place)
    if name not in members:
        raise InputError(f"{name} is not in {posixpath.basename(place)}")
    info = members[name]
    if info.file_size > FILE_BYTES_MAX:
        raise InputError(f"{name} claims {info.file_size} bytes, above {FILE_BYTES_MAX}")
    data = retried(lambda: _unpacked(archive, info), f"cannot read {place}")
    if isinstance(data, str):
        raise InputError(f"{name} in {posixpath.basename(place)}: {data}")
    return data


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    """The bytes of a member; text that says what is wrong where it is damaged."""
    try:
        return archive.read(info)
    except _DAMAGED_MEMBER as why:
        return f"{type(why).__name__}: {why}"
    except OSError as why:
        if why.errno is not None:
            raise
        return f"bzip2: {why}"  # bzip2 reports damage as an OSError without number


@lru_cache(maxsize=4)
def _archive(place: str) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """An open archive and its members by name within the split's folder."""
    try:
        archive = zipfile.ZipFile(open_binary(place))
    except zipfile.BadZipFile as why:
        raise SourceError(f"{place} is not a zip archive: {why}") from why
    return archive, {posixpath.basename(info.filename): info for info in archive.infolist()}
