"""Blocks of shared memory that a DataLoader's worker fills again and again.

Fresh shared memory costs a page fault for every 4 KiB in both processes: for a batch of pictures,
as much time as decoding them. So a block has a mark that says whether it is in use: the worker sets
the mark, and the process that receives the block clears it as soon as nothing there refers to the
block.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 64
"""Bytes before a block's content; the first byte is the mark."""

_FREE, _IN_USE = 0, 1
_SPARE_MAX = 4
"""Number of free blocks that a pool keeps."""

_ROOM = 1.25
"""A new block is so many times as large as asked, so that a larger batch fits as well."""


class BlockPool:
    """The blocks of one worker."""

    def __init__(self, torch: Any) -> None:
        """
        Args:
            torch: the module `torch`.
        """
        self._torch = torch
        self._blocks: list[Any] = []

    def lease(self, size: int) -> Any:
        """A block with room for `size` bytes after its header, marked as in use.

        The block is free again when its `content` has been dropped in the receiving process.

        Returns:
            A tensor [bytes] uint8 in shared memory.
        """
        free = [block for block in self._blocks if block[0] == _FREE]
        fitting = [block for block in free if len(block) >= HEADER + size]
        surplus = free[_SPARE_MAX:] if fitting else free
        self._blocks = [
            block for block in self._blocks if not any(block is other for other in surplus)
        ]
        if fitting:
            block = fitting[0]
        else:
            block = self._new_block(HEADER + int(_ROOM * size))
            self._blocks.append(block)
        block[0] = _IN_USE
        return block

    def _new_block(self, size: int) -> Any:
        # as torch's own collation does: shared from the beginning, not copied there afterwards
        storage = self._torch.UntypedStorage._new_shared(size)
        return self._torch.empty(0, dtype=self._torch.uint8).set_(storage)


def content(block: Any) -> NDArray[np.uint8]:
    """The bytes of a block that came from a worker: a view [bytes].

    When the last view of them is gone, the block is marked as free: the worker may fill it anew.
    """
    header: NDArray[np.uint8] = block[:HEADER].numpy()
    view: NDArray[np.uint8] = block[HEADER:].numpy()
    weakref.finalize(view, header.__setitem__, 0, _FREE).atexit = False
    return view
