"""Walk through a tar of untrusted bytes from front to back; a broken member costs itself alone.

Why it is ours: `tarfile` ends silently at the first bad header, so one bad block would cost the
rest of an 11 GB tar, and nobody would know how much. This walk reports the damage, looks for the
next good header and goes on; a missing end is reported as well. Member names are labels, never
paths: nothing is unpacked.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from sgt_data.files.forward_reader import ForwardReader

MEMBER_BYTES_MAX = 512 << 20
"""Largest member that is accepted, in bytes."""
_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_NAME_BYTES_MAX = 1 << 16
_NAME_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_PAX_PATH = re.compile(rb"(?:^|\n)\d+ path=([^\n]*)\n")


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
class TarDamage:
    """A place where a tar is broken.

    Attributes:
        position: byte of the tar.
        reason: what is wrong.
        member: name of the member that is lost; None where it is not known.
    """

    position: int
    reason: str
    member: str | None = None


def walk_tar(reader: ForwardReader) -> Iterator[TarMember | TarDamage]:
    """The members of a tar and its damages, in order.

    The bytes of the member that was yielded last may be read from `reader`; what is left unread is
    skipped. A member that the end of the file cuts off is yielded too (its bytes are incomplete),
    and its damage follows.

    Raises:
        SourceError: the file cannot be read, after several attempts.
    """
    long_name: str | None = None
    zeros, lost = 0, False
    while True:
        at = reader.position
        block = reader.read(_BLOCK)
        if len(block) < _BLOCK:
            if not zeros and not lost:
                yield TarDamage(
                    at, "the archive ends without its end marker: what followed is lost"
                )
            return
        if block == _ZEROS:
            zeros += 1
            continue
        header = _header(block)
        if not lost and (zeros or header is None):
            yield TarDamage(at, "broken archive: what is there instead of a member is lost")
        zeros, lost = 0, header is None
        if header is None:
            long_name = None
            continue
        start = reader.position
        if header.type in _NAME_TYPES:
            body = reader.read(min(header.size, _NAME_BYTES_MAX))
            long_name = _long_name(header.type, body) or long_name
            name = None
        else:
            name = _printable(long_name or header.name) if header.isreg() else None
            long_name = None
        if name is not None and header.size > MEMBER_BYTES_MAX:
            yield TarDamage(start, f"claims {header.size} bytes, above {MEMBER_BYTES_MAX}", name)
        elif name is not None:
            yield TarMember(name, start, header.size)
        reader.skip(start + -(-header.size // _BLOCK) * _BLOCK - reader.position)
        if reader.position < start + header.size:
            short = start + header.size - reader.position
            yield TarDamage(start, f"cut off: the archive ends {short} bytes before it does", name)
            return


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def _long_name(kind: bytes, body: bytes) -> str | None:
    """The name of the next member, from a member that holds nothing else."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return body.rstrip(b"\0").decode("utf-8", "surrogateescape")
    paths = _PAX_PATH.findall(body)
    return paths[-1].decode("utf-8", "surrogateescape") if paths else None


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8").removeprefix("./")
