"""Files that a library writes by path, such as databases: built on a local disk, then put whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sgt_data.errors import StorageError
from sgt_data.files.spooled_writing import upload
from sgt_data.files.unfinished import new_unfinished_file
from sgt_data.files.urls import is_local


@contextmanager
def built_locally(url: str) -> Iterator[str]:
    """Path of an empty file to fill, which appears at `url` when the block ends without an error.

    On a local disk it lies where the file will lie; else below `TMPDIR`.

    Args:
        url: URL of the file.

    Raises:
        StorageError: it cannot be written.
    """
    if not is_local(url):
        with tempfile.TemporaryDirectory(prefix="sgt-data-") as folder:
            path = os.path.join(folder, "file")
            yield path
            upload(path, url)
        return
    target = url.removeprefix("file://")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with new_unfinished_file(os.path.dirname(target)) as path:
        os.truncate(path, 0)
        yield path
        try:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            os.replace(path, target)
        except OSError as why:
            raise StorageError(f"cannot write {url}: {why.strerror or why}") from why
