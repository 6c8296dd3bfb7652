"""A file of any store as Python's file objects are: for libraries that read here and there."""

from __future__ import annotations

import io
import os

from sgt_data.files.reading import read_range


class RangeFile(io.RawIOBase):
    """A file that is read by ranges, each of which is tried again where a connection fails.

    Reading raises what `read_range` raises.
    """

    def __init__(self, url: str, nbytes: int) -> None:
        """
        Args:
            url: URL of the file.
            nbytes: its size.
        """
        super().__init__()
        self._url = url
        self._nbytes = nbytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._nbytes}[whence]
        self._position = max(0, begin + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._nbytes - self._position)
        length = left if size is None or size < 0 else min(size, left)
        data = read_range(self._url, self._position, length) if length else b""
        self._position += len(data)
        return data
