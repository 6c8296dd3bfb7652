"""Copy samples of a shard into a shard of another corpus: ranges of bytes, nothing decoded.

Members of a sample lie together in the tar, and samples in key order, so the samples that are kept
are runs of bytes. What is copied is checked on the way: the files of the shard against its receipt,
the members against the checksums of the index, their headers for their names.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.layout import index_path, quarantine_path, tar_path
from sgt_data.corpus.reader import parse_index
from sgt_data.corpus.receipt import Receipt, commit, read_receipt
from sgt_data.corpus.shard import (
    BLOCK,
    MEMBERS,
    EncodedShard,
    ends_of,
    file_digest,
    index_bytes,
    ledger_lines,
    member_names,
    receipt_bytes,
    tar_size,
)
from sgt_data.corpus.view import ledger_rows
from sgt_data.errors import CorpusError
from sgt_data.storage import delete, is_local, join, read_bytes, read_range, write_atomic

REMOTE_GAP = 128 << 10
"""On an object store, so many bytes are rather read and dropped than asked around."""

REMOTE_BYTES = 8 << 20
"""Asked for at once."""

_REMOTE_THREADS = 16
_NAME_BYTES = 100
"""Of a member's name, in its tar header; a longer one stands elsewhere."""


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes of a tar that are copied together, and where they come to lie."""

    start: int
    length: int
    to: int


def runs_of(ends: NDArray[np.int64], kept: NDArray[np.bool_]) -> list[Run]:
    """The bytes of the samples that are kept; neighbours in one run."""
    starts = np.concatenate([[0], ends[:-1]])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    runs, to = [], 0
    for first, after in edges.reshape(-1, 2).tolist():
        start, length = int(starts[first]), int(ends[after - 1] - starts[first])
        runs.append(Run(start, length, to))
        to += length
    return runs


def moved(index: pa.Table, ends: NDArray[np.int64], kept: NDArray[np.bool_]) -> pa.Table:
    """The index of the samples that are kept, as they lie in the copy."""
    sizes = np.diff(ends, prepend=0)
    left_out = np.cumsum(np.where(kept, 0, sizes))[kept]
    table = index.filter(pa.array(kept))
    for member in MEMBERS:
        name = f"{member}_offset"
        offsets = pc.subtract(table[name], pa.array(left_out, pa.int64()))
        table = table.set_column(table.column_names.index(name), index.schema.field(name), offsets)
    return table


@dataclass(frozen=True, slots=True)
class ShardCopier:
    """Copies shards of one corpus into another.

    Attributes:
        origin: URL of the corpus.
        root: of the copy.
        whole: take shards with all they hold and leave out.
    """

    origin: str
    root: str
    whole: bool

    def copy(self, proxy: str, shard: str, keys: Sequence[str], fingerprint: str) -> Receipt:
        """Copy one shard of one folder, and commit it.

        Args:
            keys: to take (of a whole shard, not looked at). Those that the folder lacks go into
                the ledger, with the reason that the origin's states.
            fingerprint: of the copy, for this folder.

        Raises:
            CorpusError: the shard is damaged, or has no account of a key.
            SourceError: it cannot be read just now.
            StorageError: the copy cannot be written.
        """
        receipt = read_receipt(self.origin, proxy, shard)
        index = self._read(receipt, "index", index_path(proxy, shard))
        ledger = self._read(receipt, "quarantine", quarantine_path(proxy, shard))
        stored = parse_index(index, join(self.origin, index_path(proxy, shard)))
        counts = {name: receipt[name] for name in ("samples", "damaged", "filtered", "segments")}
        ends, kept = ends_of(stored), np.ones(len(stored), np.bool_)
        if not self.whole:
            wanted = pa.array(keys, pa.string())
            kept = pc.is_in(stored["key"], value_set=wanted).to_numpy(zero_copy_only=False)
            stored = moved(stored, ends, kept)
            lacking = set(keys) - set(stored["key"].to_pylist())
            rows = ledger_rows(self.origin, proxy, shard, lacking) if lacking else []
            index, ledger = index_bytes(stored), ledger_lines(rows)
            damaged = sum(row["kind"] == "damaged" for row in rows)
            counts = {
                "samples": len(stored),
                "damaged": damaged,
                "filtered": len(rows) - damaged,
                "segments": pc.sum(stored["segments"]).as_py() or 0,
            }
        runs = runs_of(ends, kept)
        digest = self._copy_tar(receipt, stored, runs) if runs else None
        summary = {
            **receipt,
            **counts,
            "inputs": counts["samples"] + counts["damaged"] + counts["filtered"],
            "source_bytes": sum(run.length for run in runs),
            "fingerprint": fingerprint,
            "tar": digest,
            "index": file_digest(index),
            "quarantine": file_digest(ledger),
        }
        encoded = EncodedShard(None, index, ledger, receipt_bytes(summary), summary, ())
        return commit(self.root, encoded)

    def _read(self, receipt: Receipt, part: str, path: str) -> bytes:
        """An index or a ledger, compared with the receipt."""
        data = read_bytes(join(self.origin, path))
        if file_digest(data) != receipt[part]:
            raise CorpusError(
                f"{join(self.origin, path)}: size or SHA-256 is not what its receipt says"
            )
        return data

    def _copy_tar(self, receipt: Receipt, index: pa.Table, runs: Sequence[Run]) -> dict[str, Any]:
        """Write the tar and say what it is. It is looked through while it is being written; what
        is wrong with it shows before its receipt is written, without which it is not there."""
        path = tar_path(receipt["proxy"], receipt["shard"])
        place = join(self.root, path)
        held = sum(run.length for run in runs)
        tar = bytearray(tar_size(held))
        read_runs(join(self.origin, path), runs, tar)
        with ThreadPoolExecutor(1) as beside:
            digest = beside.submit(file_digest, tar)
            # files take any buffer, object stores bytes alone
            write_atomic(place, cast(bytes, tar) if is_local(place) else bytes(tar))
            problem = None if self.whole else check_members(tar, index)
            found = digest.result()
        if self.whole and found != receipt["tar"]:
            problem = "size or SHA-256 is not what its receipt says"
        if problem:
            delete(place)
            raise CorpusError(f"{join(self.origin, path)}: {problem}")
        return found


def read_runs(url: str, runs: Sequence[Run], into: bytearray) -> None:
    """Read runs of a file to their places.

    Raises:
        SourceError: it cannot be read.
        CorpusError: it ends too early.
    """
    view = memoryview(into)
    if is_local(url):
        _read_local(url, runs, view)
        return

    def fetch(group: Sequence[Run]) -> None:
        start, end = group[0].start, group[-1].start + group[-1].length
        data = memoryview(read_range(url, start, end - start))
        if len(data) != end - start:
            raise CorpusError(f"{url} ends before byte {end}")
        for run in group:
            view[run.to : run.to + run.length] = data[run.start - start :][: run.length]

    with ThreadPoolExecutor(_REMOTE_THREADS) as threads:
        list(threads.map(fetch, grouped(runs, REMOTE_GAP, REMOTE_BYTES)))


def grouped(runs: Sequence[Run], gap: int, most: int) -> list[list[Run]]:
    """Runs that are read at once: those with at most `gap` bytes between them, and at most `most`
    bytes in all. Longer ones are cut."""
    groups: list[list[Run]] = []
    for run in runs:
        for begin in range(0, run.length, most):
            length = min(most, run.length - begin)
            part = Run(run.start + begin, length, run.to + begin)
            if groups and _fits(groups[-1], part, gap, most):
                groups[-1].append(part)
            else:
                groups.append([part])
    return groups


def _fits(group: Sequence[Run], run: Run, gap: int, most: int) -> bool:
    end = group[-1].start + group[-1].length
    return run.start - end <= gap and run.start + run.length - group[0].start <= most


def _read_local(path: str, runs: Sequence[Run], view: memoryview) -> None:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError as why:
        raise CorpusError(f"{path} cannot be read: {why.strerror or why}") from why
    try:
        for run in runs:
            done = 0
            while done < run.length:  # one call reads 2 GiB at most
                rest = view[run.to + done : run.to + run.length]
                count = os.preadv(file, [rest], run.start + done)
                if not count:
                    raise CorpusError(f"{path} ends before byte {run.start + run.length}")
                done += count
    except OSError as why:
        raise CorpusError(f"{path} cannot be read: {why.strerror or why}") from why
    finally:
        os.close(file)


def check_members(tar: bytearray, index: pa.Table) -> str | None:
    """What is wrong with a tar's members, by their names and checksums in the index."""
    view = memoryview(tar)
    for row in index.to_pylist():
        for member, name in member_names(row).items():
            offset, size = row[f"{member}_offset"], row[f"{member}_size"]
            stated = name.encode()
            header = bytes(view[offset - BLOCK : offset - BLOCK + len(stated)])
            if len(stated) <= _NAME_BYTES and header != stated:
                return f"{member} of sample {row['key']} is not where the index says"
            if zlib.crc32(view[offset : offset + size]) != row[f"{member}_crc32"]:
                return f"{member} of sample {row['key']} has another CRC-32 than the index says"
    return None
