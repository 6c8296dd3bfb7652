"""Memory that a process keeps when it is freed, for the next picture.

glibc gives large blocks back to the system as soon as they are freed. The next picture gets fresh
ones, and each of their pages costs a fault: on a virtual machine up to 10 of 36 ms for a picture of
1024 pixels with segments and contours (benchmarks/proxies.py).
"""

from __future__ import annotations

import ctypes
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
