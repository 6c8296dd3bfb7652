"""Copies of whole files in temporary files without a name: bounded, gone with the process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

BYTES_MAX = 4 << 30
"""Most bytes of all copies together; the least recently used go first."""

FILES_MAX = 64
"""Most copies, as each holds an open file."""

Validator = tuple[str | None, ...]
"""What a server says of a file by which a changed file is known: size, tag, time."""


class TooLarge(Exception):
    """A file has more bytes than all copies together may have."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a file. It is read by offset, so threads and forks may share it.

    Attributes:
        file: the temporary file; it vanishes with the last reference.
        size: in bytes.
        validator: of the file when it was copied.
    """

    file: BinaryIO
    size: int
    validator: Validator

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from byte `start`; fewer at the end."""
        return os.pread(self.file.fileno(), length, start)


class Copies:
    """The copies of this process, by URL."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        """
        Args:
            bytes_max: most bytes of all copies together.
        """
        self.bytes_max = bytes_max
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._fetching: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget_locks)

    def __contains__(self, url: str) -> bool:
        return url in self._copies

    def get(
        self,
        url: str,
        fetch: Callable[[Any, int], Validator],
        validator: Callable[[], Validator | None],
    ) -> Copy:
        """The copy of a file, made where there is none or the file has changed.

        Args:
            url: of the file.
            fetch: writes the file to a local one, of so many bytes at most; gives its validator.
            validator: asks for the file's validator as it is now; None where that is not known.

        Raises:
            TooLarge: `fetch` says so.
        """
        with self._lock:
            fetching = self._fetching.setdefault(url, threading.Lock())
        with fetching:  # one thread fetches a file, the others wait for it
            copy = self._copies.get(url)
            if copy is not None and validator() in (None, copy.validator):
                with self._lock:
                    if url in self._copies:
                        self._copies.move_to_end(url)
                return copy
            file: Any = tempfile.TemporaryFile()  # noqa: SIM115
            state = fetch(file, self.bytes_max)
            file.flush()
            copy = Copy(file, os.fstat(file.fileno()).st_size, state)
            self._keep(url, copy)
            return copy

    def _keep(self, url: str, copy: Copy) -> None:
        with self._lock:
            self._copies.pop(url, None)
            self._copies[url] = copy
            total = sum(kept.size for kept in self._copies.values())
            while total > self.bytes_max or len(self._copies) > FILES_MAX:
                total -= self._copies.popitem(last=False)[1].size

    def _forget_locks(self) -> None:
        """In a fork: threads that held a lock do not exist here."""
        self._lock, self._fetching = threading.Lock(), {}


COPIES = Copies()
"""The copies of this process."""
