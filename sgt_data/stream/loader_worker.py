"""Which of a DataLoader's workers the current process is."""

from __future__ import annotations

import sys


def loader_worker() -> tuple[int, int]:
    """Number of this worker, from 0, and how many workers there are; 0 of 1 outside of workers."""
    if sys.modules.get("torch") is None:
        return 0, 1
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)
