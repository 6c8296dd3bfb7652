"""Where everything lies in a corpus (format version 1). Paths are relative to its root."""

from __future__ import annotations

CORPUS_FILE = "corpus.json"
RECEIPTS = "receipts"
REPOSITORY_FILES = ("README.md", ".gitattributes")
"""Files of a repository that may lie at the root of a corpus."""
INPUT = "input"
"""Folder of the pictures that proxies share: like a proxy's, but without targets."""


def tar_path(proxy: str, shard: str) -> str:
    return f"{proxy}/{shard}.tar"


def index_path(proxy: str, shard: str) -> str:
    return f"index/{proxy}/{shard}.parquet"


def quarantine_path(proxy: str, shard: str) -> str:
    return f"quarantine/{proxy}/{shard}.jsonl"


def receipt_path(proxy: str, shard: str) -> str:
    return f"{RECEIPTS}/{proxy}/{shard}.json"
