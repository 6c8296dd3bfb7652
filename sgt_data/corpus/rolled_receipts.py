"""Rolled receipts: those of many shards in a file, so that few requests read a remote corpus.

    .receipts/<folder>/00000.jsonl   a line that says what it is, then a line for each shard

A line holds a receipt and, where keys may repeat, the hashes of the shard's keys. The files are
derived from receipts and indexes, and a corpus is whole without them. What they say of a shard is
taken only where it is proven to be the content of the shard's receipt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.key_hashes import Hashes
from sgt_data.corpus.receipt import Receipt, checked_receipt
from sgt_data.corpus.shard import receipt_bytes
from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_folder

ROLLED = ".receipts"
"""Folder of a corpus that holds rolled receipts. It is hidden: it is no part of the corpus."""

SHARDS_MAX, BYTES_MAX = 4096, 32 << 20
"""The most shards of a file and, if it has several, bytes. At 256 samples a shard a full file has
14 MB: of 11 million samples there are 11 files, and one is read in a moment."""

_READ_MAX = 2 * BYTES_MAX
"""A longer file is none of ours."""

_NAME = re.compile(r"[0-9]{5}\.jsonl")


@dataclass(frozen=True, slots=True)
class RolledReceipt:
    """What a file says of a shard.

    Attributes:
        receipt: the receipt.
        nbytes: size of the receipt's own file.
        md5: digest of that file's content, hexadecimal, as stores state it in their listings.
        hashes: of the shard's keys, in the order of its index; None where they are not stated.
    """

    receipt: Receipt
    nbytes: int
    md5: str
    hashes: Hashes | None

    @property
    def shard(self) -> str:
        """Name of the shard."""
        name: str = self.receipt["shard"]
        return name


def rolled_path(folder: str, name: str) -> str:
    """Path of a file of rolled receipts, below the corpus."""
    return f"{ROLLED}/{checked_folder(folder)}/{name}"


def rolled_name(number: int) -> str:
    """Name of the file of this number, from 0 on."""
    return f"{number:05d}.jsonl"


def rolled_number(name: str) -> int | None:
    """Number of the file of this name; None where it is no name of such a file."""
    return int(name[:5]) if _NAME.fullmatch(name) else None


def content_md5(data: bytes) -> str:
    """MD5 of a file, hexadecimal, as object stores state it; it guards against no one."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def rolled_line(receipt: Receipt, hashes: Hashes | None) -> bytes:
    """The line of a shard."""
    fields: dict[str, Any] = {"receipt": receipt}
    if hashes is not None:
        fields["keys"] = base64.b64encode(hashes.astype("<u8", copy=False).tobytes()).decode()
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def rolled_files(
    folder: str, lines: Iterable[tuple[str, bytes]]
) -> Iterator[tuple[list[str], bytes]]:
    """The files that hold these lines, in their order: the shards of each, and its content.

    Args:
        folder: of the corpus.
        lines: of shards, by name.
    """
    shards: list[str] = []
    parts = [_beginning(folder)]
    nbytes = 0
    for shard, line in lines:
        if len(shards) == SHARDS_MAX or (shards and nbytes + len(line) > BYTES_MAX):
            yield shards, b"".join(parts)
            shards, parts, nbytes = [], [_beginning(folder)], 0
        shards.append(shard)
        parts.append(line)
        nbytes += len(line)
    if shards:
        yield shards, b"".join(parts)


def bytes_to_read(listed: int, where: str) -> int:
    """How many bytes of a file to read: those that were listed.

    Raises:
        CorpusError: it is longer than any file of rolled receipts.
    """
    if listed > _READ_MAX:
        raise CorpusError(f"{where} has {listed} bytes; such files have {_READ_MAX} at most")
    return listed


def parse_rolled(data: bytes, folder: str, where: str) -> Iterator[RolledReceipt]:
    """What a file says of each of its shards, every field checked.

    Args:
        data: the file.
        folder: of the corpus, whose receipts are expected.
        where: URL of the file, for messages.

    Raises:
        CorpusError: it is no file of rolled receipts of this version, is cut, or a line is wrong.
        LeavesRoot: the name of a shard could lead out of its folder.
    """
    beginning = _beginning(folder)
    if not data.startswith(beginning):
        raise CorpusError(f"{where} does not begin as rolled receipts of {folder} do")
    lines = data[len(beginning) :].split(b"\n")
    if lines.pop():
        raise CorpusError(f"{where} ends within a line")
    if len(lines) > SHARDS_MAX:
        raise CorpusError(f"{where} has {len(lines)} lines; such files have {SHARDS_MAX} at most")
    for number, line in enumerate(lines, 2):
        yield _parse_line(line, folder, f"{where}, line {number}")


def _beginning(folder: str) -> bytes:
    fields = {"folder": folder, "rolled_receipts": 1}
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _parse_line(line: bytes, folder: str, where: str) -> RolledReceipt:
    try:
        fields = loads_bounded(line)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{where} is not JSON: {in_words(why)}") from why
    if not isinstance(fields, dict) or not {"receipt"} <= fields.keys() <= {"receipt", "keys"}:
        raise CorpusError(f"{where} has other fields than receipt and keys")
    receipt = checked_receipt(fields["receipt"], where)
    if receipt["proxy"] != folder:
        raise CorpusError(f"{where} holds a receipt of {receipt['proxy']}")
    data = receipt_bytes(receipt)
    hashes = _hashes(fields["keys"], receipt["samples"], where) if "keys" in fields else None
    return RolledReceipt(receipt, len(data), content_md5(data), hashes)


def _hashes(text: object, samples: int, where: str) -> Hashes:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b"?"
    except (binascii.Error, ValueError):
        data = b"?"
    if len(data) != 8 * samples:
        raise CorpusError(f"{where}: field keys does not hold a hash for each of {samples} samples")
    return np.frombuffer(data, "<u8").astype(np.uint64, copy=False)
