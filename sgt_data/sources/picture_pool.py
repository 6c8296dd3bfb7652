"""Where the files of a COCO split lie: a folder, a zip as COCO ships it, or each at its own URL."""

from __future__ import annotations

import posixpath
import zipfile
from functools import lru_cache

from sgt_data.errors import FileMissing, InputError, SourceError
from sgt_data.storage import join, open_binary, read_bytes

COCO_URL = "coco_url"
FILE_BYTES_MAX = 512 << 20


def fetch(place: str, name: str, url: str | None = None) -> bytes:
    """The bytes of file `name` in a folder or `.zip`, or at its own `url` if `place` is `coco_url`.

    Raises:
        InputError: the file is not there, or its name would leave the folder.
        SourceError: it cannot be read just now.
    """
    if posixpath.isabs(name) or ".." in name.split("/") or "\\" in name or "://" in name:
        raise InputError(f"the file name {name!r} leaves its folder")
    try:
        if place == COCO_URL:
            if not url or not url.startswith(("http://", "https://")):
                raise InputError(f"its coco_url is {url!r:.60}, not an http(s) address")
            return read_bytes(url)
        if place.endswith(".zip"):
            return _fetch_from_zip(place, name)
        return read_bytes(join(place, name))
    except FileMissing as why:
        raise InputError(f"{name} is not there ({why})") from why


def _fetch_from_zip(place: str, name: str) -> bytes:
    archive, members = _archive(place)
    if name not in members:
        raise InputError(f"{name} is not in {posixpath.basename(place)}")
    info = members[name]
    if info.file_size > FILE_BYTES_MAX:
        raise InputError(f"{name} claims {info.file_size} bytes, above {FILE_BYTES_MAX}")
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError) as why:
        raise InputError(f"{name} in {posixpath.basename(place)}: {why}") from why


@lru_cache(maxsize=4)
def _archive(place: str) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """An open archive and its members by name within the split's folder."""
    try:
        archive = zipfile.ZipFile(open_binary(place))
    except zipfile.BadZipFile as why:
        raise SourceError(f"{place} is not a zip archive: {why}") from why
    return archive, {posixpath.basename(info.filename): info for info in archive.infolist()}
