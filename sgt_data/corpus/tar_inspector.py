"""Check a tar while its bytes pass by: its digest, and its members against their index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from isal.isal_zlib import crc32

from sgt_data.corpus.shard import BLOCK, member_names
from sgt_data.errors import CorpusError

_NAME_BYTES = 100
"""Bytes of a member's name in its tar header; a longer name stands in a header of its own."""
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)
"""Octal, in a tar header. The checksum adds up its bytes, and counts itself as spaces."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a tar, as the index states it.

    Attributes:
        key: of its sample.
        part: `input`, `target`, `instruction` or `facts`.
        name: in the tar.
        offset, size: of its bytes in the tar.
        crc32: of its bytes.
    """

    key: str
    part: str
    name: bytes
    offset: int
    size: int
    crc32: int


def members_of(rows: Iterable[Mapping[str, Any]]) -> list[Member]:
    """All members of a tar, in its order.

    Args:
        rows: of its index.
    """
    return [
        Member(
            row["key"], part, name.encode(),
            row[f"{part}_offset"], row[f"{part}_size"], row[f"{part}_crc32"],
        )
        for row in rows
        for part, name in member_names(row).items()
    ]  # fmt: skip


class TarInspector:
    """Takes a tar's bytes in order, in pieces of whole blocks."""

    def __init__(self, members: Iterable[Member], url: str) -> None:
        """
        Args:
            members: to compare, in the order of the tar.
            url: where the bytes come from, for messages.
        """
        self._url = url
        self._members = iter(members)
        self._expected = next(self._members, None)
        self._crc32 = 0
        self._sha256 = hashlib.sha256()
        self.nbytes = 0

    def look(self, piece: bytes | memoryview) -> None:
        """Take the next piece.

        Raises:
            CorpusError: a member is not what the index says; names key and member.
        """
        self._sha256.update(piece)
        start, end = self.nbytes, self.nbytes + len(piece)
        while (member := self._expected) is not None:
            header = member.offset - BLOCK - start
            if 0 <= header < len(piece):
                self._look_at_header(member, bytes(piece[header : header + BLOCK]))
            if member.offset >= end:
                break
            after = member.offset + member.size
            part = piece[max(member.offset - start, 0) : after - start]
            self._crc32 = crc32(part, self._crc32)
            if after > end:
                break
            if self._crc32 != member.crc32:
                raise self._wrong(member, "has another CRC-32 than the index says")
            self._crc32, self._expected = 0, next(self._members, None)
        self.nbytes = end

    def _look_at_header(self, member: Member, header: bytes) -> None:
        name = header[:_NAME_BYTES].rstrip(b"\0")
        if len(member.name) <= _NAME_BYTES and name != member.name:
            raise self._wrong(member, "is not where the index says")
        stated = header[_CHECKSUM].rstrip(b"\0 ")
        counted = sum(header) - sum(header[_CHECKSUM]) + sum(b" " * len(header[_CHECKSUM]))
        if stated != b"%06o" % counted or header[_SIZE] != b"%011o\0" % member.size:
            raise self._wrong(member, "has a damaged tar header")

    def digest(self) -> dict[str, Any]:
        """Size and SHA-256, as receipts state them.

        Raises:
            CorpusError: a member has not come.
        """
        if self._expected is not None:
            raise self._wrong(self._expected, "is missing")
        return {"bytes": self.nbytes, "sha256": self._sha256.hexdigest()}

    def _wrong(self, member: Member, what: str) -> CorpusError:
        return CorpusError(f"{self._url}: {member.part} of sample {member.key} {what}")
