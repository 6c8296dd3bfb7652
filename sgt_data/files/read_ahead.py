"""Read many small files on threads: results come in order, and few are read before their turn.

So a corpus of any size is read in bounded memory, and an object store answers while results are
looked at.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from typing import TypeVar

from sgt_data.files.urls import is_local

_Item = TypeVar("_Item")
_Read = TypeVar("_Read")

_REMOTE_THREADS = 32
"""Requests at a time: a store answers after some ten milliseconds, whatever else it is asked."""

_AHEAD = 4
"""Results of each thread that may wait for their turn."""


def threads_for(url: str) -> int:
    """How many files are read at a time where `url` lies: on a local disk, as many as there are
    cores, since what is read from a page cache is then unpacked."""
    return (os.cpu_count() or 1) if is_local(url) else _REMOTE_THREADS


def read_ahead(
    read: Callable[[_Item], _Read], items: Iterable[_Item], threads: int
) -> Generator[_Read, None, None]:
    """Call a function for every item, some of them at a time; results in the order of the items.

    Items are taken only a little before their turn, so there may be many of them. Closing the
    generator ends the work.

    Args:
        read: what to call, on threads.
        items: arguments of the calls.
        threads: calls at a time.

    Raises:
        Exception: what a call raised, at its turn.
    """
    waiting: deque[Future[_Read]] = deque()
    coming = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        waiting.extend(pool.submit(read, item) for item in islice(coming, _AHEAD * threads))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(read, item) for item in islice(coming, 1))
            yield result
            del result  # not kept while the next one is waited for
    finally:
        # the calls are waited for, and not the threads: to join one takes a lock of `threading`,
        # which is held where an abandoned generator is collected while another thread starts
        pool.shutdown(wait=False, cancel_futures=True)
        wait([future for future in waiting if not future.cancelled()])


def in_blocks(
    read: Callable[[_Item], _Read], items: Iterable[_Item], threads: int, size: int
) -> Generator[list[_Read], None, None]:
    """Call a function for every item (see `read_ahead`); results in lists of `size`."""
    with closing(read_ahead(read, items, threads)) as results:
        while block := list(islice(results, size)):
            yield block
