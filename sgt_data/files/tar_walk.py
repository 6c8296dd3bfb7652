"""Walk through a tar of untrusted bytes from front to back; a broken member costs itself alone.

Why it is ours: `tarfile` ends silently at the first bad header, so one bad block would cost the
rest of an 11 GB tar, and nobody would know how much. This walk reports the damage and its extent,
looks for the next good header and goes on; a missing end is reported as well. Member names are
labels, never paths: nothing is unpacked.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sgt_data.files.file_signs import kind_of_file
from sgt_data.files.tar_headers import (
    EXTENDED_BYTES_MAX,
    NAME_TYPES,
    PASSED_OVER,
    WITHOUT_DATA,
    Extended,
    sparse_problem,
)

MEMBER_BYTES_MAX = 512 << 20
"""Largest member that is accepted, in bytes; a picture or its annotation has a few millions."""
_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_MARKER_BLOCKS = 2
_RECORD_BYTES = 20 * _BLOCK  # programs fill the last record of a tar with zeros
_BROKEN = "broken archive: what is there instead of a member is lost"
_NO_MARKER = "the archive ends without its end marker: what followed is lost"


class Readable(Protocol):
    """A file that is read from front to back (`ForwardReader`, `RangeReader`)."""

    position: int

    def read(self, length: int, /) -> bytes:
        """The next bytes, or fewer at the end."""
        ...

    def skip(self, length: int, /) -> int:
        """Move on, at most to the end; returns by how many bytes."""
        ...


@dataclass(frozen=True, slots=True)
class TarMember:
    """A regular file in a tar.

    Attributes:
        name: its name in the archive.
        start: position of its first byte in the tar.
        size: number of its bytes.
    """

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class TarJoint:
    """A place where one tar ends and another begins, as `cat a.tar b.tar` writes them.

    Attributes:
        position: byte of the file at which the zeros of the first one's end begin.
    """

    position: int


@dataclass(frozen=True, slots=True)
class TarDamage:
    """A place where a tar is broken.

    Attributes:
        position: byte of the tar.
        reason: what is wrong.
        member: name of the member that is lost; None where it is not known.
        length: so many bytes cannot be read, and nobody knows which members were in them; 0 where
            `member` alone is lost, or nothing; None where the tar ends early (or is no tar), so
            that nobody knows how much is missing.
    """

    position: int
    reason: str
    member: str | None = None
    length: int | None = 0


def walk_tar(reader: Readable) -> Iterator[TarMember | TarJoint | TarDamage]:
    """The members of a tar, its damages, and where another tar was joined to it, in order.

    The bytes of the member that was yielded last may be read from `reader`; what is left unread is
    skipped. A member that the end of the file cuts off is yielded too (its bytes are incomplete),
    and its damage follows.

    Raises:
        SourceError: the file cannot be read, after several attempts.
    """
    extended = Extended()
    between = _Between(reader.position)
    while True:
        at = reader.position
        block = reader.read(_BLOCK)
        if len(block) < _BLOCK:
            yield from between.at_end(at, block)
            return
        header = None if block == _ZEROS else _header(block)
        if header is None:
            between.add(at, block)
            extended = Extended()
            continue
        yield from between.at_member(at)
        start, size, name = reader.position, header.size, None
        if header.type in NAME_TYPES:
            blocks = -(-min(size, EXTENDED_BYTES_MAX) // _BLOCK)
            extended.add(header, reader.read(blocks * _BLOCK))
        elif header.type not in PASSED_OVER:
            if header.isreg():
                name = _printable(extended.name or header.name)
                size = header.size if extended.size is None else extended.size
                if problem := extended.problem or sparse_problem(header):
                    yield TarDamage(start, problem, name)
                elif size > MEMBER_BYTES_MAX:
                    yield TarDamage(start, f"claims {size} bytes, above {MEMBER_BYTES_MAX}", name)
                else:
                    yield TarMember(name, start, size)
            extended = Extended()
        if header.type in WITHOUT_DATA:
            continue
        reader.skip(start + -(-size // _BLOCK) * _BLOCK - reader.position)
        if reader.position < start + size:
            short = start + size - reader.position
            yield TarDamage(
                start, f"cut off: the archive ends {short} bytes before it does", name, None
            )
            return


@dataclass(slots=True)
class _Between:
    """The blocks between two members: none, an end marker (zeros), or what cannot be read.

    Attributes:
        begin: the byte at which the present archive begins; another may follow its end marker.
        zeros: blocks of zeros that were read last.
        broken_from: the first byte that cannot be read; None where nothing is broken.
        after_marker: whether an end marker came before what cannot be read.
        members: whether there was a member.
        first: the first block that cannot be read.
    """

    begin: int
    zeros: int = 0
    broken_from: int | None = None
    after_marker: bool = False
    members: bool = False
    first: bytes = b""

    def add(self, at: int, block: bytes) -> None:
        """Note a block that begins no member."""
        if block == _ZEROS:
            self.zeros += 1
            return
        if self.broken_from is None:
            self.broken_from = at - self.zeros * _BLOCK
            self.after_marker = self.zeros > 0
            self.first = block
        self.zeros = 0

    def at_member(self, at: int) -> Iterator[TarJoint | TarDamage]:
        """What was broken before a member that begins at byte `at`."""
        if self.broken_from is not None:
            yield TarDamage(self.broken_from, _BROKEN, length=at - self.broken_from)
        elif self.zeros:
            since = at - self.zeros * _BLOCK
            marker = self.zeros == _MARKER_BLOCKS or (at - self.begin) % _RECORD_BYTES == 0
            whole = marker and self.zeros <= _MARKER_BLOCKS + _RECORD_BYTES // _BLOCK
            yield TarJoint(since) if whole else TarDamage(since, _BROKEN, length=at - since)
            self.begin = at
        self.zeros, self.broken_from, self.members = 0, None, True

    def at_end(self, at: int, rest: bytes) -> Iterator[TarDamage]:
        """What was broken before the end of the file; `rest` is less than a block."""
        if self.broken_from is None:
            if not self.zeros:
                yield TarDamage(at, self._unfinished(at, rest), length=None)
            return
        if not self.members:
            yield TarDamage(0, f"it is no tar{_other_format(self.first)}", length=None)
        elif self.zeros or self.after_marker:
            end = at - self.zeros * _BLOCK
            yield TarDamage(self.broken_from, _BROKEN, length=end - self.broken_from)
        else:
            yield TarDamage(self.broken_from, f"{_BROKEN}; {_NO_MARKER}", length=None)

    def _unfinished(self, at: int, rest: bytes) -> str:
        """What is wrong with a file without an end marker, of less than a block or of members."""
        if self.members or at != self.begin:
            return _NO_MARKER
        other = _other_format(rest)
        return f"it is no tar{other}" if other else _NO_MARKER if rest else "the file is empty"


def _other_format(block: bytes) -> str:
    """What a file is that begins with this block, where that can be told."""
    what = kind_of_file(block)
    return f": it is {what}" if what else ""


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8").removeprefix("./")
