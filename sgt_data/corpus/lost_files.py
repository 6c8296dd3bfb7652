"""Files of committed shards that are missing by now, or of another size than their receipts state.

Disks fill up, copies stop half-way, people tidy up: then a receipt vouches for what is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.paths import index_path, quarantine_path, tar_path
from sgt_data.corpus.receipt import Receipt
from sgt_data.corpus.revoking import revoke_shards
from sgt_data.errors import FileMissing
from sgt_data.files.reading import forget_listings, list_files, size_of
from sgt_data.files.urls import is_local, join
from sgt_data.names import INDEX, QUARANTINE

_THREADS = 16
_NAMED = 8
"""So many lost files are named; of more, their number."""

_PATHS = {"tar": tar_path, "index": index_path, "quarantine": quarantine_path}
"""By field of a receipt: where the file lies of which it states size and digest."""

Receipts = Mapping[str, Mapping[str, Receipt]]
"""By folder of the corpus and shard."""

Lost = dict[tuple[str, str], list[str]]
"""By folder and shard: what is wrong with its files, each with its path."""


def lost_files(root: str, receipts: Receipts) -> Lost:
    """The committed shards whose files are not there as their receipts state them.

    Three listings for each folder of the corpus tell it, whatever the number of shards; no file is
    read. A store is asked again for what its listings do not show.

    Args:
        root: of the corpus.
        receipts: what is committed.

    Raises:
        SourceError: a folder cannot be listed at present.
    """
    sizes = _sizes(root, [folder for folder, by_shard in receipts.items() if by_shard])
    lost = _lost(receipts, sizes)
    if lost and not is_local(root):  # a store may list late: it is asked for each file by its name
        doubtful: dict[str, dict[str, Receipt]] = {folder: {} for folder, _ in lost}
        for folder, shard in lost:
            doubtful[folder][shard] = receipts[folder][shard]
        lost = _lost(doubtful, _sizes_by_name(root, doubtful))
    return lost


def revoke_lost(
    root: str, header: CorpusHeader, receipts: Mapping[str, dict[str, Receipt]]
) -> Lost:
    """Take the shards out of a corpus that lost files, so that the work makes them again.

    Args:
        root: of the corpus.
        header: of the corpus, as one that is not complete.
        receipts: what is committed; changed.

    Raises:
        SourceError, StorageError: the corpus cannot be listed, or written.
    """
    lost = lost_files(root, receipts)
    revoke_shards(root, header, receipts, lost)
    return lost


def lost_notes(lost: Mapping[Any, list[str]], verb: str) -> list[str]:
    """A remark on shards that are made again; none where there are none.

    Args:
        lost: what is wrong with their files.
        verb: how they are made again, such as `built`.
    """
    problems = [problem for of_shard in lost.values() for problem in of_shard]
    if not problems:
        return []
    more = f"; and {len(problems) - _NAMED:,} more" if len(problems) > _NAMED else ""
    subject = "1 committed shard is" if len(lost) == 1 else f"{len(lost):,} committed shards are"
    return [f"{subject} {verb} again, of whose files: {'; '.join(problems[:_NAMED])}{more}"]


def size_problems(
    paths: Mapping[str, str], sizes: Mapping[str, int], receipt: Mapping[str, Any]
) -> list[str]:
    """What is wrong with the sizes of files, each with its path.

    Args:
        paths: of the files, by the field of the receipt that states them.
        sizes: in bytes, of the files that there are, by path.
        receipt: what states their sizes.
    """
    problems = (_problem(path, sizes.get(path), receipt[part]) for part, path in paths.items())
    return [problem for problem in problems if problem]


def _sizes(root: str, folders: list[str]) -> dict[str, int]:
    """Sizes of all files of shards, by path."""
    places = [
        place
        for folder in folders
        for place in (folder, f"{INDEX}/{folder}", f"{QUARANTINE}/{folder}")
    ]
    with ThreadPoolExecutor(_THREADS) as threads:
        listings = threads.map(lambda place: list_files(join(root, place)), places)
        return {
            f"{place}/{name}": size
            for place, listing in zip(places, listings, strict=True)
            for name, size in listing.items()
        }


def _sizes_by_name(root: str, receipts: Receipts) -> dict[str, int]:
    """Sizes of the files that there are of these shards, by path."""
    paths = [
        path_of(folder, shard)
        for folder, by_shard in receipts.items()
        for shard, receipt in by_shard.items()
        for part, path_of in _PATHS.items()
        if receipt[part]
    ]
    forget_listings(root)
    with ThreadPoolExecutor(_THREADS) as threads:
        sizes = list(threads.map(lambda path: _size(join(root, path)), paths))
    return {path: size for path, size in zip(paths, sizes, strict=True) if size is not None}


def _size(url: str) -> int | None:
    """Size of a file in bytes; None where it does not exist."""
    try:
        return size_of(url)
    except FileMissing:
        return None


def _lost(receipts: Receipts, sizes: Mapping[str, int]) -> Lost:
    return {
        (folder, shard): problems
        for folder, by_shard in receipts.items()
        for shard, receipt in by_shard.items()
        if (problems := _problems(folder, shard, receipt, sizes))
    }


def _problems(folder: str, shard: str, receipt: Receipt, sizes: Mapping[str, int]) -> list[str]:
    paths = {part: path_of(folder, shard) for part, path_of in _PATHS.items() if receipt[part]}
    return size_problems(paths, sizes, receipt)


def _problem(path: str, size: int | None, stated: Any) -> str | None:
    """What is wrong with the size of a file; None where it is right."""
    nbytes = stated.get("bytes")
    if size is None:
        return f"{path} is missing"
    return None if size == nbytes else f"{path} has {size} bytes, its receipt says {nbytes}"
