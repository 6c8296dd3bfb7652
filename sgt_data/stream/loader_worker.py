"""Which of a DataLoader's workers the current process is."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoaderWorker:
    """A worker of a DataLoader.

    Attributes:
        number: of the worker, from 0.
        count: number of workers.
        seed: random number of the DataLoader's iterator, which its workers have in common.
    """

    number: int
    count: int
    seed: int


def loader_worker() -> tuple[int, int]:
    """Number of this worker, from 0, and how many workers there are; 0 of 1 outside of workers."""
    worker = current_worker()
    return (0, 1) if worker is None else (worker.number, worker.count)


def current_worker() -> LoaderWorker | None:
    """The worker that this process is; None outside of workers."""
    if sys.modules.get("torch") is None:
        return None
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return None if info is None else LoaderWorker(info.id, info.num_workers, info.seed - info.id)
