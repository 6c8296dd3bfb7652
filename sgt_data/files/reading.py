"""Read files, byte ranges, sizes and listings of any fsspec URL.

Every access is tried again when a connection fails.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from sgt_data.files.http_listing import list_http_files
from sgt_data.files.http_ranges import http_size, is_http, read_http_range
from sgt_data.files.local_listing import list_local
from sgt_data.files.retries import ShortAnswer, retried
from sgt_data.files.time_limits import FILE_SECONDS, RANGE_SECONDS, time_limit
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import open_filesystem


def read_bytes(url: str) -> bytes:
    """The content of a file.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, after several attempts.
    """

    def read() -> bytes:
        filesystem, path = open_filesystem(url)
        if isinstance(filesystem, LocalFileSystem):
            with open(path, "rb") as file:
                return file.read()
        data: bytes = filesystem.cat_file(path, **time_limit(filesystem, FILE_SECONDS))
        return data

    return retried(read, f"cannot read {url}")


def read_range(url: str, start: int, length: int) -> bytes:
    """`length` bytes of a file from byte `start`; fewer at the end of the file, and nowhere else.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, after several attempts.
    """

    def read() -> bytes:
        filesystem, path = open_filesystem(url)
        if isinstance(filesystem, LocalFileSystem):
            with open(path, "rb") as file:
                return os.pread(file.fileno(), length, start)
        if is_http(filesystem):
            return read_http_range(filesystem, path, start, length, RANGE_SECONDS)
        options = time_limit(filesystem, RANGE_SECONDS) | _no_read_ahead(filesystem)
        data: bytes = filesystem.cat_file(path, start=start, end=start + length, **options)
        if len(data) < length:
            _check_end(filesystem, path, start + len(data))
        return data

    return retried(read, f"cannot read {url}")


def _check_end(filesystem: Any, path: str, end: int) -> None:
    """Whether a file ends at a byte: an answer may be cut, and state the length that is left."""
    filesystem.invalidate_cache(filesystem._parent(path))
    size = filesystem.info(path).get("size")
    if size is not None and end < size:
        raise ShortAnswer(f"bytes up to {end} came of {size}")


def _no_read_ahead(filesystem: Any) -> dict[str, str]:
    """The option by which the Hub's file system reads a range, and not megabytes after it."""
    return {"cache_type": "none"} if filesystem.protocol == "hf" else {}


def size_of(url: str) -> int | None:
    """Size of a file in bytes; None where the server does not tell.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the server cannot be asked, after several attempts.
    """

    def ask() -> int | None:
        filesystem, path = open_filesystem(url)
        if is_http(filesystem):
            return http_size(filesystem, path)
        size = filesystem.info(path).get("size")
        return None if size is None else int(size)

    return retried(ask, f"cannot find {url}")


def forget_listings(url: str) -> None:
    """Let the next questions about files go to the store, not to listings that were read before."""
    open_filesystem(url)[0].invalidate_cache()


def exists(url: str) -> bool:
    """Whether a file or folder exists.

    Raises:
        SourceError: the server cannot be asked, after several attempts.
    """

    def ask() -> bool:
        filesystem, path = open_filesystem(url)
        return bool(filesystem.exists(path))

    return retried(ask, f"cannot look for {url}")


def is_folder(url: str) -> bool:
    """Whether a folder exists, or files below it.

    Raises:
        SourceError: the server cannot be asked, after several attempts.
    """

    def ask() -> bool:
        filesystem, path = open_filesystem(url)
        return bool(filesystem.isdir(path))

    return retried(ask, f"cannot look for {url}")


def list_files(url: str) -> dict[str, int]:
    """Sizes in bytes of all files below a folder, by their path relative to it (with `/`), sorted.

    Empty where the folder does not exist. HTTP servers do not tell sizes: they are 0. Files that
    are still being written are left out, and so are links to no file (see `dangling_link`).

    Raises:
        RequestError: an HTTP server gives a page that is no listing.
        SourceError: the folder cannot be listed, after several attempts.
    """

    def ask() -> dict[str, int]:
        filesystem, path = open_filesystem(url)
        if is_http(filesystem):  # whose pages do not tell sizes
            return dict.fromkeys(list_http_files(filesystem, path), 0)
        if isinstance(filesystem, LocalFileSystem):
            return {  # links to no file are among those of 0 bytes
                name: size
                for name, size in list_local(path).items()
                if size or dangling_link(os.path.join(path, name)) is None
            }
        entries = stored_entries(filesystem, path)
        return {name: int(info["size"] or 0) for name, info in entries.items()}

    sizes = retried(ask, f"cannot list {url}")
    return {name: sizes[name] for name in sorted(sizes) if TEMPORARY not in name}


def stored_entries(filesystem: Any, path: str) -> dict[str, dict[str, Any]]:
    """What a store lists of each file below a folder, by the path relative to it.

    Raises:
        Exception: what the backend raises where it cannot be listed.
    """
    filesystem.invalidate_cache()
    prefix = filesystem._strip_protocol(path).rstrip("/") + "/"
    entries = filesystem.find(path, detail=True)
    filesystem.invalidate_cache()  # which would hold a second copy of a long listing
    return {name.removeprefix(prefix): info for name, info in entries.items()}


def dangling_link(path: str) -> str | None:
    """What is wrong with a link of a local disk that leads to no file; None for all others.

    git-annex, DataLad and DVC put such links in the place of files that are not fetched.
    """
    if not os.path.islink(path):
        return None
    try:
        os.stat(path)
    except OSError as why:
        target = os.readlink(path)
        if why.errno == errno.ELOOP:
            return f"is a link to {target}, which leads back to itself"
        if why.errno in (errno.EACCES, errno.EPERM):
            return f"is a link to {target}, which may not be read"
        return (
            f"is a link to {target}, which is not there; fetch it (git annex get, dvc pull) or "
            "mount its disk"
        )
    return None
