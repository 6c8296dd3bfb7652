"""Reads that give every byte that was promised, or fail; a short answer is no file."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable

from sgt_data.errors import SourceError
from sgt_data.files.reading import read_bytes, read_range
from sgt_data.files.retries import ShortAnswer, retried
from sgt_data.files.urls import is_local
from sgt_data.foreign_errors import in_words

_BUFFER_BYTES = 256 << 10


def read_promised(url: str, start: int, length: int) -> bytes:
    """Exactly `length` bytes of a file from byte `start`.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, or is shorter than it was when it was listed.
    """
    what = f"bytes {start} to {start + length} of {url}"
    return _exactly(url, length, lambda: read_range(url, start, length), what)


def read_listed(url: str, size: int) -> bytes:
    """The content of a file that had `size` bytes when it was listed; 0 where that is not known.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, or has another size than it had.
    """
    if not size:
        return read_bytes(url)
    return _exactly(url, size, lambda: read_bytes(url), url)


def _exactly(url: str, length: int, read: Callable[[], bytes], what: str) -> bytes:
    def attempt() -> bytes:
        data = read()
        if len(data) != length:
            raise ShortAnswer(f"{len(data)} bytes came, {length} were listed")
        return data

    if not is_local(url):
        return retried(attempt, f"cannot read {what}")
    try:
        return attempt()  # a local file does not grow by waiting
    except ShortAnswer as why:
        raise SourceError(f"cannot read {what}: {in_words(why)}") from why


class PromisedFile(io.RawIOBase):
    """A seekable file of known size, as readers of zip archives need it.

    Each read gives all the bytes up to the end that was promised, or raises SourceError.
    """

    def __init__(self, url: str, size: int) -> None:
        """
        Args:
            url: URL of the file.
            size: in bytes.
        """
        super().__init__()
        self._url = url
        self._size = size
        self._position = 0

    @classmethod
    def buffered(cls, url: str, size: int) -> io.BufferedReader:
        """The file with a buffer, so that small reads beside each other ask the server once."""
        return io.BufferedReader(cls(url, size), _BUFFER_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if begin + offset < 0:
            raise OSError(errno.EINVAL, f"byte {begin + offset} lies before the file")
        self._position = begin + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        length = min(len(buffer), max(0, self._size - self._position))
        if length:
            buffer[:length] = read_promised(self._url, self._position, length)
        self._position += length
        return length
