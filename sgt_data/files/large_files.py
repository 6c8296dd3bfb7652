"""Write large files whole or not at all, in bounded memory: for a store they grow on a local disk.

`writing.open_atomic` keeps what goes to a store in memory until the file is whole.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sgt_data.errors import SourceError, StorageError
from sgt_data.files.retries import retried
from sgt_data.files.time_limits import FILE_SECONDS, time_limit
from sgt_data.files.urls import is_local, open_filesystem
from sgt_data.files.writing import Writable, open_atomic


@contextmanager
def open_large(url: str) -> Iterator[Writable]:
    """A large file to write, which appears when the block ends without an error, and not before.

    Args:
        url: URL of the file. Where it is not local, as many bytes of the folder of temporary files
            are used meanwhile.

    Raises:
        StorageError: the file cannot be written.
    """
    if is_local(url):
        with open_atomic(url) as out:
            yield out
        return
    filesystem, path = open_filesystem(url)
    with tempfile.NamedTemporaryFile() as file:
        try:
            yield file
            file.flush()
        except OSError as why:
            raise StorageError(f"cannot write {file.name}: {why.strerror or why}") from why

        def put() -> None:
            filesystem.put_file(file.name, path, **time_limit(filesystem, FILE_SECONDS))

        try:
            retried(put, f"cannot write {url}")
        except SourceError as why:
            raise StorageError(str(why)) from why
