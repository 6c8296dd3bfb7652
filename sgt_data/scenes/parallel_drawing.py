"""Draw pictures in several processes, in bounded memory; results come in the order of positions.

A pool of the standard library: pictures share nothing. Processes are started anew (`spawn`), since
a copy of a process that has threads may stand still.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from sgt_data.errors import SgtDataError

_T = TypeVar("_T")

BATCH = 16
"""Pictures that a process draws at a time."""

_AHEAD = 3
_SECONDS_PER_PICTURE = 0.004
_SECONDS_PER_PIXEL = 4e-7
_SECONDS_PER_PROCESS = 8.0  # less work is done before a further process has started


class DrawingStopped(SgtDataError):
    """A process that drew pictures ended early."""


def default_processes(pictures: int, pixels: int) -> int:
    """One per usable CPU, and no more than there is work for.

    Args:
        pictures: of all forms.
        pixels: of a picture.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    seconds = pictures * (_SECONDS_PER_PICTURE + _SECONDS_PER_PIXEL * pixels)
    return max(1, min(cpus, int(seconds / _SECONDS_PER_PROCESS)))


class DrawingPool:
    """Draws in this process, or in several others that end with it."""

    def __init__(self, processes: int) -> None:
        """
        Args:
            processes: that draw at a time; 1 draws in this process.
        """
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> DrawingPool:
        if self._processes > 1:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _start)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def draw(self, draw: Callable[[int], _T], positions: range) -> Generator[_T, None, None]:
        """What `draw` gives for each position, in order.

        Raises:
            DrawingStopped: a process was killed.
        """
        if self._pool is None:
            yield from map(draw, positions)
            return
        waiting: deque[Future[list[_T]]] = deque()
        try:
            for first in range(0, len(positions), BATCH):
                waiting.append(self._pool.submit(_draw, draw, positions[first : first + BATCH]))
                if len(waiting) >= _AHEAD * self._processes:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as why:
            raise DrawingStopped(
                "a process that drew pictures ended early: it was killed (is there too little "
                "memory?), or the program that calls `draw_sample` starts its work without `if "
                '__name__ == "__main__":`; processes=1 works in one process'
            ) from why


def _start() -> None:
    """Prepare a process: Ctrl-C is its parent's to hear, with which it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _draw(draw: Callable[[int], _T], positions: range) -> list[_T]:
    return [draw(position) for position in positions]
