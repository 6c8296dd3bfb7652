"""Walk a tar of untrusted bytes from front to back, and lose no more than is broken.

`tarfile` ends silently at the first bad header in mid-archive. Here a bad header costs its member:
the walk looks for the next good header and goes on, and says what it passed over. A missing end is
said as well. Member names are labels, never paths: nothing is unpacked.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from sgt_data.files.forward_reader import ForwardReader

MEMBER_BYTES_MAX = 512 << 20
_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_NAME_BYTES_MAX = 1 << 16
_NAME_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_PAX_PATH = re.compile(rb"(?:^|\n)\d+ path=([^\n]*)\n")


@dataclass(frozen=True, slots=True)
class TarMember:
    """A regular file in a tar: its name, and where its bytes lie."""

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class TarDamage:
    """A place where a tar is broken, and the member that it costs where that has a name."""

    position: int
    reason: str
    member: str | None = None


def walk_tar(reader: ForwardReader) -> Iterator[TarMember | TarDamage]:
    """Members in order. While a member is the current one its bytes may be read from `reader`;
    what is left unread is skipped. A member that the file's end cuts off is yielded all the same
    (its bytes read short) and followed by its damage."""
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
    if kind == tarfile.GNUTYPE_LONGNAME:
        return body.rstrip(b"\0").decode("utf-8", "surrogateescape")
    found = _PAX_PATH.findall(body)
    return found[-1].decode("utf-8", "surrogateescape") if found else None


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8").removeprefix("./")
