"""Write files whole or not at all: a file appears under its name in one step.

That step is a rename on local disks, and one put on object stores.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import SourceError, StorageError
from sgt_data.files.retries import retried
from sgt_data.files.urls import open_filesystem

TEMPORARY = ".sgt-tmp-"
"""Part of the name of every file that is still being written."""

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
        try:
            retried(lambda: filesystem.pipe_file(path, buffer.getvalue()), f"cannot write {url}")
        except SourceError as why:
            raise StorageError(str(why)) from why
        return
    temporary = os.path.join(os.path.dirname(path), f"{TEMPORARY}{uuid.uuid4().hex}")
    finished = False
    try:
        with io.BufferedWriter(_new_file(temporary)) as file:
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


def _new_file(path: str) -> io.FileIO:
    """A file to write, in a folder that is made where it does not exist."""
    try:
        return _WriteBackFile(path, "w")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return _WriteBackFile(path, "w")


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


def sweep_unfinished(root: str) -> int:
    """Remove the unfinished files that killed writers left below a folder; returns how many.

    Local disks alone: object stores show no unfinished file.
    """
    filesystem, path = open_filesystem(root)
    if not isinstance(filesystem, LocalFileSystem):
        return 0
    count = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith(TEMPORARY):
                os.unlink(os.path.join(folder, name))
                count += 1
    return count
