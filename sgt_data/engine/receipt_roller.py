"""Keep the rolled receipts of a corpus while it is built (see `corpus.rolled_receipts`).

While shards are committed, the file that is not full yet is written anew every few shards, so that
a build which is killed can be continued with few requests. When all is committed, the files are
written in corpus order: they then depend on the corpus alone, not on how it was built.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sgt_data.corpus import rolled_receipts
from sgt_data.corpus.committed_shards import Committed, RolledFile
from sgt_data.corpus.rolled_receipts import (
    ROLLED,
    rolled_files,
    rolled_line,
    rolled_name,
    rolled_number,
    rolled_path,
)
from sgt_data.errors import LeavesRoot, SgtDataError
from sgt_data.files.reading import list_files
from sgt_data.files.urls import below, join
from sgt_data.files.writing import delete, write_atomic

FEWEST = 1024
"""A folder with less shards has no rolled receipts: its receipts are read soon enough."""

EVERY_SHARDS, EVERY_SECONDS = 64, 60.0
"""So many committed shards, or less after so many seconds, are written down at once. A build that
is killed reads their receipts and indexes one by one when it is continued."""


@dataclass(slots=True)
class _Folder:
    """The rolled receipts of one folder.

    Attributes:
        files: that lie in the corpus, by name.
        open: shards of the file that is not full yet, in its order.
        number: of that file.
        unwritten: shards of it that were committed since it was written.
    """

    files: dict[str, RolledFile]
    open: dict[str, None] = field(default_factory=dict)
    number: int = 0
    unwritten: int = 0


class ReceiptRoller:
    """Writes the rolled receipts of a build, on a thread of its own until the build is complete."""

    def __init__(self, root: str, committed: Committed) -> None:
        """
        Args:
            root: of the corpus.
            committed: what is committed of it. It is kept, and read whenever a file is written;
                others note in it what is committed or revoked later.
        """
        self._root, self._committed = root, committed
        self._folders = {
            folder: self._continued(folder, committed.rolled.get(folder, {}))
            for folder in committed.receipts
        }
        self._writer = ThreadPoolExecutor(1, "rolled receipts")
        self._writing: Future[None] | None = None
        self._written_at = time.monotonic()
        self._problem: str | None = None
        self._is_closed = False

    @property
    def notes(self) -> list[str]:
        """Remarks for a person: that files could not be written."""
        if self._problem is None:
            return []
        return [
            f"{self._problem}. The shards themselves are committed; continuing this build may read "
            "their receipts one by one"
        ]

    def note(self, folder: str, shard: str) -> None:
        """Note that a shard was committed, and write what is due."""
        rolled = self._folders[folder]
        rolled.open[shard] = None
        rolled.unwritten += 1
        late = time.monotonic() - self._written_at >= EVERY_SECONDS
        if rolled.unwritten >= EVERY_SHARDS or late:
            self._write_open()

    def close(self) -> None:
        """Write down what is committed since the last time, and end; once."""
        if self._is_closed:
            return
        self._wait()
        self._write_open()
        self._end()

    def finish(self, shards: Mapping[str, Sequence[str]]) -> None:
        """Write the files of a complete corpus, and remove all others.

        Args:
            shards: of each folder, in corpus order.

        Raises:
            StorageError: they cannot be written.
        """
        self._end()
        try:
            self._write_complete(shards)
        except LeavesRoot as why:
            self._problem = str(why)

    def _write_complete(self, shards: Mapping[str, Sequence[str]]) -> None:
        known = any(rolled.files for rolled in self._folders.values())
        if not known and all(len(names) < FEWEST for names in shards.values()):
            return
        # other builds of this corpus may have written files that this one does not know
        present = list_files(join(self._root, ROLLED))
        for folder, names in shards.items():
            files, kept = self._folders[folder].files, set[str]()
            if len(names) >= FEWEST:
                lines = self._lines(folder, names)
                for number, (_, data) in enumerate(rolled_files(folder, lines)):
                    name = rolled_name(number)
                    kept.add(name)
                    is_there = f"{folder}/{name}" in present and name in files
                    if not is_there or files[name].sha256 != _sha256(data):
                        self._write(folder, name, data)
            for path in present:
                if path.startswith(f"{folder}/") and path.removeprefix(f"{folder}/") not in kept:
                    delete(join(self._root, ROLLED, path))

    def _continued(self, folder: str, files: Mapping[str, RolledFile]) -> _Folder:
        """What there is to do for a folder whose earlier files hold a part of its shards."""
        rolled = _Folder(dict(files))
        numbers = {rolled_number(name) or 0: name for name in files}
        last = numbers.get(max(numbers, default=0))
        is_full = last is None or len(files[last].shards) >= rolled_receipts.SHARDS_MAX
        rolled.number = max(numbers, default=-1) + is_full
        closed = (file.shards for name, file in files.items() if is_full or name != last)
        in_files = {shard for shards in closed for shard in shards}
        receipts = self._committed.receipts[folder]
        begun = files[last].shards if last is not None and not is_full else ()
        kept = [shard for shard in begun if shard in receipts]
        rolled.open = dict.fromkeys([*kept, *(each for each in receipts if each not in in_files)])
        rolled.unwritten = len(rolled.open.keys() - set(begun))
        return rolled

    def _write_open(self) -> None:
        """Begin to write the files that are not full; not while others are still being written."""
        if self._writing is not None and not self._writing.done():
            return
        self._written_at = time.monotonic()
        files: list[tuple[str, str, bytes]] = []
        for folder, rolled in self._folders.items():
            receipts = self._committed.receipts[folder]
            if rolled.unwritten > 0 and len(receipts) >= FEWEST:
                files += self._next_files(folder, rolled)
        if files:
            self._writing = self._writer.submit(self._write_all, files)

    def _next_files(self, folder: str, rolled: _Folder) -> Iterator[tuple[str, str, bytes]]:
        """Folder, name and content of the files that hold what is not in full files yet."""
        rolled.unwritten = 0
        present = [shard for shard in rolled.open if shard in self._committed.receipts[folder]]
        for shards, data in rolled_files(folder, self._lines(folder, present)):
            name = rolled_name(rolled.number)
            rolled.files[name] = RolledFile(_sha256(data), tuple(shards))
            rolled.open = dict.fromkeys(shards)
            rolled.number += 1
            yield folder, name, data
        rolled.number -= bool(present)  # the last one may not be full

    def _lines(self, folder: str, shards: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        receipts, hashes = self._committed.receipts[folder], self._committed.hashes
        for shard in shards:
            yield shard, rolled_line(receipts[shard], hashes.get(folder, shard))

    def _write_all(self, files: Sequence[tuple[str, str, bytes]]) -> None:
        """On the thread. A file that cannot be written costs no shard: it is noted."""
        for folder, name, data in files:
            try:
                self._write(folder, name, data)
            except SgtDataError as why:
                self._problem = str(why)
                self._folders[folder].files[name] = RolledFile("", ())

    def _write(self, folder: str, name: str, data: bytes) -> None:
        write_atomic(self._place(folder, name), data, synced=False)

    def _place(self, folder: str, name: str) -> str:
        """Where a file is written or removed: a link in its place is, and not what it leads to."""
        path, _, _ = rolled_path(folder, name).rpartition("/")
        return join(below(self._root, path), name)

    def _end(self) -> None:
        self._wait()
        self._writer.shutdown()
        self._is_closed = True

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
