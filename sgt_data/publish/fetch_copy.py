"""Fetch a copy of a corpus as it is, shard by shard, each file compared with its receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from functools import partial

from sgt_data.corpus.committed_receipts import committed_receipts
from sgt_data.corpus.header import encode_header, read_header, write_header
from sgt_data.corpus.identity import check_same_build, of_proxies
from sgt_data.corpus.lost_files import lost_notes, revoke_lost
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE, LEFT_OUT_FILE, receipt_path
from sgt_data.corpus.receipt import parse_receipt
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.engine.parallel import call_for_each
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.files.writing import open_atomic, write_atomic
from sgt_data.progress import OnProgress, Progress
from sgt_data.publish.shard_files import committed_files
from sgt_data.result import Failure
from sgt_data.subsets.byte_ranges import Run, pieces_of
from sgt_data.subsets.shard_copy import AT_ONCE
from sgt_data.subsets.subset_headers import begun_header


def check_place(copy: Corpus, root: str) -> None:
    """Check that a place is empty, or holds this copy, or a part of it.

    Raises:
        CorpusMismatch: it holds another corpus; names what differs.
    """
    existing = read_header(root)
    if existing is not None:
        identity = of_proxies(existing.identity, copy.header.identity["proxies"])
        check_same_build(identity, copy.header.identity, root)


def fetch_copy(copy: Corpus, root: str, on_progress: OnProgress) -> tuple[int, list[Failure]]:
    """Fetch a copy, or go on fetching it. What is there is kept.

    Args:
        copy: a complete copy.
        root: absolute URL of the place, which is empty or holds a part of it.
        on_progress: called after every shard; counts shards.

    Returns:
        Number of shards that were fetched now, and those that could not be.

    Raises:
        CorpusError: what is at the place is damaged.
        StorageError: the place cannot be written; what is committed is kept.
    """
    header = copy.header
    existing = read_header(root)
    if existing is not None and existing.complete:
        return 0, []
    write_atomic(below(root, LEFT_OUT_FILE), read_bytes(below(copy.url, LEFT_OUT_FILE)))
    if existing is None:
        write_header(root, begun_header(header))
    present = committed_receipts(root, header.fingerprints)
    for note in lost_notes(revoke_lost(root, begun_header(header), present), "fetched"):
        on_progress(Progress(0, note=f"note: {note}"))
    shards = [
        (folder, shard)
        for folder in copy.folders
        for shard in header.shards[folder]
        if shard not in present[folder]
    ]
    failures: list[Failure] = []
    work = call_for_each(partial(_fetch_shard, copy.url, root), shards, IN_PROCESS, AT_ONCE)
    with closing(work) as outcomes:
        for number, failure in enumerate(outcomes, 1):
            failures += [failure] if failure else []
            on_progress(Progress(number, len(shards), phase="fetching targets"))
    if not failures:
        write_atomic(below(root, CORPUS_FILE), encode_header(header))
    return len(shards) - len(failures), failures


def _fetch_shard(origin: str, root: str, place: tuple[str, str]) -> Failure | None:
    """Fetch the files of a shard of one folder, its receipt last."""
    path = receipt_path(*place)
    try:
        data = read_bytes(below(origin, path))
        receipt = parse_receipt(data, below(origin, path))
        if (receipt["proxy"], receipt["shard"]) != place:
            raise CorpusError(f"{path} is the receipt of another shard")
        for name, digest in committed_files(receipt).items():
            _fetch_file(below(origin, name), below(root, name), digest)
        write_atomic(below(root, path), data)
    except (SourceError, CorpusError) as why:
        return Failure("/".join(place), str(why))
    return None


def _fetch_file(origin: str, place: str, digest: Mapping[str, object]) -> None:
    """Fetch a file, which appears once it is what its receipt says."""
    nbytes = digest["bytes"]
    assert isinstance(nbytes, int)
    sha256 = hashlib.sha256()
    with open_atomic(place) as out:
        if nbytes:
            for piece in pieces_of(origin, [Run(0, nbytes)]):
                sha256.update(piece)
                out.write(piece)
        if sha256.hexdigest() != digest["sha256"]:
            raise CorpusError(f"{origin}: its SHA-256 is not what its receipt says")
