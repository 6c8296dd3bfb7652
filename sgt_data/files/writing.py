"""Write files whole or not at all: a file appears under its name in one step.

That step is a rename on local disks, and one put on object stores.
"""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import SourceError, StorageError
from sgt_data.files.retries import retried
from sgt_data.files.time_limits import FILE_SECONDS, time_limit
from sgt_data.files.unfinished import is_locked_now, unfinished_name
from sgt_data.files.urls import open_filesystem

_SWEPT_MOST = 8
"""So often a file is begun anew that another run took for a killed writer's."""

_WRITE_BACK_BYTES = 8 << 20
"""After so many bytes the kernel is asked to begin writing them to the disk."""


class Writable(Protocol):
    """An object that takes bytes."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Take bytes; returns how many."""
        ...


def write_atomic(url: str, data: bytes, *, synced: bool = True) -> None:
    """Write a file, which appears whole or not at all.

    Args:
        url: URL of the file.
        data: its content.
        synced: wait until the disk has it; False where a file lost in a power cut is made anew.

    Raises:
        StorageError: the file cannot be written.
    """
    with open_atomic(url, synced=synced) as out:
        out.write(data)


def write_small(path: str, data: bytes) -> None:
    """Write one of many small local files, which appears whole; nothing waits for the disk.

    It asks the file system for as little as it can: where an export writes a file for every
    picture, names that are looked up cost more than bytes.

    Args:
        path: of the file, in a folder that exists.
        data: its content.

    Raises:
        StorageError: the file cannot be written.
    """
    for _ in range(_SWEPT_MOST):
        temporary = os.path.join(os.path.dirname(path), unfinished_name())
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                with suppress(OSError):  # where no locks are known, nobody removes it
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.replace(temporary, path)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            continue  # another run swept it before it was locked
        except OSError as why:
            with suppress(OSError):
                os.unlink(temporary)
            raise StorageError(f"cannot write {path}: {why.strerror or why}") from why
        return
    raise StorageError(f"cannot write {path}: its folder is gone")


@contextmanager
def open_atomic(url: str, *, synced: bool = True) -> Iterator[Writable]:
    """A file to write, which appears when the block ends without an error, and not before.

    Args:
        url: URL of the file.
        synced: wait until the disk has it; False where a file lost in a power cut is made anew.

    Raises:
        StorageError: the file cannot be written.
    """
    filesystem, path = open_filesystem(url)
    if not isinstance(filesystem, LocalFileSystem):
        buffer = io.BytesIO()
        yield buffer
        limit = time_limit(filesystem, FILE_SECONDS)

        def put() -> None:
            filesystem.pipe_file(path, buffer.getvalue(), **limit)

        try:
            retried(put, f"cannot write {url}")
        except SourceError as why:
            raise StorageError(str(why)) from why
        return
    temporary, held = "", -1
    finished = False
    try:
        opened = _unfinished_file(os.path.dirname(path))
        temporary, held = str(opened.name), os.dup(opened.fileno())
        with io.BufferedWriter(opened) as file:
            yield file
            file.flush()
            if synced:
                os.fsync(file.fileno())
        os.replace(temporary, path)
        finished = True
    except OSError as why:
        raise StorageError(f"cannot write {url}: {why.strerror or why}") from why
    finally:
        if not finished and os.path.exists(temporary):
            os.unlink(temporary)
        if held >= 0:
            os.close(held)  # here its lock ends


def _unfinished_file(folder: str) -> io.FileIO:
    """A new file to write, locked, in a folder that is made where it does not exist."""
    while True:
        path = os.path.join(folder, unfinished_name())
        try:
            file = _WriteBackFile(path, "w")
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            file = _WriteBackFile(path, "w")  # folders of /proc exist and take no file
        if is_locked_now(file.fileno(), path):
            return file
        file.close()  # it was swept before it was locked


class _WriteBackFile(io.FileIO):
    """A local file whose bytes go to the disk while more are made: little is left to sync."""

    _written = _write_back_begun = 0

    def write(self, data: Any, /) -> int:
        count = super().write(data)
        self._written += count
        length = self._written - self._write_back_begun
        if length >= _WRITE_BACK_BYTES and hasattr(os, "posix_fadvise"):
            # pages that are not on the disk yet cannot be dropped: their writing begins
            os.posix_fadvise(self.fileno(), self._write_back_begun, length, os.POSIX_FADV_DONTNEED)
            self._write_back_begun = self._written
        return count


def delete(url: str) -> None:
    """Remove a file, if it exists."""
    filesystem, path = open_filesystem(url)
    try:
        filesystem.rm_file(path)
    except FileNotFoundError:
        return
