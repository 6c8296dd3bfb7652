"""Blocks of shared memory that a DataLoader's worker fills again and again.

Fresh shared memory costs a page fault for every 4 KiB on both sides: for a batch of pictures as
much time as decoding them. So a block carries a mark of whether it is in use: the worker sets it,
and the process that gets the block clears it once nothing there refers to the block any more.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 64
"""Bytes before a block's content; the first is the mark."""

_FREE, _IN_USE = 0, 1
_SPARE_MAX = 4
_ROOM = 1.25


class BlockPool:
    """The blocks of one worker."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._blocks: list[Any] = []

    def lease(self, size: int) -> Any:
        """A block, marked as in use, with room for `size` bytes after its header: a tensor [bytes]
        uint8 in shared memory. One is free again after `content` of it has died elsewhere."""
        free = [block for block in self._blocks if block[0] == _FREE]
        fitting = [block for block in free if len(block) >= HEADER + size]
        surplus = free[_SPARE_MAX:] if fitting else free
        self._blocks = [block for block in self._blocks if not any(block is one for one in surplus)]
        if fitting:
            block = fitting[0]
        else:
            block = self._shared(HEADER + int(_ROOM * size))
            self._blocks.append(block)
        block[0] = _IN_USE
        return block

    def _shared(self, size: int) -> Any:
        # as torch's own collation does: shared from the beginning, not copied there afterwards
        storage = self._torch.UntypedStorage._new_shared(size)
        return self._torch.empty(0, dtype=self._torch.uint8).set_(storage)


def content(block: Any) -> NDArray[np.uint8]:
    """The bytes of a block that came from a worker; when the last view of them is gone, the worker
    may fill it anew."""
    header: NDArray[np.uint8] = block[:HEADER].numpy()
    found: NDArray[np.uint8] = block[HEADER:].numpy()
    weakref.finalize(found, header.__setitem__, 0, _FREE).atexit = False
    return found
