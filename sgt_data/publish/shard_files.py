"""The files of a shard as local files, to be sent: where they lie, fetched, or cut out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data.corpus.header import LEDGER_HOLDS_SECRET
from sgt_data.corpus.mending import REMOVE_AND_MAKE_AGAIN, lost
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import (
    index_path,
    quarantine_path,
    receipt_path,
    tar_path,
)
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.fetching import copy_to_file
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below, is_local, join
from sgt_data.redaction import has_secrets
from sgt_data.subsets.shard_copy import ShardCopier


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """The files of a shard of one folder, on this machine.

    Attributes:
        receipt: receipt of the shard.
        local_paths: path on this machine, by path in the corpus; the receipt's own file is among
            them.
    """

    receipt: Receipt
    local_paths: Mapping[str, str]


def committed_files(receipt: Receipt) -> dict[str, Mapping[str, Any]]:
    """Digests (`bytes` and `sha256`) of the files that a receipt commits, by path in the corpus."""
    folder, shard = receipt["proxy"], receipt["shard"]
    paths = {
        "tar": tar_path(folder, shard),
        "index": index_path(folder, shard),
        "quarantine": quarantine_path(folder, shard),
    }
    return {path: receipt[part] for part, path in paths.items() if receipt[part] is not None}


def shard_files(corpus: Corpus, folder: str, shard: str, scratch: str) -> ShardFiles:
    """Have the files of a shard of one folder on this machine.

    Local files of a whole corpus are taken where they lie; remote ones are fetched. The shard of a
    subset is cut out of the subset's corpus.

    Args:
        corpus: a complete corpus, or a subset of one.
        folder: the folder of the corpus: a proxy, or the shared inputs.
        shard: name of the shard.
        scratch: a local folder for files that have to be written.

    Raises:
        CorpusError: the shard is damaged.
        SourceError: it cannot be read just now.
        StorageError: `scratch` cannot be written.
    """
    if corpus.selection is not None:
        copier = ShardCopier(corpus.url, scratch, corpus.selection.whole)
        keys = [] if corpus.selection.whole else corpus.selection.of(shard).to_pylist()
        receipt = copier.copy(folder, shard, keys, corpus.header.fingerprints[folder])
        paths = (*committed_files(receipt), receipt_path(folder, shard))
        return ShardFiles(receipt, {path: join(scratch, path) for path in paths})
    receipt = corpus.receipt(folder, shard)
    if receipt["fingerprint"] != corpus.header.fingerprints[folder]:
        raise CorpusError(f"the receipt of {folder}/{shard} is of another build")
    digests = committed_files(receipt)
    local_paths = {
        path: _local_path(corpus.url, path, scratch)
        for path in (*digests, receipt_path(folder, shard))
    }
    for path, digest in digests.items():
        if _digest(local_paths[path]) != digest:
            raise CorpusError(
                f"{join(corpus.url, path)}: size or SHA-256 is not what its receipt says. "
                f"{REMOVE_AND_MAKE_AGAIN}"
            )
    _check_ledger(local_paths[quarantine_path(folder, shard)], quarantine_path(folder, shard))
    return ShardFiles(receipt, local_paths)


def _check_ledger(path: str, name: str) -> None:
    """Refuse a ledger, as earlier versions wrote them, that holds a secret of a URL."""
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        if has_secrets(str(orjson.loads(line).get("reason"))):
            raise CorpusError(f"{name}, line {number}: field reason {LEDGER_HOLDS_SECRET}")


def _local_path(root: str, path: str, scratch: str) -> str:
    if is_local(root):
        return below(root, path)
    copied = join(scratch, path)
    copy_to_file(join(root, path), copied)
    return copied


def _digest(path: str) -> dict[str, Any]:
    """Size and SHA-256 of a local file, which is never held in memory as a whole."""
    try:
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return {"bytes": file.tell(), "sha256": sha256}
    except FileNotFoundError as error:
        raise lost(path) from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
