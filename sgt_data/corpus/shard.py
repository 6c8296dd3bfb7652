"""One shard in memory: a WebDataset tar, its index, its quarantine ledger and its receipt.

All bytes are a function of the samples alone: members in key order, mtime 0, uid and gid 0.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from sgt_data.corpus.index import INDEX_SCHEMA, MEMBERS, index_bytes
from sgt_data.records import QuarantineRow
from sgt_data.redaction import without_secrets

BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """One sample on its way into a shard.

    Attributes:
        key: of the picture.
        input: JPEG bytes; None where the inputs are shared.
        target: PNG or JPEG bytes; None in a shard of shared inputs.
        target_extension: `png` or `jpg`.
        instruction: the text; None in a shard of shared inputs.
        facts: the sample's JSON.
        row: what the index says, save key and places of members.
    """

    key: str
    input: bytes | None
    target: bytes | None
    target_extension: str | None
    instruction: str | None
    facts: Mapping[str, Any]
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShardOrigin:
    """Which shard of which build: what a receipt says beside counts and digests.

    `fingerprint` is that of the build for this proxy; `last` marks the final shard of its slice;
    `source_bytes` were read for it.
    """

    proxy: str
    shard: str
    source: str
    slice: str
    last: bool
    source_bytes: int
    fingerprint: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class EncodedShard:
    """A shard's files, ready to be written in this order; `tar` is None where no input became a
    sample."""

    tar: bytes | None
    index: bytes
    quarantine: bytes
    receipt: bytes
    summary: dict[str, Any]
    keys: tuple[str, ...]


@dataclass(slots=True)
class ShardWriter:
    """Collects samples and ledger rows of one shard of one proxy.

    Attributes:
        samples: the samples.
        quarantine: a row for each input that became none.
        notes: rows on inputs that became samples.
    """

    samples: list[EncodedSample] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    notes: list[QuarantineRow] = field(default_factory=list)

    def encode(self, origin: ShardOrigin) -> EncodedShard:
        """All files of the shard."""
        samples = sorted(self.samples, key=lambda sample: sample.key)
        tar, rows = _write_tar(samples)
        index = index_bytes(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
        ledger = ledger_bytes((*self.quarantine, *self.notes))
        damaged = sum(row.kind == "damaged" for row in self.quarantine)
        summary = {
            "version": 1,
            **asdict(origin),
            "inputs": len(samples) + len(self.quarantine),
            "samples": len(samples),
            "damaged": damaged,
            "filtered": len(self.quarantine) - damaged,
            **notes_count(len(self.notes)),
            "segments": sum(row["segments"] for row in rows),
            "tar": file_digest(tar) if samples else None,
            "index": file_digest(index),
            "quarantine": file_digest(ledger),
        }
        if not origin.lost:
            del summary["lost"]
        receipt = receipt_bytes(summary)
        keys = tuple(sample.key for sample in samples)
        return EncodedShard(tar if samples else None, index, ledger, receipt, summary, keys)


def notes_count(count: int) -> dict[str, int]:
    """The field of a receipt that counts notes; receipts of shards without any have none."""
    return {"notes": count} if count else {}


def receipt_bytes(summary: Mapping[str, Any]) -> bytes:
    """A receipt as a file."""
    return orjson.dumps(summary, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def file_digest(data: bytes | bytearray) -> dict[str, Any]:
    """Size and SHA-256 of a file, as receipts state them."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def member_name(key: str, member: str, target_extension: str | None) -> str:
    """Name of a sample's member in the tar."""
    suffixes = {
        "input": "input.jpg",
        "target": f"target.{target_extension}",
        "instruction": "txt",
        "facts": "json",
    }
    return f"{key}.{suffixes[member]}"


def member_names(row: Mapping[str, Any]) -> dict[str, str]:
    """Tar member names of a sample by what they hold, in the order of the tar.

    Args:
        row: of the index.
    """
    return {
        member: member_name(row["key"], member, row["target_extension"])
        for member in MEMBERS
        if row[f"{member}_size"] is not None
    }


def _write_tar(samples: list[EncodedSample]) -> tuple[bytes, list[dict[str, Any]]]:
    """The tar's bytes, and an index row per sample."""
    out = io.BytesIO()
    rows = []
    for sample in samples:
        contents = {
            "input": sample.input,
            "target": sample.target,
            "instruction": None if sample.instruction is None else sample.instruction.encode(),
            "facts": orjson.dumps(sample.facts),
        }
        row = {"key": sample.key, "target_extension": sample.target_extension, **sample.row}
        for member, data in contents.items():
            if data is None:
                continue
            name = member_name(sample.key, member, sample.target_extension)
            offset = append_member(out, name, data)
            row[f"{member}_offset"] = offset
            row[f"{member}_size"] = len(data)
            row[f"{member}_crc32"] = zlib.crc32(data)
        rows.append(row)
    return end_tar(out), rows


def append_member(out: io.BytesIO, name: str, data: bytes) -> int:
    """Write one member to a tar.

    Returns:
        Offset of the member's bytes in the tar.
    """
    header = tarfile.TarInfo(name)
    header.size = len(data)
    header.mode = 0o644
    out.write(header.tobuf(tarfile.PAX_FORMAT))
    offset = out.tell()
    out.write(data)
    out.write(bytes(-len(data) % BLOCK))
    return offset


def end_tar(out: io.BytesIO) -> bytes:
    """Write the end marker of a tar.

    Returns:
        The whole tar.
    """
    out.write(bytes(tar_size(out.tell()) - out.tell()))
    return out.getvalue()


def tar_size(nbytes: int) -> int:
    """Bytes of a tar whose members take so many, headers included: with the end marker."""
    return -(-(nbytes + 2 * BLOCK) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def ledger_bytes(rows: Iterable[QuarantineRow]) -> bytes:
    """A quarantine ledger: a line of JSON per row, in order."""
    return ledger_lines(map(asdict, rows))


def ledger_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A quarantine ledger from rows as they are read from ledgers."""
    rows = ({**row, "reason": without_secrets(row["reason"])} for row in rows)
    lines = sorted(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows)
    return b"".join(line + b"\n" for line in lines)
