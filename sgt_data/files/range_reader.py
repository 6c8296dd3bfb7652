"""Read a little here and there of a remote file, from front to back, by requests for ranges."""

from __future__ import annotations

from sgt_data.files.reading import read_range

PIECE_BYTES = 64 << 10
"""Bytes of a request: they take no longer than a header alone, and may hold the next one."""


class RangeReader:
    """A remote file of which little is read: what is skipped is not fetched.

    Attributes:
        url: URL of the file.
        position: the byte at which the next read begins.
    """

    def __init__(self, url: str, nbytes: int) -> None:
        """
        Args:
            url: URL of the file.
            nbytes: its size.
        """
        self.url = url
        self.position = 0
        self._nbytes = nbytes
        self._piece, self._piece_start = b"", 0

    def read(self, length: int) -> bytes:
        """The next `length` bytes, or fewer at the end of the file.

        Raises:
            FileMissing: the file does not exist.
            SourceError: the file cannot be read, after several attempts.
        """
        end = min(self.position + length, self._nbytes)
        begin = self.position - self._piece_start
        if not (begin >= 0 and end <= self._piece_start + len(self._piece)):
            self._piece = read_range(self.url, self.position, max(length, PIECE_BYTES))
            self._piece_start, begin = self.position, 0
        data = self._piece[begin : begin + length]
        self.position += len(data)
        return data

    def skip(self, length: int) -> int:
        """Move on by `length` bytes, or to the end of the file; returns by how many."""
        skipped = max(0, min(length, self._nbytes - self.position))
        self.position += skipped
        return skipped

    def close(self) -> None:
        """Nothing stays open between requests."""
