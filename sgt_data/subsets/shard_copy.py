"""Copy samples of a shard into a shard of another corpus: ranges of bytes, nothing decoded.

Members of a sample lie together in the tar, and samples in key order, so the samples that are kept
are runs of bytes. What is copied is checked on the way: the files of the shard against its receipt,
the members against the checksums of the index, their headers for their names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.index import (
    MEMBERS,
    ends_of,
    index_bytes,
    parse_index,
)
from sgt_data.corpus.mending import REMOVE_AND_MAKE_AGAIN, read_committed
from sgt_data.corpus.paths import index_path, quarantine_path, tar_path
from sgt_data.corpus.reasons import rows_of_ledger
from sgt_data.corpus.receipt import Receipt, commit, read_receipt
from sgt_data.corpus.shard import (
    EncodedShard,
    file_digest,
    ledger_lines,
    notes_count,
    receipt_bytes,
    tar_size,
)
from sgt_data.corpus.tar_inspector import TarInspector, members_of
from sgt_data.errors import CorpusError
from sgt_data.files.urls import below
from sgt_data.files.writing import open_atomic
from sgt_data.subsets.byte_ranges import Run, pieces_of, runs_of
from sgt_data.subsets.selected_counts import ledger_rows, note_rows

AT_ONCE = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Shards that one process copies at a time: while one shard waits for the disk, others are read and
hashed."""


@dataclass(frozen=True, slots=True)
class ShardCopier:
    """Copies shards of one corpus into another.

    Attributes:
        origin: URL of the corpus.
        root: URL of the copy.
        whole: take shards with all they hold and leave out.
    """

    origin: str
    root: str
    whole: bool

    def copy(self, proxy: str, shard: str, keys: Sequence[str], fingerprint: str) -> Receipt:
        """Copy one shard of one folder, and commit it.

        Args:
            proxy: the folder.
            shard: name of the shard.
            keys: to take (not looked at where `whole`). Those of which the folder has no sample go
                into the ledger, with the reason that the origin's ledger states.
            fingerprint: of the copy, for this folder.

        Raises:
            CorpusError: the shard is damaged, or has no account of a key.
            SourceError: it cannot be read just now.
            StorageError: the copy cannot be written.
        """
        receipt = read_receipt(self.origin, proxy, shard)
        index = self._read(receipt, "index", index_path(proxy, shard))
        ledger = self._read(receipt, "quarantine", quarantine_path(proxy, shard))
        rows = parse_index(index, below(self.origin, index_path(proxy, shard)))
        counts = {name: receipt[name] for name in ("samples", "damaged", "filtered", "segments")}
        counts |= notes_count(receipt.get("notes", 0))
        ends, kept = ends_of(rows), np.ones(len(rows), np.bool_)
        if not self.whole:
            asked = pa.array(keys, pa.string())
            kept = pc.is_in(rows["key"], value_set=asked).to_numpy(zero_copy_only=False)
            rows = moved_rows(rows, ends, kept)
            lacking = set(keys) - set(rows["key"].to_pylist())
            reasons = ledger_rows(self.origin, proxy, shard, lacking) if lacking else []
            notes = []
            if "notes" in receipt:
                place = below(self.origin, quarantine_path(proxy, shard))
                notes = note_rows(rows_of_ledger(ledger, place), set(keys))
            index, ledger = index_bytes(rows), ledger_lines((*reasons, *notes))
            damaged = sum(reason["kind"] == "damaged" for reason in reasons)
            counts = {
                "samples": len(rows),
                "damaged": damaged,
                "filtered": len(reasons) - damaged,
                "segments": pc.sum(rows["segments"]).as_py() or 0,
                **notes_count(len(notes)),
            }
        runs = runs_of(ends, kept)
        digest = self._copy_tar(receipt, rows, runs) if runs else None
        summary = {
            **{name: value for name, value in receipt.items() if name != "notes"},
            **counts,
            "inputs": counts["samples"] + counts["damaged"] + counts["filtered"],
            "source_bytes": sum(run.length for run in runs),
            "fingerprint": fingerprint,
            "tar": digest,
            "index": file_digest(index),
            "quarantine": file_digest(ledger),
        }
        if not self.whole:
            summary.pop("lost", None)  # nobody can name the keys that a broken tar lost
        encoded = EncodedShard(None, index, ledger, receipt_bytes(summary), summary, ())
        return commit(self.root, encoded)

    def _read(self, receipt: Receipt, part: str, path: str) -> bytes:
        """An index or a ledger, compared with the receipt."""
        place = below(self.origin, path)
        data = read_committed(self.origin, path)
        if file_digest(data) != receipt[part]:
            raise CorpusError(
                f"{place}: size or SHA-256 is not what its receipt says. {REMOVE_AND_MAKE_AGAIN}"
            )
        return data

    def _copy_tar(self, receipt: Receipt, index: pa.Table, runs: Sequence[Run]) -> dict[str, Any]:
        """Copy runs of a tar, check them on the way; size and SHA-256 of the copy. It appears once
        it is whole and right."""
        path = tar_path(receipt["proxy"], receipt["shard"])
        source, place = below(self.origin, path), below(self.root, path)
        if self.whole:  # with all that its writer put at its end
            runs = [Run(0, receipt["tar"]["bytes"])]
        inspector = TarInspector([] if self.whole else members_of(index.to_pylist()), source)
        with open_atomic(place) as out:
            for piece in pieces_of(source, runs):
                inspector.look(piece)
                out.write(piece)
            if not self.whole:
                ending = bytes(tar_size(inspector.nbytes) - inspector.nbytes)
                inspector.look(ending)
                out.write(ending)
            digest = inspector.digest()
            if self.whole and digest != receipt["tar"]:
                raise CorpusError(
                    f"{source}: size or SHA-256 is not what its receipt says. "
                    f"{REMOVE_AND_MAKE_AGAIN}"
                )
        return digest


def moved_rows(index: pa.Table, ends: NDArray[np.int64], kept: NDArray[np.bool_]) -> pa.Table:
    """The index of the samples that are kept, with their places in a tar that holds no others.

    Args:
        index: of the whole tar, with the offsets of its members.
        ends: `[samples]`, where each sample ends in the tar.
        kept: `[samples]`, whether each sample is kept.
    """
    sizes = np.diff(ends, prepend=0)
    left_out = np.cumsum(np.where(kept, 0, sizes))[kept]
    table = index.filter(pa.array(kept))
    for member in MEMBERS:
        name = f"{member}_offset"
        offsets = pc.subtract(table[name], pa.array(left_out, pa.int64()))
        table = table.set_column(table.column_names.index(name), index.schema.field(name), offsets)
    return table
