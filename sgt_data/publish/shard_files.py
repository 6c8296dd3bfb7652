"""The files of a shard as local files, ready to be sent: in place, fetched, or cut out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.corpus.layout import (
    index_path,
    quarantine_path,
    receipt_path,
    tar_path,
)
from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.fetching import copy_to_file
from sgt_data.files.urls import is_local, join
from sgt_data.subsets.shard_copy import ShardCopier


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """A shard's receipt, and where its files lie on this machine by their paths in a corpus."""

    receipt: Receipt
    places: Mapping[str, str]


def parts_of(receipt: Receipt) -> dict[str, Mapping[str, Any]]:
    """Digests of the files that a receipt commits, by their paths in a corpus."""
    folder, shard = receipt["proxy"], receipt["shard"]
    paths = {
        "tar": tar_path(folder, shard),
        "index": index_path(folder, shard),
        "quarantine": quarantine_path(folder, shard),
    }
    return {path: receipt[part] for part, path in paths.items() if receipt[part] is not None}


def shard_files(corpus: Corpus, folder: str, shard: str, scratch: str) -> ShardFiles:
    """Lay a shard of one folder ready.

    Args:
        corpus: of a whole one, local files are taken where they lie; of a subset, the shard is cut
            out of its corpus.
        folder, shard: which.
        scratch: a local folder for what has to be written.

    Raises:
        CorpusError: the shard is damaged.
        SourceError: it cannot be read just now.
        StorageError: `scratch` cannot be written.
    """
    if corpus.selection is not None:
        copier = ShardCopier(corpus.url, scratch, corpus.selection.whole)
        keys = [] if corpus.selection.whole else corpus.selection.of(shard).to_pylist()
        receipt = copier.copy(folder, shard, keys, corpus.header.fingerprints[folder])
        paths = (*parts_of(receipt), receipt_path(folder, shard))
        return ShardFiles(receipt, {path: join(scratch, path) for path in paths})
    receipt = corpus.receipt(folder, shard)
    if receipt["fingerprint"] != corpus.header.fingerprints[folder]:
        raise CorpusError(f"the receipt of {folder}/{shard} is that of another build")
    digests = parts_of(receipt)
    places = {
        path: _local(corpus.url, path, scratch) for path in (*digests, receipt_path(folder, shard))
    }
    for path, digest in digests.items():
        if _digest(places[path]) != digest:
            raise CorpusError(
                f"{join(corpus.url, path)}: size or SHA-256 is not what its receipt says"
            )
    return ShardFiles(receipt, places)


def _local(root: str, path: str, scratch: str) -> str:
    if is_local(root):
        return join(root, path)
    place = join(scratch, path)
    copy_to_file(join(root, path), place)
    return place


def _digest(place: str) -> dict[str, Any]:
    """Size and SHA-256 of a local file, which may be large."""
    try:
        with open(place, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return {"bytes": file.tell(), "sha256": sha256}
    except OSError as why:
        raise SourceError(f"cannot read {place}: {why.strerror or why}") from why
