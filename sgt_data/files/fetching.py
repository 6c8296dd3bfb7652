"""Fetch files of any fsspec URL to local paths."""

from __future__ import annotations

import os
import uuid

from sgt_data.files.retries import retried
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import open_filesystem


def fetch_file(url: str, path: str) -> None:
    """Write the content of a file over a local file, which is incomplete where this fails.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, after several attempts.
    """

    def fetch() -> None:
        filesystem, source = open_filesystem(url)
        filesystem.get_file(source, path)

    retried(fetch, f"cannot read {url}")


def copy_to_file(url: str, path: str) -> None:
    """Fetch a file to a local path, where it appears whole or not at all.

    Raises:
        FileMissing: the file does not exist.
        SourceError: the file cannot be read, after several attempts.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}{TEMPORARY}{uuid.uuid4().hex}"
    try:
        fetch_file(url, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
