"""Write files whole or not at all: a file appears under its final name in one step.

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
from sgt_data.files.reading import TEMPORARY, retried
from sgt_data.files.urls import open_filesystem

_WRITTEN_BEHIND = 8 << 20
"""After so many bytes the disk begins to write, while more are still being made."""


def write_atomic(url: str, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    with open_atomic(url) as out:
        out.write(data)


class Writable(Protocol):
    """What takes bytes."""

    def write(self, data: bytes | memoryview, /) -> int: ...


@contextmanager
def open_atomic(url: str) -> Iterator[Writable]:
    """A file to write, which is there when the block ends without an error, and not before.

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
    temporary = os.path.join(folder, f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        os.makedirs(folder, exist_ok=True)
        with _WrittenBehind(temporary) as file:
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
            if name.startswith(TEMPORARY):
                os.unlink(os.path.join(folder, name))
                count += 1
    return count
