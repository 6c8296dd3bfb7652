"""List the files of a folder with the digests of their content, where the store states them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from sgt_data.files.http_ranges import is_http
from sgt_data.files.reading import list_files, stored_entries
from sgt_data.files.retries import retried
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import open_filesystem

_MD5 = re.compile(r"[0-9a-f]{32}")
_MD5_BYTES = 16


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as a listing shows it.

    Attributes:
        nbytes: its size.
        md5: digest of its content, 32 hexadecimal digits; None where the store does not state it.
            A store may state another digest in its place: one that equals the MD5 of some bytes
            proves that these are the content, one that differs proves nothing.
    """

    nbytes: int
    md5: str | None = None


def list_with_digests(url: str) -> dict[str, ListedFile]:
    """All files below a folder by their path relative to it, sorted; see `reading.list_files`.

    Raises:
        SourceError: the folder cannot be listed, after several attempts.
    """
    filesystem, path = open_filesystem(url)
    if isinstance(filesystem, LocalFileSystem) or is_http(filesystem):
        return {name: ListedFile(nbytes) for name, nbytes in list_files(url).items()}

    def ask() -> dict[str, ListedFile]:
        return {
            name: ListedFile(int(info["size"] or 0), stated_md5(info))
            for name, info in stored_entries(filesystem, path).items()
        }

    files = retried(ask, f"cannot list {url}")
    return {name: files[name] for name in sorted(files) if TEMPORARY not in name}


def stated_md5(entry: Mapping[str, Any]) -> str | None:
    """The MD5 that an entry of a listing states, 32 hexadecimal digits.

    S3 gives that of an object which was put in one piece as its `ETag`, Google Cloud Storage as
    `md5Hash` in base64, Azure as bytes among its `content_settings`.
    """
    tag = entry.get("ETag")
    if isinstance(tag, str) and _MD5.fullmatch(tag.strip('"')):
        return tag.strip('"')
    encoded = entry.get("md5Hash")
    if isinstance(encoded, str):
        try:
            digest = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return None
        return digest.hex() if len(digest) == _MD5_BYTES else None
    settings = entry.get("content_settings")
    content = settings.get("content_md5") if isinstance(settings, Mapping) else None
    if isinstance(content, bytes | bytearray) and len(content) == _MD5_BYTES:
        return content.hex()
    return None
