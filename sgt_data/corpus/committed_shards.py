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
from sgt_data.corpus.receipt import Receipt, receipt_of
from sgt_data.corpus.rolled_receipts import (
    ROLLED,
    RolledReceipt,
    bytes_to_read,
    content_md5,
    parse_rolled,
    rolled_number,
    rolled_path,
)
from sgt_data.errors import SgtDataError
from sgt_data.files.listed_files import ListedFile, list_with_digests
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.read_ahead import read_ahead
from sgt_data.files.reading import list_files, read_bytes, read_range
from sgt_data.files.urls import below, is_http_url, join
from sgt_data.names import RECEIPTS

_BATCH_LOCAL = 64
"""Receipts of a disk that a thread reads in one turn: one takes less time than a turn does."""

_ROLLED_AT_ONCE = 2
_TOLD_EVERY = 1000

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
        notes: remarks on such files, for a person.
    """

    receipts: dict[str, dict[str, Receipt]]
    hashes: KeyHashes = field(default_factory=KeyHashes)
    rolled: dict[str, dict[str, RolledFile]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


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
    wanted = {folder: listed.get(folder, {}) for folder in committed.receipts}
    total, done = sum(map(len, wanted.values())), 0
    # a web server proves no line, and nobody builds there
    use_rolled = total and not is_http_url(root)
    rolled_sizes = list_files(join(root, ROLLED)) if use_rolled else {}
    for folder, files in wanted.items():
        proven = _read_rolled(root, folder, files, rolled_sizes, committed)
        done += len(committed.receipts[folder])
        announce("reading receipts", f"{done:,} of {total:,}")
        unread = [shard for shard in files if shard not in committed.receipts[folder]]
        for shard, data in _read_files(root, folder, unread):
            place = join(root, receipt_path(folder, shard))
            committed.receipts[folder][shard] = receipt_of(folder, shard, data, place)
            digest, hashes = proven.get(shard, ("", None))
            if hashes is not None and digest == content_md5(data):
                committed.hashes.add(folder, shard, hashes)
            done += 1
            if done % _TOLD_EVERY == 0:
                announce("reading receipts", f"{done:,} of {total:,}")
        in_order = committed.receipts[folder]
        committed.receipts[folder] = {shard: in_order[shard] for shard in files}
    return committed


def read_rolled(
    root: str, folder: str, name: str, nbytes: int
) -> tuple[bytes, Iterator[RolledReceipt]]:
    """A file of rolled receipts, and what it says of each shard.

    Args:
        root: of the corpus.
        folder: of the corpus.
        name: of the file.
        nbytes: its size as it was listed; 0 where that is not known.

    Raises:
        CorpusError: it is damaged, or something else.
        LeavesRoot: a link on its path, or a name in it, leads out of the corpus.
        SourceError: it cannot be read just now.
    """
    place = below(root, rolled_path(folder, name))
    data = read_range(place, 0, bytes_to_read(nbytes, place)) if nbytes else read_bytes(place)
    return data, parse_rolled(data, folder, place)


def _read_rolled(
    root: str,
    folder: str,
    listed: Mapping[str, ListedFile],
    sizes: Mapping[str, int],
    committed: Committed,
) -> dict[str, tuple[str, Hashes | None]]:
    """Read the rolled receipts of a folder, and take those that the listing proves.

    Returns:
        Of the shards that it cannot prove: the MD5 of the receipt, and the hashes of keys.
    """
    prefix = f"{folder}/"
    names = [
        path.removeprefix(prefix)
        for path in sizes
        if path.startswith(prefix) and rolled_number(path.removeprefix(prefix)) is not None
    ]
    of_folder = committed.rolled.setdefault(folder, {})
    unproven: dict[str, tuple[str, Hashes | None]] = {}

    def read(name: str) -> tuple[bytes, list[RolledReceipt]] | SgtDataError:
        try:
            data, entries = read_rolled(root, folder, name, sizes[f"{prefix}{name}"])
            return data, list(entries)
        except SgtDataError as why:
            return why

    for name, content in zip(names, read_ahead(read, names, _ROLLED_AT_ONCE), strict=True):
        if isinstance(content, SgtDataError):
            committed.notes.append(f"{content}. It is left aside, and receipts are read instead")
            of_folder[name] = RolledFile("", ())
            continue
        data, entries = content
        shards = tuple(entry.shard for entry in entries)
        of_folder[name] = RolledFile(hashlib.sha256(data).hexdigest(), shards)
        for entry in entries:
            file = listed.get(entry.shard)
            if file is None:
                continue  # the shard was revoked since
            if (file.nbytes, file.md5) == (entry.nbytes, entry.md5):
                committed.receipts[folder][entry.shard] = entry.receipt
                if entry.hashes is not None:
                    committed.hashes.add(folder, entry.shard, entry.hashes)
            elif file.nbytes == entry.nbytes:
                unproven[entry.shard] = entry.md5, entry.hashes
    return unproven


def _read_files(root: str, folder: str, shards: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The content of receipts of a folder, in order."""
    if not root.startswith("/"):
        places = [join(root, receipt_path(folder, shard)) for shard in shards]
        yield from zip(shards, read_ahead(read_bytes, places), strict=True)
        return
    if shards:
        below(root, f"{RECEIPTS}/{folder}")  # refuses a link that leads out
    batches = [shards[at : at + _BATCH_LOCAL] for at in range(0, len(shards), _BATCH_LOCAL)]

    def read(batch: Sequence[str]) -> list[bytes]:
        return [_read_local(root, receipt_path(folder, shard)) for shard in batch]

    for batch, contents in zip(batches, read_ahead(read, batches), strict=True):
        yield from zip(batch, contents, strict=True)


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
