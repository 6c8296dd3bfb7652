"""Read files, ranges and listings; each read is tried again when a connection fails."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import fsspec
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import FileMissing, SourceError
from sgt_data.files.urls import open_filesystem

_T = TypeVar("_T")

ATTEMPTS = 4
PAUSE_SECONDS = 0.5
RANGE_SECONDS, FILE_SECONDS = 60.0, 600.0
"""How long one attempt at a range of a few megabytes, or at a whole file, may take, where a backend
can be bounded."""

TEMPORARY = ".sgt-tmp-"
"""Part of the name of every file that is still being written."""


def retried(work: Callable[[], _T], what: str) -> _T:
    """Run `work`, again after a pause when a connection fails; never when a file is not there."""
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except Exception as why:
            # backends raise their own kinds (aiohttp, botocore): those not known mean "later"
            status = http_status(why)
            unknown = isinstance(why, FileNotFoundError) and status in (None, 410)
            if unknown or status == 404:
                raise FileMissing(f"{what}: no such file") from why
            if isinstance(why, (PermissionError, IsADirectoryError, NotADirectoryError)):
                raise SourceError(f"{what}: {_describe(why)}") from why
            if _refused(why) or attempt == ATTEMPTS - 1:
                raise SourceError(f"{what}: {_describe(why)}") from why
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise AssertionError("unreachable")


def http_status(why: BaseException | None) -> int | None:
    """The HTTP status behind an exception, looked for along its causes."""
    while why is not None:
        response = getattr(why, "response", None)
        for status in (getattr(why, "status", None), getattr(response, "status_code", None)):
            if isinstance(status, int):
                return status
        why = why.__cause__ or why.__context__
    return None


def _refused(why: BaseException) -> bool:
    """True where a server said no (HTTP 4xx), so that asking again cannot help."""
    status = http_status(why)
    return status is not None and 400 <= status < 500 and status not in (408, 429)


def _describe(why: BaseException) -> str:
    status = http_status(why)
    if status is not None:
        return f"the server answered {status}"
    return f"{type(why).__name__}: {why}"


def read_bytes(url: str) -> bytes:
    """A whole file.

    Raises:
        SourceError: it is not there, or cannot be read after several attempts.
    """

    def read() -> bytes:
        filesystem, path = open_filesystem(url)
        if isinstance(filesystem, LocalFileSystem):
            with open(path, "rb") as file:
                return file.read()
        data: bytes = filesystem.cat_file(path, **_bound(filesystem, FILE_SECONDS))
        return data

    return retried(read, f"cannot read {url}")


def read_range(url: str, start: int, length: int) -> bytes:
    """`length` bytes from `start`; fewer at the end of the file."""

    def read() -> bytes:
        filesystem, path = open_filesystem(url)
        if isinstance(filesystem, LocalFileSystem):
            with open(path, "rb") as file:
                return os.pread(file.fileno(), length, start)
        options = _bound(filesystem, RANGE_SECONDS) | _no_more_than_asked(filesystem)
        data: bytes = filesystem.cat_file(path, start=start, end=start + length, **options)
        return data

    return retried(read, f"cannot read {url}")


def _bound(filesystem: Any, seconds: float) -> dict[str, float]:
    """The option by which fsspec's blocking calls end the coroutine behind them in time."""
    return {"timeout": seconds} if isinstance(filesystem, AsyncFileSystem) else {}


def _no_more_than_asked(filesystem: Any) -> dict[str, str]:
    """The option by which the Hub's file system reads a range, and not megabytes after it."""
    return {"cache_type": "none"} if filesystem.protocol == "hf" else {}


def size_of(url: str) -> int | None:
    """Bytes, or None where the server does not tell.

    Raises:
        SourceError: the file is not there or cannot be asked for.
    """

    def ask() -> int | None:
        filesystem, path = open_filesystem(url)
        size = filesystem.info(path).get("size")
        return None if size is None else int(size)

    return retried(ask, f"cannot find {url}")


def exists(url: str) -> bool:
    def ask() -> bool:
        filesystem, path = open_filesystem(url)
        return bool(filesystem.exists(path))

    return retried(ask, f"cannot look for {url}")


def list_files(url: str) -> dict[str, int]:
    """Names (relative to `url`, with `/`) and sizes of all files below a folder, sorted.

    Empty where the folder does not exist. Unfinished writes are left out.
    """

    def ask() -> dict[str, int]:
        filesystem, path = open_filesystem(url)
        filesystem.invalidate_cache()
        prefix = filesystem._strip_protocol(path).rstrip("/") + "/"
        found = filesystem.find(path, detail=True)
        sizes = {name.removeprefix(prefix): int(info["size"] or 0) for name, info in found.items()}
        return {name: sizes[name] for name in sorted(sizes) if TEMPORARY not in name}

    return retried(ask, f"cannot list {url}")


def open_binary(url: str) -> Any:
    """A seekable binary file object (for zip archives)."""
    return retried(lambda: fsspec.open(url, "rb").open(), f"cannot read {url}")


def fetch_file(url: str, path: str) -> None:
    """Write a file's content over a local file, which is left half written where this fails.

    Raises:
        SourceError: it is not there, or cannot be read.
    """

    def fetch() -> None:
        filesystem, source = open_filesystem(url)
        filesystem.get_file(source, path)

    retried(fetch, f"cannot read {url}")


def copy_to_file(url: str, path: str) -> None:
    """Fetch a file to a local path, where it appears whole or not at all.

    Raises:
        SourceError: it is not there, or cannot be read.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}{TEMPORARY}{uuid.uuid4().hex}"
    try:
        fetch_file(url, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
