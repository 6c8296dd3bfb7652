"""Memory for decoded pictures that is used again when nothing refers to a picture any more.

Fresh memory costs a page fault for every 4 KiB, and a batch of pictures is so large that `malloc`
gives its memory back to the system when the batch is dropped.
"""

from __future__ import annotations

import weakref
from math import prod

import numpy as np
from numpy.typing import NDArray

SPARE_MAX = 128 << 20
"""Bytes of memory, not in use, that a process keeps."""


class PixelMemory:
    """Gives out memory for arrays, and takes it back when the last view of an array is gone.

    Threads may share it.
    """

    def __init__(self, spare_max: int = SPARE_MAX) -> None:
        """
        Args:
            spare_max: bytes of memory, not in use, that are kept.
        """
        self._spare_max = spare_max
        self._spare: dict[int, list[bytearray]] = {}  # by size

    def empty(self, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        """An array [H, W, 3] uint8, its values undefined, as `numpy.empty` gives."""
        size = prod(shape)
        room = _rounded(size)
        try:
            memory = self._spare[room].pop()
        except (KeyError, IndexError):
            if self.spare_bytes + room > self._spare_max:
                self._spare.clear()  # it is of sizes that are not asked for any more
            memory = bytearray(room)
        # numpy's views refer to this array, as it refers to no other array itself
        flat = np.frombuffer(memory, np.uint8, size)
        weakref.finalize(flat, self._take_back, memory).atexit = False
        return flat.reshape(shape)

    @property
    def spare_bytes(self) -> int:
        """Bytes of memory that is kept and not in use."""
        return sum(room * len(spare) for room, spare in list(self._spare.items()))

    def _take_back(self, memory: bytearray) -> None:
        if self.spare_bytes + len(memory) <= self._spare_max:
            self._spare.setdefault(len(memory), []).append(memory)


def _rounded(size: int) -> int:
    """The size of memory for so many bytes: at most an eighth more, so that pictures of about the
    same size use the same memory."""
    step = max(4096, 1 << max(0, size.bit_length() - 4))
    return -(-size // step) * step
