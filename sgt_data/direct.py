"""Files written to a local disk past the page cache.

Pages of the cache have to be found, filled and given back; a virtual machine may even have to ask
its host for them. Who copies gigabytes that nobody reads at once is better off without
(`open(2)`, O_DIRECT). Memory, place and length of such a write must be multiples of a block, so the
last bytes, and all bytes where a system or a filesystem does not offer it, go through the cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from types import TracebackType

import numpy as np

ALIGNMENT = 4096
"""Enough for disks with sectors of 512 and of 4096 bytes."""

PIECE_BYTES = 1 << 20
"""Written at once; small enough that a processor's cache still has what was just made or read."""


def aligned_buffer() -> memoryview:
    """`PIECE_BYTES` of memory that can be written without a copy."""
    return memoryview(mmap.mmap(-1, PIECE_BYTES))


class DirectFile:
    """A new file that takes bytes in order. `with` closes it."""

    def __init__(self, path: str) -> None:
        """
        Raises:
            OSError: it exists, or cannot be made.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            self._fd = os.open(path, flags | getattr(os, "O_DIRECT", 0), 0o666)
        except OSError:  # a filesystem that has no such way in; it may have made the file
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._fd = os.open(path, flags, 0o666)
        self._buffer: memoryview | None = None
        self._waiting = self._written = 0

    def write(self, data: bytes | memoryview) -> int:
        """Take the next bytes.

        Raises:
            OSError: they cannot be written.
        """
        rest = memoryview(data)
        if not self._waiting and _is_aligned(rest):
            whole = len(rest) - len(rest) % ALIGNMENT
            self._put(rest[:whole])
            rest = rest[whole:]
        while len(rest):
            if self._buffer is None:
                self._buffer = aligned_buffer()
            count = min(len(rest), PIECE_BYTES - self._waiting)
            self._buffer[self._waiting : self._waiting + count] = rest[:count]
            self._waiting += count
            rest = rest[count:]
            if self._waiting == PIECE_BYTES:
                self._put(self._buffer)
                self._waiting = 0
        return len(data)

    def sync(self) -> None:
        """Wait until the disk has all of it, and end it here.

        Raises:
            OSError: it cannot be written.
        """
        if self._waiting:
            assert self._buffer is not None
            self._through_the_cache()
            self._put(self._buffer[: self._waiting])
            self._waiting = 0
        os.fsync(self._fd)

    def _put(self, data: memoryview) -> None:
        while len(data):
            try:
                count = os.pwrite(self._fd, data, self._written)
            except OSError:
                if not self._through_the_cache():
                    raise
                continue
            self._written += count
            data = data[count:]
            if count % ALIGNMENT:
                self._through_the_cache()

    def _through_the_cache(self) -> bool:
        """From now on; False if it does so already."""
        flags = fcntl.fcntl(self._fd, fcntl.F_GETFL)
        direct = flags & getattr(os, "O_DIRECT", 0)
        if direct:
            fcntl.fcntl(self._fd, fcntl.F_SETFL, flags & ~direct)
        return bool(direct)

    def __enter__(self) -> DirectFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        why: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)


def _is_aligned(data: memoryview) -> bool:
    return len(data) >= ALIGNMENT and np.frombuffer(data, np.uint8).ctypes.data % ALIGNMENT == 0
