"""Read a file of any fsspec URL from front to back, through broken connections.

A remote file comes in large blocks, most of which are read. Of a file on a disk only what is asked
for is read: who wants bodies of members there reads them at their places.
"""

from __future__ import annotations

import os
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from sgt_data.files.http_ranges import HttpStream, answers_ranges, is_http
from sgt_data.files.retries import ShortAnswer, retried
from sgt_data.files.urls import open_filesystem

STREAM_BLOCK_BYTES = 8 << 20
"""Bytes that are read at once from a remote file."""

_LOCAL_BYTES = 4096
"""Bytes that are read at once from a file of a disk, of which headers alone are read: no disk gives
less."""


def _open_remote(filesystem: Any, path: str) -> Any:
    if is_http(filesystem) and not answers_ranges(filesystem, path):
        return HttpStream(filesystem, path)
    return filesystem.open(path, "rb", block_size=STREAM_BLOCK_BYTES, cache_type="readahead")


class ForwardReader:
    """A file that is read from front to back.

    After a broken connection it opens the file again and goes on at the same byte; where the server
    cannot seek, it reads up to that byte.

    Attributes:
        url: URL of the file.
        position: the byte at which the next read begins.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.position = 0
        self._file: Any = None
        self._size: int | None = None

    def read(self, length: int) -> bytes:
        """The next `length` bytes, or fewer at the end of the file.

        Raises:
            FileMissing: the file does not exist.
            SourceError: the file cannot be read, after several attempts.
        """
        data = retried(lambda: self._read(length), f"cannot read {self.url}")
        self.position += len(data)
        return data

    def skip(self, length: int) -> int:
        """Move on by `length` bytes, or to the end of the file; returns by how many.

        Raises:
            FileMissing: the file does not exist.
            SourceError: the file cannot be read, after several attempts.
        """
        retried(self._open, f"cannot read {self.url}")
        if self._size is not None and self._file.seekable():
            skipped = min(length, self._size - self.position)
            self.position += skipped
            self._file.seek(self.position)
            return skipped
        skipped = 0
        while skipped < length:
            data = self.read(min(length - skipped, STREAM_BLOCK_BYTES))
            if not data:
                break
            skipped += len(data)
        return skipped

    def close(self) -> None:
        """Close the connection; a later read opens a new one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        if self._file is not None:
            return
        filesystem, path = open_filesystem(self.url)
        if isinstance(filesystem, LocalFileSystem):
            self._file = open(path, "rb", buffering=_LOCAL_BYTES)  # noqa: SIM115
            self._size = os.fstat(self._file.fileno()).st_size
            if hasattr(os, "posix_fadvise"):  # else the kernel reads ahead what is skipped
                os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        else:
            self._file = _open_remote(filesystem, path)
            self._size = getattr(self._file, "size", None)
        if self.position:
            self._advance_to(self.position)

    def _advance_to(self, position: int) -> None:
        if self._file.seekable():
            self._file.seek(position)
            return
        left = position
        while left:
            data = self._file.read(min(left, STREAM_BLOCK_BYTES))
            if not data:
                raise EOFError(f"{self.url} is shorter than it was")
            left -= len(data)

    def _read(self, length: int) -> bytes:
        try:
            self._open()
            parts: list[bytes] = []
            left = length
            while left:
                data = self._file.read(left)
                if not data:
                    self._check_end(self.position + length - left)
                    break
                parts.append(data)
                left -= len(data)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        except BaseException:
            self.close()
            raise

    def _check_end(self, position: int) -> None:
        """Whether the file may end at `position`: a server can close a connection too early."""
        if self._size is not None and position < self._size:
            raise ShortAnswer(f"{position} bytes came of {self._size}")
