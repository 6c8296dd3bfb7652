"""A file to write as Arrow takes one: it writes the head and the data of each page apart, and large
pieces are handed on."""

from __future__ import annotations

import io

from sgt_data.files.writing import Writable

_WRITTEN_BYTES = 1 << 20
"""Pages are handed on so many bytes at a time."""


class GatheredFile:
    """Counts its bytes, and hands them on in large pieces.

    Attributes:
        nbytes: how many bytes were written to it.
    """

    closed = False

    def __init__(self, out: Writable) -> None:
        """
        Args:
            out: takes the bytes; who opened it closes it.
        """
        self._out, self._waiting, self.nbytes = out, io.BytesIO(), 0

    def write(self, data: bytes | memoryview) -> int:
        """Take bytes; returns how many."""
        self.nbytes += len(data)
        if self._waiting.write(data) and self._waiting.tell() >= _WRITTEN_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Hand on what waits."""
        with self._waiting.getbuffer() as waiting:
            self._out.write(waiting[: self._waiting.tell()])
        self._waiting.seek(0)

    def tell(self) -> int:
        """Where the next byte will lie."""
        return self.nbytes

    def close(self) -> None:
        """Nothing: what waits is handed on by `flush`."""
