"""Where everything lies in a corpus (format version 1). Paths are relative to its root."""

from __future__ import annotations

CORPUS_FILE = "corpus.json"
RECEIPTS = "receipts"
BESIDE = ("README.md", ".gitattributes")
"""What else may lie at the root: a repository's own files."""
INPUT = "input"
"""Where the pictures lie if the proxies share them: a folder like a proxy's, without targets."""


def tar_path(proxy: str, shard: str) -> str:
    return f"{proxy}/{shard}.tar"


def index_path(proxy: str, shard: str) -> str:
    return f"index/{proxy}/{shard}.parquet"


def quarantine_path(proxy: str, shard: str) -> str:
    return f"quarantine/{proxy}/{shard}.jsonl"


def receipt_path(proxy: str, shard: str) -> str:
    return f"{RECEIPTS}/{proxy}/{shard}.json"
