"""Read many small files at once, in order, and only a few of them ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

THREADS = 16
"""Files of a store that are read at the same time."""


def read_ahead(
    read: Callable[[_Item], _Result], items: Iterable[_Item], threads: int = THREADS
) -> Iterator[_Result]:
    """What `read` gives for each item, in order; it is called on threads.

    At most twice as many results as threads wait to be taken, so that memory does not grow with the
    number of items.

    Raises:
        Exception: what `read` raises; later items are then not begun.
    """
    waiting: deque[Future[_Result]] = deque()
    pool = ThreadPoolExecutor(threads, "read")
    try:
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
