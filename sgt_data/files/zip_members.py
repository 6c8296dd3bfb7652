"""A member of a zip from the bytes of its range: local header checked, unpacked, CRC compared.

Formats: APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.4.4 (flags), 4.4.5 (methods) and 5.8
(LZMA).
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping

from sgt_data.errors import InputError
from sgt_data.foreign_errors import in_words
from sgt_data.records import ZipMember
from sgt_data.value_text import cut

MEMBER_BYTES_MAX = 512 << 20
"""A larger member is refused before it is unpacked: no picture or map that can be drawn is as
large (the most pixels of a picture take as much as RGB without compression)."""

_ENCRYPTED, _UTF8 = 1 << 0, 1 << 11
_HEADER = struct.Struct("<4s5H3I2H")
_LZMA_HEADER = struct.Struct("<2HBI")
_DICTIONARY_MIN = 4096  # of LZMA


def member_bytes(member: ZipMember, data: bytes) -> bytes:
    """The bytes of a member.

    Args:
        member: as the directory states it.
        data: its range of the zip; whole, so that what is wrong with it is damage.

    Raises:
        InputError: the member is damaged, encrypted, larger than it may be, or packed by a method
            that is not read.
    """
    if member.size > MEMBER_BYTES_MAX:
        raise InputError(f"it claims {member.size} bytes, above {MEMBER_BYTES_MAX}")
    if member.flags & _ENCRYPTED:
        raise InputError("it is encrypted; write the zip without a password")
    unpack = _METHODS.get(member.method)
    if unpack is None:
        raise InputError(f"it is packed by method {member.method}, which is not read; pack it anew")
    try:
        start = _data_start(member, data)
        unpacked = unpack(data[start : start + member.packed], member.size)
    except (zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError) as why:
        raise InputError(f"its bytes in the archive are damaged ({in_words(why)})") from why
    if len(unpacked) != member.size or zlib.crc32(unpacked) != member.crc:
        raise InputError("its bytes in the archive are damaged (their CRC-32 or number differs)")
    return unpacked


def _data_start(member: ZipMember, data: bytes) -> int:
    """Where the packed bytes begin, behind the local header.

    Raises:
        ValueError: there is no such header, it names another file, or the bytes reach beyond the
            range, into another member.
        struct.error: the range ends before the header.
    """
    signature, _, flags, *_, name_bytes, extra_bytes = _HEADER.unpack_from(data)
    if signature != b"PK\3\4":
        raise ValueError("there is no local header")
    name = data[_HEADER.size : _HEADER.size + name_bytes]
    path = name.decode("utf-8" if flags & _UTF8 else "cp437", "replace").replace("\\", "/")
    if path.split("\0")[0] != member.path:
        raise ValueError(f"the local header names {cut(path, 60)}")
    start: int = _HEADER.size + name_bytes + extra_bytes
    if start + member.packed > len(data):
        raise ValueError("it overlaps what comes after it")
    return start


def _stored(data: bytes, size: int) -> bytes:
    return data


def _inflated(data: bytes, size: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)


def _from_bzip2(data: bytes, size: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, size + 1)


def _from_lzma(data: bytes, size: int) -> bytes:
    _, length, properties, dictionary = _LZMA_HEADER.unpack_from(data)
    if length != 5 or properties >= 9 * 5 * 5:
        raise ValueError("its LZMA properties are wrong")
    rest, literal_context = divmod(properties, 9)
    positions, literal_position = divmod(rest, 5)
    kind = {
        "id": lzma.FILTER_LZMA1, "lc": literal_context, "lp": literal_position, "pb": positions,
        # as large as what it gives at most: the field may claim four gigabytes
        "dict_size": max(_DICTIONARY_MIN, min(dictionary, size)),
    }  # fmt: skip
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[kind])
    return unpacker.decompress(data[_LZMA_HEADER.size :], size + 1)


_METHODS: Mapping[int, Callable[[bytes, int], bytes]] = {
    0: _stored, 8: _inflated, 12: _from_bzip2, 14: _from_lzma,
}  # fmt: skip
