"""Where everything lies in a corpus (format version 1). Paths are relative to its root."""

from __future__ import annotations

from sgt_data.errors import LeavesRoot
from sgt_data.files.output_place import CORPUS_MARKER
from sgt_data.names import INDEX, QUARANTINE, RECEIPTS, checked_folder, checked_shard

CORPUS_FILE = CORPUS_MARKER
README_FILE = "README.md"
LEFT_OUT_FILE = "left-out.json"
"""States what a copy lacks whose pictures were not passed on, so that they can be put back."""
REPOSITORY_FILES = (README_FILE, LEFT_OUT_FILE, ".gitattributes")
"""Files that may lie at the root of a corpus, beside its own."""
INPUT = "input"
"""Folder of the pictures that proxies share: like a proxy's, but without targets."""


def tar_path(proxy: str, shard: str) -> str:
    return f"{_place(proxy, shard)}.tar"


def index_path(proxy: str, shard: str) -> str:
    return f"{INDEX}/{_place(proxy, shard)}.parquet"


def quarantine_path(proxy: str, shard: str) -> str:
    return f"{QUARANTINE}/{_place(proxy, shard)}.jsonl"


def receipt_path(proxy: str, shard: str) -> str:
    return f"{RECEIPTS}/{_place(proxy, shard)}.json"


def receipts_folder(proxy: str) -> str:
    """Folder of a proxy's receipts, with `/` at its end."""
    return f"{RECEIPTS}/{proxy}/"


def every_tar(proxy: str) -> str:
    """The pattern of all tars of a proxy."""
    return f"{proxy}/*.tar"


def _place(proxy: str, shard: str) -> str:
    """Folder and shard as part of a path; the last guard of names that were parsed elsewhere."""
    try:
        return f"{checked_folder(proxy)}/{checked_shard(shard)}"
    except ValueError as why:
        raise LeavesRoot(str(why)) from None
