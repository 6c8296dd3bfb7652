"""All receipts of a corpus: found by one listing, read on threads or taken from rolled receipts.

On an object store a line of rolled receipts is taken where the MD5 that the listing states is that
of the receipt in the line; every other receipt is read. On a disk all receipts are read. The hashes
of a shard's keys are taken from a line whose receipt is, byte for byte, the one that is committed:
it states the SHA-256 of the index which they were read from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sgt_data.corpus.key_hashes import Hashes, KeyHashes
from sgt_data.corpus.paths import receipt_path
from sgt_data.corpus.receipt import RECEIPT_BYTES_MAX, Receipt, receipt_of
from sgt_data.corpus.rolled_receipts import (
    ROLLED,
    bytes_to_read,
    content_md5,
    parse_rolled,
    rolled_number,
    rolled_path,
)
from sgt_data.errors import SgtDataError
from sgt_data.files.listed_files import ListedFile, list_with_digests
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.reading import list_files, read_bytes, read_range
from sgt_data.files.urls import below, is_http_url, join
from sgt_data.names import RECEIPTS

_BATCH_LOCAL = 64
"""Receipts of a disk that a thread reads in one turn: one takes less time than a turn does."""

_LOCAL_THREADS = 8
"""Disks of networks and turning ones answer several requests sooner than one after the other."""

_TOLD_EVERY = 1000

_RECEIPT_END = b"\n}"
"""The last bytes of every receipt, and of no part of one."""

Announce = Callable[[str, str], None]
"""Called with what is being done, and with how far it is."""


@dataclass(frozen=True, slots=True)
class RolledFile:
    """A file of rolled receipts that was read.

    Attributes:
        sha256: of its content.
        shards: that it holds, in its order.
    """

    sha256: str
    shards: tuple[str, ...]


@dataclass(slots=True)
class Committed:
    """What is committed of a corpus.

    Attributes:
        receipts: by folder of the corpus and shard.
        hashes: of the keys of shards, as far as rolled receipts prove them.
        rolled: the files of rolled receipts, by folder and name; a file that is damaged, or of
            something else, has no shards.
        outdated: lines of them that are not the content of a receipt: path of the file, and shard.
        notes: remarks on damaged files, for a person.
    """

    receipts: dict[str, dict[str, Receipt]]
    hashes: KeyHashes = field(default_factory=KeyHashes)
    rolled: dict[str, dict[str, RolledFile]] = field(default_factory=dict)
    outdated: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is kept of a line until the receipt is read: its MD5, and the hashes of keys."""

    md5: str
    hashes: Hashes | None


ListedReceipts = Mapping[str, Mapping[str, ListedFile]]
"""The receipts of a corpus as a listing shows them, by folder and shard."""


def list_receipts(root: str) -> ListedReceipts:
    """The receipts of a corpus, unread, by folder and shard; empty where there is no corpus.

    Raises:
        SourceError: they cannot be listed, after several attempts.
    """
    listed: dict[str, dict[str, ListedFile]] = {}
    for name, file in list_with_digests(join(root, RECEIPTS)).items():
        folder, _, shard = name.removesuffix(".json").partition("/")
        # file systems put files of their own (`._x.json`) beside receipts
        if name.endswith(".json") and shard and not is_system_file(name):
            listed.setdefault(folder, {})[shard] = file
    return listed


def committed_shards(
    root: str,
    folders: Iterable[str],
    listed: ListedReceipts,
    announce: Announce = lambda _, __: None,
) -> Committed:
    """Read all receipts of these folders, and what rolled receipts prove beside them.

    Args:
        root: of the corpus.
        folders: of the corpus.
        listed: its receipts.
        announce: called with how far it is.

    Raises:
        CorpusError: a receipt is damaged.
        SourceError: one cannot be read just now.
    """
    committed = Committed({folder: {} for folder in folders})
    committed.rolled = {folder: {} for folder in committed.receipts}
    wanted = {folder: listed.get(folder, {}) for folder in committed.receipts}
    total, done = sum(map(len, wanted.values())), 0
    # a web server proves no line, and nobody builds there
    use_rolled = total and not is_http_url(root)
    rolled_sizes = list_files(join(root, ROLLED)) if use_rolled else {}
    for folder, files in wanted.items():
        unproven = _read_rolled(root, folder, files, rolled_sizes, committed)
        done += len(committed.receipts[folder])
        announce("reading receipts", f"{done:,} of {total:,}")
        unread = [shard for shard in files if shard not in committed.receipts[folder]]
        for shard, data in _read_files(root, folder, {each: files[each] for each in unread}):
            place = join(root, receipt_path(folder, shard))
            committed.receipts[folder][shard] = receipt_of(folder, shard, data, place)
            for path, entry in unproven.get(shard, ()):
                if entry.md5 != content_md5(data):
                    committed.outdated.append((path, shard))
                elif entry.hashes is not None:
                    committed.hashes.add(folder, shard, entry.hashes)
            done += 1
            if done % _TOLD_EVERY == 0:
                announce("reading receipts", f"{done:,} of {total:,}")
        in_order = committed.receipts[folder]
        committed.receipts[folder] = {shard: in_order[shard] for shard in files}
    return committed


def _read_rolled(
    root: str,
    folder: str,
    listed: Mapping[str, ListedFile],
    sizes: Mapping[str, int],
    committed: Committed,
) -> dict[str, list[tuple[str, _Line]]]:
    """Read the rolled receipts of a folder, and take those that the listing proves.

    Returns:
        By shard: the lines that it cannot prove, each with the path of its file.
    """
    paths = [path for path in sizes if path.startswith(f"{folder}/")]
    names = [name for path in paths if rolled_number(name := path.partition("/")[2]) is not None]
    unproven: dict[str, list[tuple[str, _Line]]] = {}

    def read(name: str) -> bytes | SgtDataError:
        try:
            place = below(root, rolled_path(folder, name))
            return read_range(place, 0, bytes_to_read(sizes[f"{folder}/{name}"], place))
        except SgtDataError as why:
            return why

    for name, data in zip(names, read_ahead(read, names, 1), strict=True):
        path = rolled_path(folder, name)
        try:
            if isinstance(data, SgtDataError):
                raise data
            entries = list(parse_rolled(data, folder, join(root, path)))
        except SgtDataError as why:
            committed.notes.append(f"{why}. It is left aside, and receipts are read instead")
            committed.rolled[folder][name] = RolledFile("", ())
            continue
        shards = tuple(entry.shard for entry in entries)
        digest = hashlib.sha256(data).hexdigest()
        committed.rolled[folder][name] = RolledFile(digest, shards)
        for entry in entries:
            file = listed.get(entry.shard)
            if file is None:  # revoked since
                committed.outdated.append((path, entry.shard))
            elif (file.nbytes, file.md5) == (entry.nbytes, entry.md5):
                committed.receipts[folder][entry.shard] = entry.receipt
                if entry.hashes is not None:
                    committed.hashes.add(folder, entry.shard, entry.hashes)
            else:
                line = _Line(entry.md5, entry.hashes)
                unproven.setdefault(entry.shard, []).append((path, line))
    return unproven


def _read_files(
    root: str, folder: str, listed: Mapping[str, ListedFile]
) -> Iterator[tuple[str, bytes]]:
    """The content of receipts of a folder, in order."""
    shards = list(listed)
    if not root.startswith("/"):
        places = [
            (join(root, receipt_path(folder, shard)), file.nbytes) for shard, file in listed.items()
        ]
        remote = read_ahead(_read_remote, places, threads_for(root))
        yield from zip(shards, remote, strict=True)
        return
    if shards:
        below(root, f"{RECEIPTS}/{folder}")  # refuses a link that leads out
    batches = [shards[at : at + _BATCH_LOCAL] for at in range(0, len(shards), _BATCH_LOCAL)]

    def read(batch: Sequence[str]) -> list[bytes]:
        return [_read_local(root, receipt_path(folder, shard)) for shard in batch]

    for batch, contents in zip(batches, read_ahead(read, batches, _LOCAL_THREADS), strict=True):
        yield from zip(batch, contents, strict=True)


def _read_remote(place_and_size: tuple[str, int]) -> bytes:
    """A receipt, by one request: some backends ask for the size of a file before all of it. The
    listed size is 0 where a server does not tell it, and another one where a listing is late."""
    place, listed = place_and_size
    data = read_range(place, 0, min(listed or RECEIPT_BYTES_MAX, RECEIPT_BYTES_MAX))
    is_whole = not listed or data.endswith(_RECEIPT_END)
    return data if is_whole else read_range(place, 0, RECEIPT_BYTES_MAX)


def _read_local(root: str, path: str) -> bytes:
    """A file of a corpus on a disk. Where a link is on its path, or it cannot be read, it is read
    as every file of a corpus is: with the link checked, and an error in words."""
    place = os.path.join(root, path)
    try:
        with open(place, "rb", buffering=0, opener=_without_links) as file:
            return file.readall()
    except OSError:
        return read_bytes(below(root, path))


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
