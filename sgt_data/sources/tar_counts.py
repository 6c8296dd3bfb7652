"""How many pictures tars hold: counted where that is cheap, else estimated; from headers alone.

Of a local tar 4 KiB are read for each member. Of a remote one a piece of 64 KiB is fetched for each
header that the last piece did not hold.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.range_reader import RangeReader
from sgt_data.files.tar_walk import TarJoint, TarMember, walk_tar
from sgt_data.files.urls import is_local
from sgt_data.sources.tar_cut import RoleOf

_COUNTED_EXACTLY = 16
"""So many local tars are counted; the headers of more take too long."""

_PROBED_TARS, _PROBED_MEMBERS = 8, 32
"""Else the first members of so many tars, evenly spread, tell how large a picture is."""

_THREADS = 16


@dataclass(frozen=True, slots=True)
class TarCounts:
    """The pictures of tars.

    Attributes:
        pictures: of each tar.
        exact: whether they are counted; False where they are estimated.
        joints: by the URL of a tar that was looked at: how many other tars follow it in its file.
    """

    pictures: tuple[int, ...]
    exact: bool
    joints: Mapping[str, int]


def count_pictures(urls: Sequence[str], sizes: Sequence[int | None], role_of: RoleOf) -> TarCounts:
    """Count the pictures of tars, or estimate them; several tars are looked at at the same time.

    Args:
        urls: of the tars.
        sizes: of the tars in bytes; None where the server does not tell.
        role_of: which members belong to the source.

    Raises:
        SourceError: a tar cannot be read.
    """
    exact = len(urls) <= _COUNTED_EXACTLY and all(map(is_local, urls))
    probed = range(0, len(urls), 1 if exact else max(1, -(-len(urls) // _PROBED_TARS)))
    members = None if exact else _PROBED_MEMBERS
    with ThreadPoolExecutor(_THREADS) as threads:
        counts = list(threads.map(lambda at: _count(urls[at], sizes[at], role_of, members), probed))
    joints = {urls[at]: count.joints for at, count in zip(probed, counts, strict=True)}
    if exact:
        return TarCounts(tuple(count.pictures for count in counts), exact, joints)
    nbytes = sum(count.nbytes for count in counts)
    share = sum(count.pictures for count in counts) / max(1, nbytes)
    return TarCounts(tuple(round((size or 0) * share) for size in sizes), exact, joints)


def notes_on_joints(joints: Mapping[str, int]) -> tuple[str, ...]:
    """Remarks on files that hold several tars one after the other.

    Args:
        joints: how many other tars follow the first one, by URL.
    """
    return tuple(
        f"{posixpath.basename(url)} holds {others + 1} tars one after the other; all of them are "
        "read"
        for url, others in joints.items()
        if others
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """What the headers of a tar say: its stems, other tars after it, and the bytes read."""

    pictures: int
    joints: int
    nbytes: int


def _count(url: str, size: int | None, role_of: RoleOf, members: int | None) -> _Count:
    """Count what is among the first `members` members (None: all)."""
    by_range = size is not None and not is_local(url)
    reader = RangeReader(url, size or 0) if by_range else ForwardReader(url)
    stems = set()
    joints = 0
    try:
        for number, item in enumerate(walk_tar(reader)):
            if number == members:
                break
            if isinstance(item, TarMember) and (stem_and_role := role_of(item.name)):
                stems.add(stem_and_role[0])
            joints += isinstance(item, TarJoint)
        return _Count(len(stems), joints, reader.position)
    finally:
        reader.close()
