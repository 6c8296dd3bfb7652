"""Write large files whole or not at all, in memory that does not grow with them."""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sgt_data.errors import SourceError, StorageError
from sgt_data.files.retries import retried
from sgt_data.files.time_limits import FILE_SECONDS, time_limit
from sgt_data.files.urls import is_local, open_filesystem
from sgt_data.files.writing import Writable, open_atomic

_PART_BYTES, _PARTS_AT_ONCE = 16 << 20, 2
"""Size and number of the parts that backends which send a file in parts have in memory. S3 takes
10,000 parts of a file."""

_SLOWEST_BYTES = 1 << 20
"""Bytes per second that an upload may take, at the least, beside the seconds of a small file."""


@contextmanager
def open_spooled(url: str) -> Iterator[Writable]:
    """A file to write, which appears when the block ends without an error, and not before.

    What goes to an object store waits in a file of this machine (below `TMPDIR`) until it is whole.

    Args:
        url: URL of the file.

    Raises:
        StorageError: the file cannot be written.
    """
    if is_local(url):
        with open_atomic(url) as out:
            yield out
        return
    with tempfile.NamedTemporaryFile(prefix="sgt-data-") as file:
        yield file
        file.flush()
        upload(file.name, url)


def upload(path: str, url: str) -> None:
    """Put a file of a local disk where an object store has it, in one step.

    Args:
        path: of the file.
        url: where to put it; not on a local disk.

    Raises:
        StorageError: it cannot be written.
    """
    filesystem, place = open_filesystem(url)
    limit = time_limit(filesystem, FILE_SECONDS + os.stat(path).st_size / _SLOWEST_BYTES)
    options = limit | _in_parts(filesystem)

    def put() -> None:
        filesystem.put_file(path, place, **options)

    try:
        retried(put, f"cannot write {url}")
    except SourceError as why:
        raise StorageError(str(why)) from why


def _in_parts(filesystem: Any) -> dict[str, int]:
    """Options of a backend that bound the memory of an upload, where it has such options."""
    put = getattr(filesystem, "_put_file", filesystem.put_file)
    known = {"chunksize": _PART_BYTES, "max_concurrency": _PARTS_AT_ONCE}
    taken = inspect.signature(put).parameters
    return {name: value for name, value in known.items() if name in taken}
