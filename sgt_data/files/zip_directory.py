"""The directory of a zip, read once: where each member lies and how it is packed.

Whoever has an entry of it reads the member by its range of bytes (see `zip_members`), and needs
neither the directory nor an open archive.
"""

from __future__ import annotations

import bisect
import struct
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sgt_data.errors import SourceError
from sgt_data.files.promised_reads import PromisedFile
from sgt_data.files.reading import size_of
from sgt_data.foreign_errors import in_words
from sgt_data.records import FilePart, ZipMember

_LOCAL_HEADER = 30  # bytes, without name and extra field, which have 65,535 at most each
_HEADER_MAX = _LOCAL_HEADER + 2 * 0xFFFF


@dataclass(frozen=True, slots=True)
class ZipDirectory:
    """What a zip holds.

    Attributes:
        nbytes: size of the zip.
        parts: the range of each file by path; several where the zip holds a path more than once.
            Parts of a path are joined by `/`, also where a program of Windows has joined them by
            backslashes. Folders are left out.
    """

    nbytes: int
    parts: Mapping[str, Sequence[FilePart]]


def read_zip_directory(url: str) -> ZipDirectory:
    """Read the directory of a zip.

    Raises:
        zipfile.BadZipFile: it is no zip, or was cut off.
        FileMissing: it does not exist.
        SourceError: it cannot be read at present.
    """
    nbytes = zip_bytes(url)
    try:
        with zipfile.ZipFile(PromisedFile.buffered(url, nbytes)) as archive:
            return ZipDirectory(nbytes, _parts(url, archive.infolist(), archive.start_dir))
    except (NotImplementedError, ValueError, struct.error) as why:
        raise zipfile.BadZipFile(in_words(why)) from why


def _parts(
    url: str, members: Sequence[zipfile.ZipInfo], directory: int
) -> dict[str, list[FilePart]]:
    """The range of each file: up to what comes next, or to where a header and its bytes end at
    most, for a zip may have gaps."""
    parts: dict[str, list[FilePart]] = defaultdict(list)
    starts = sorted({info.header_offset for info in members} | {directory})
    for info in members:
        path = info.filename.replace("\\", "/")
        if path.endswith("/"):
            continue
        start = info.header_offset
        after = bisect.bisect_right(starts, start)
        end = starts[after] if after < len(starts) else start
        length = min(end - start, _HEADER_MAX + info.compress_size)
        member = ZipMember(
            path, info.file_size, info.compress_size, info.CRC, info.compress_type, info.flag_bits
        )
        parts[path].append(FilePart(url, start, length, member))
    return dict(parts)


def zip_bytes(url: str) -> int:
    """Size of a zip.

    Raises:
        FileMissing: it does not exist.
        SourceError: its server cannot be asked, or does not tell.
    """
    nbytes = size_of(url)
    if nbytes is None:
        raise SourceError(f"{url}: its server does not say how long it is; copy it to a disk")
    return nbytes
