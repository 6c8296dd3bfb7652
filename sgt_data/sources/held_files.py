"""The files of a shard: which are read at once, and which only when their input is drawn.

A shard travels with the bytes of its files. Its first ones are read together, neighbours of an
archive in one request; what would take more memory than a shard may is left for later. So neither a
shard of large files nor an archive that unpacks to a thousand times its size fills the memory.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from sgt_data.errors import FileMissing, InputError
from sgt_data.files.promised_reads import read_listed, read_promised
from sgt_data.files.reading import read_range
from sgt_data.files.urls import is_http_url
from sgt_data.files.zip_members import MEMBER_BYTES_MAX, member_bytes
from sgt_data.records import FilePart

FILE_BYTES_MAX = MEMBER_BYTES_MAX

HELD_BYTES_MAX = 1 << 30
"""Most bytes of files that a shard holds. A node draws as many shards as it has cores, and Ray
keeps each of them once more: with 4 GB a core there is room for it."""

Held = bytes | FilePart | InputError | FileMissing
"""What came of a file: its bytes; its place, from which it is fetched later; what is wrong with
it; or that it is not there."""

_THREADS = 8
_GAP_BYTES_MAX = 64 << 10
"""Members are fetched together across such gaps: asking once more takes as long."""
_RANGE_BYTES_MAX = 8 << 20
"""Bytes of members that are fetched together: a request has a minute."""


def hold(parts: Sequence[FilePart]) -> list[Held]:
    """Read files, in their order, as far as a shard may hold them.

    Args:
        parts: whole files and members of zips. The length of a whole file may be 0, where nobody
            knows it.

    Raises:
        SourceError: a file cannot be read at present, or is not as it was listed.
    """
    held: list[Held] = list(parts)
    left = HELD_BYTES_MAX
    numbers: list[int] = []
    for number, part in enumerate(parts):
        left -= part.size if part.size <= FILE_BYTES_MAX else 0  # a larger one is not read
        if left >= 0:
            numbers.append(number)
    ranges = _ranges(parts, numbers)
    known = HELD_BYTES_MAX - max(0, left)
    # no more at once than there are threads, where nobody knows how large they are
    unknown = any(not parts[number].size for number in numbers)
    at_once = _THREADS if unknown else max(1, len(numbers))
    with ThreadPoolExecutor(_THREADS) as threads:
        while some := list(islice(ranges, at_once)):
            for together, results in zip(
                some, threads.map(lambda numbers: _read(parts, numbers), some), strict=True
            ):
                for number, result in zip(together, results, strict=True):
                    if isinstance(result, bytes) and not parts[number].size:
                        known += len(result)
                    held[number] = result if known <= HELD_BYTES_MAX else parts[number]
    return held


def read_part(part: FilePart) -> bytes:
    """The bytes of a file, or of a part of it. The length may be 0, where nobody knows it.

    Raises:
        InputError: it is larger than any picture, or a damaged member of a zip.
        SourceError: it cannot be read at present, or is shorter than it was when it was listed.
    """
    _check_size(part, part.size)
    if part.length:
        return _content(part, read_promised(part.url, part.start, part.length))
    if part.start:  # an empty member of a tar; a file of unknown length begins at 0
        return b""
    if not is_http_url(part.url):  # all but web servers tell sizes: it is empty
        return read_listed(part.url, 0)
    data = read_range(part.url, part.start, FILE_BYTES_MAX + 1)
    _check_size(part, len(data))
    return data


def _ranges(parts: Sequence[FilePart], numbers: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of files that are read together: members that lie side by side."""
    together: list[int] = []
    for number in sorted(numbers, key=lambda number: (parts[number].url, parts[number].start)):
        if together and not _are_neighbours(parts, together, number):
            yield together
            together = []
        together.append(number)
    if together:
        yield together


def _are_neighbours(parts: Sequence[FilePart], together: Sequence[int], number: int) -> bool:
    first, last, next_part = parts[together[0]], parts[together[-1]], parts[number]
    return (
        next_part.member is not None
        and next_part.url == last.url
        and next_part.start - (last.start + last.length) <= _GAP_BYTES_MAX
        and next_part.start + next_part.length - first.start <= _RANGE_BYTES_MAX
    )


def _read(parts: Sequence[FilePart], numbers: Sequence[int]) -> list[Held]:
    if len(numbers) == 1:
        return [_outcome(parts[numbers[0]])]
    first = parts[numbers[0]]
    end = max(parts[number].start + parts[number].length for number in numbers)
    data = memoryview(read_promised(first.url, first.start, end - first.start))
    results: list[Held] = []
    for number in numbers:
        part = parts[number]
        begin = part.start - first.start
        try:
            results.append(_content(part, bytes(data[begin : begin + part.length])))
        except InputError as why:
            results.append(why)
    return results


def _outcome(part: FilePart) -> Held:
    try:
        if part.member is not None or not part.length:
            return read_part(part)
        _check_size(part, part.length)
        return read_listed(part.url, part.length)
    except (InputError, FileMissing) as why:
        return why


def _check_size(part: FilePart, size: int) -> None:
    if size > FILE_BYTES_MAX:
        name = part.url.split("?", 1)[0] if part.member is None else part.member.path
        raise InputError(
            f"{posixpath.basename(name)} has {size} bytes or more; a picture has {FILE_BYTES_MAX} "
            "at most"
        )


def _content(part: FilePart, data: bytes) -> bytes:
    if part.member is None:
        return data
    try:
        return member_bytes(part.member, data)
    except InputError as why:
        archive = posixpath.basename(part.url.split("?", 1)[0])
        raise InputError(f"{part.member.path} in {archive}: {why}") from why
