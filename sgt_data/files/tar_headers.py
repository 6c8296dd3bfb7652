"""What headers of a tar say of the member after them: GNU long names and pax records.

Readers differ in what they make of headers that contradict each other, or that a member is stored
in parts (sparse). A member of which two readers would see two names, places or contents is refused.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass

EXTENDED_BYTES_MAX = 1 << 16
"""Longest long name or pax header that is read, in bytes. Paths of file systems have 4,096; the
header's own size may claim gigabytes."""

NAME_TYPES = (
    tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
PASSED_OVER = (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)
"""Headers that say nothing that is needed of the member after them, as others may before them: a
long target of a link, and what holds for all members (`git archive` writes its commit there)."""
WITHOUT_DATA = (
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
)  # fmt: skip
"""Types whose header no data follow, whatever size it states (POSIX, pax, typeflag)."""

_SPARSE = "it is a sparse file, whose parts are not put together; tar it without --sparse"
_DIGITS_MAX = 20


@dataclass(slots=True)
class Extended:
    """What the headers before a member say of it.

    Attributes:
        name: its name; None where its own header has it.
        size: its bytes; None where its own header has them.
        problem: why the member cannot be read; None where it can.
    """

    name: str | None = None
    size: int | None = None
    problem: str | None = None

    def add(self, header: tarfile.TarInfo, body: bytes) -> None:
        """Take in another header.

        Args:
            header: of one of `NAME_TYPES`.
            body: its data and what fills their last block: some readers go by the size that the
                header states, and others by a zero byte.
        """
        if header.size > EXTENDED_BYTES_MAX:
            self.problem = (
                f"its name or extended header has {header.size} bytes; at most "
                f"{EXTENDED_BYTES_MAX} are read"
            )
        elif header.type == tarfile.GNUTYPE_LONGNAME:
            name = body.partition(b"\0")[0]
            self._take_name(name)
            if len(name) > header.size:
                self.problem = "its name is longer than its header states"
        else:
            self._take_records(body, header.size)

    def _take_name(self, name: bytes) -> None:
        text = name.decode("utf-8", "surrogateescape")
        if not text:
            self.problem = "its headers give it an empty name"
        elif self.name not in (None, text):
            self.problem = "its headers give two names"
        self.name = text

    def _take_records(self, body: bytes, size: int) -> None:
        records = _records(body, size)
        if records is None:
            self.problem = "its extended header is damaged"
            return
        for keyword, value in records:
            if keyword == b"path":
                self._take_name(value)
            elif keyword == b"size":
                self._take_size(value)
            elif keyword.startswith(b"GNU.sparse."):
                self.problem = _SPARSE

    def _take_size(self, value: bytes) -> None:
        if not value.isdigit() or len(value) > _DIGITS_MAX:
            self.problem = "its extended header states a size that is no number"
        elif self.size not in (None, int(value)):
            self.problem = "its headers give two sizes"
        else:
            self.size = int(value)


def sparse_problem(header: tarfile.TarInfo) -> str | None:
    """Why a member of GNU's old sparse type is not read; None for other types."""
    return _SPARSE if header.type == tarfile.GNUTYPE_SPARSE else None


def _records(body: bytes, size: int) -> list[tuple[bytes, bytes]] | None:
    """Keywords and values of pax records, `LENGTH KEYWORD=VALUE` and a line break each; None where
    they are damaged. A value may hold line breaks, so lengths count and lines do not."""
    records, at = [], 0
    while at < len(body) and body[at]:
        digits, space, _ = body[at : at + _DIGITS_MAX].partition(b" ")
        if not space or not digits.isdigit():
            return None
        end = at + int(digits)
        keyword, equals, value = body[at + len(digits) + 1 : end].partition(b"=")
        if not equals or not keyword or not value.endswith(b"\n") or end > size:
            return None
        records.append((keyword, value[:-1]))
        at = end
    return records
