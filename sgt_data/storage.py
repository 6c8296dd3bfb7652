"""Files anywhere that fsspec reaches, whole or not at all.

A path is an fsspec URL, or a local path. Reads are tried again when a connection fails; writes
appear under their final name in one step (rename on local disks, one put on object stores).
"""

from __future__ import annotations

import io
import os
import posixpath
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import fsspec
from braceexpand import braceexpand
from fsspec.asyn import AsyncFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sgt_data.direct import DirectFile
from sgt_data.errors import FileMissing, RequestError, SourceError, StorageError

_T = TypeVar("_T")

ATTEMPTS = 4
PAUSE_SECONDS = 0.5
RANGE_SECONDS, FILE_SECONDS = 60.0, 600.0
"""How long one attempt at a range of a few megabytes, or at a whole file, may take, where a backend
can be bounded."""
_TEMPORARY = ".sgt-tmp-"
_WRITTEN_BEHIND = 8 << 20
"""After so many bytes the disk begins to write, while more are still being made."""


def absolute(url: str) -> str:
    """A local path made absolute (it must mean the same in every process); other URLs unchanged."""
    if "://" in url and not url.startswith("file://"):
        return url
    return os.path.abspath(os.path.expanduser(url.removeprefix("file://")))


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL, and the path within it.

    Raises:
        RequestError: unknown protocol, or its package is not installed.
    """
    try:
        filesystem, path = url_to_fs(url)
    except (ValueError, ImportError) as why:
        raise RequestError(f"cannot reach {url}: {why}") from why
    return filesystem, path


def is_local(url: str) -> bool:
    return isinstance(open_filesystem(url)[0], LocalFileSystem)


def lives_in_one_process(url: str) -> bool:
    """True for `memory://`: other processes do not see it."""
    return url.startswith("memory://")


def join(root: str, *parts: str) -> str:
    return posixpath.join(root, *parts)


def expand(patterns: str | Iterable[str]) -> list[str]:
    """URLs named by brace (`sa_{000000..000016}.tar`) and glob patterns, absolute, each once.

    A pattern without `*?[` is taken as it is, existing or not; a glob's matches are sorted.
    """
    found: dict[str, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        try:
            urls = list(braceexpand(pattern))
        except ValueError as why:
            raise RequestError(f"unbalanced braces in {pattern!r}") from why
        for url in map(absolute, urls):
            signs = "*[" if url.startswith(("http://", "https://")) else "*?["
            if not any(sign in url for sign in signs):
                found[url] = None
                continue
            filesystem, path = open_filesystem(url)
            for match in sorted(filesystem.glob(path)):
                found[_with_protocol(url, filesystem, match)] = None
    return list(found)


def _with_protocol(url: str, filesystem: Any, path: str) -> str:
    if isinstance(filesystem, LocalFileSystem):
        return path
    name: str = filesystem.unstrip_protocol(path)
    return name


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
                raise SourceError(f"{what}: {_say(why)}") from why
            if _refused(why) or attempt == ATTEMPTS - 1:
                raise SourceError(f"{what}: {_say(why)}") from why
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


def _say(why: BaseException) -> str:
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
        return {name: sizes[name] for name in sorted(sizes) if _TEMPORARY not in name}

    return retried(ask, f"cannot list {url}")


def write_atomic(url: str, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    with open_atomic(url) as out:
        out.write(data)


class Writable(Protocol):
    """What takes bytes."""

    def write(self, data: bytes | memoryview, /) -> int: ...


@contextmanager
def open_atomic(url: str, direct: bool = False) -> Iterator[Writable]:
    """A file to write, which is there when the block ends without an error, and not before.

    Args:
        direct: leave no local file's bytes in the page cache, where it can be helped.

    Raises:
        StorageError: it cannot be written.
    """
    filesystem, path = open_filesystem(url)
    if not isinstance(filesystem, LocalFileSystem):
        kept = io.BytesIO()
        yield kept
        try:
            retried(lambda: filesystem.pipe_file(path, kept.getvalue()), f"cannot write {url}")
        except SourceError as why:
            raise StorageError(str(why)) from why
        return
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f"{_TEMPORARY}{uuid.uuid4().hex}")
    try:
        os.makedirs(folder, exist_ok=True)
        with DirectFile(temporary) if direct else _WrittenBehind(temporary) as file:
            yield file
            file.sync()
        os.replace(temporary, path)
    except OSError as why:
        raise StorageError(f"cannot write {url}: {why.strerror or why}") from why
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


class _WrittenBehind(io.BufferedWriter):
    """A local file whose bytes go to the disk as they come, so that little is left at its end."""

    def __init__(self, path: str) -> None:
        super().__init__(_Behind(path, "w"))

    def sync(self) -> None:
        """Wait until the disk has all of it."""
        self.flush()
        os.fsync(self.fileno())


class _Behind(io.FileIO):
    """Asks the disk to write, every now and then."""

    _written = _begun = 0

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self._written += count
        if self._written - self._begun >= _WRITTEN_BEHIND and hasattr(os, "posix_fadvise"):
            # what is not on the disk yet is not dropped by this: its writing begins
            length = self._written - self._begun
            os.posix_fadvise(self.fileno(), self._begun, length, os.POSIX_FADV_DONTNEED)
            self._begun = self._written
        return count


def delete(url: str) -> None:
    """Remove a file; fine if it is not there."""
    filesystem, path = open_filesystem(url)
    try:
        filesystem.rm_file(path)
    except FileNotFoundError:
        return


def sweep_unfinished(root: str) -> int:
    """Remove what killed writers left below a folder (local disks only); how many."""
    filesystem, path = open_filesystem(root)
    if not isinstance(filesystem, LocalFileSystem):
        return 0
    count = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith(_TEMPORARY):
                os.unlink(os.path.join(folder, name))
                count += 1
    return count


def open_binary(url: str) -> Any:
    """A seekable binary file object (for zip archives)."""
    return retried(lambda: fsspec.open(url, "rb").open(), f"cannot read {url}")


def chunked(items: list[_T], size: int) -> Iterator[list[_T]]:
    """Consecutive runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


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
    temporary = f"{path}{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        fetch_file(url, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
