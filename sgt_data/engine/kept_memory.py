"""What a building process does with its memory: it keeps what it frees, for the next picture.

glibc gives large blocks back to the system as soon as they are freed. The next picture gets fresh
ones, and each of their pages costs a fault. `benchmarks/proxies.py --fresh-memory` measures a build
that goes on so.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_KEPT_BYTES = 256 << 20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 256 MiB of memory that it has freed; once is enough.

    Returns:
        whether it does: other C libraries than glibc go on as they are.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    keeps = set_option(_TRIM_THRESHOLD, _KEPT_BYTES)
    takes_all = set_option(_MMAP_THRESHOLD, _KEPT_BYTES)
    return bool(keeps and takes_all)


@cache
def freeze_loaded_objects() -> None:
    """Let the garbage collector of a Ray worker leave alone what is loaded; once is enough.

    It would look at all of it again and again, and Ray brings many objects. A process of the user's
    own is not frozen, as what is garbage there would stay.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def dying_of_memory() -> Iterator[None]:
    """A worker that may take no more memory in the block ends, as if the kernel had ended it: then
    its work is repeated by another one, which begins with what this one holds."""
    try:
        yield
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)
