"""Copies of remote shards on a local disk: a folder of bounded size that many processes share.

No reader waits for the cache: a shard without a copy is read by byte ranges from where it lies,
while one thread of each process fetches whole shards, in the order in which they are needed. Only
one process fetches a shard at a time: it holds a lock on the unfinished file. The unfinished files
of a killed process are not locked, and are removed. When the folder is full, the least recently
used shards are removed.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from sgt_data.corpus.sample_reader import RemoteTar
from sgt_data.errors import SourceError
from sgt_data.files.fetching import fetch_file
from sgt_data.files.reading import size_of

_UNFINISHED = ".part"


class ShardCache:
    """A folder of shard copies. Each process, copy and pickle has a fetching thread of its own.

    Attributes:
        folder: path of the folder.
        max_bytes: greatest size of all its files together in bytes.
    """

    def __init__(self, folder: str, max_bytes: int) -> None:
        """
        Args:
            folder: path of a folder on a local disk; it is made if it does not exist.
            max_bytes: greatest size of all its files together in bytes, unfinished ones too. Shards
                that do not fit are read by byte ranges.
        """
        self.folder, self.max_bytes = folder, max_bytes
        self._lock = threading.Condition()
        self._requested: tuple[RemoteTar, ...] = ()
        self._process: int | None = None  # the process whose thread is running

    def __getstate__(self) -> tuple[str, int]:
        return self.folder, self.max_bytes

    def __setstate__(self, state: tuple[str, int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def path(self, shard: RemoteTar) -> Path:
        """The path of a shard's copy, which need not exist."""
        name = blake2b(f"{shard.url} {shard.fingerprint}".encode(), digest_size=16).hexdigest()
        return Path(self.folder, f"{name}.tar")

    def read(self, shard: RemoteTar, start: int, length: int) -> bytes | None:
        """A byte range of a shard's copy; None where there is no copy."""
        try:
            file = os.open(self.path(shard), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            os.utime(file)
            return os.pread(file, length, start)
        finally:
            os.close(file)

    def forget(self, shard: RemoteTar) -> None:
        """Remove the copy of a shard, because it is damaged."""
        self.path(shard).unlink(missing_ok=True)

    def request(self, shards: Sequence[RemoteTar]) -> None:
        """Fetch shards in the background; this replaces the request before.

        Args:
            shards: the shards that are needed from now on, in the order in which they are needed.
        """
        with self._lock:
            if tuple(shards) == self._requested and self._process == os.getpid():
                return
            self._requested = tuple(shards)
            if self._process != os.getpid():  # no thread yet, or that of the parent before a fork
                self._process = os.getpid()
                threading.Thread(target=self._fetch_requested, daemon=True).start()
            self._lock.notify()

    def _fetch_requested(self) -> None:
        fetched: tuple[RemoteTar, ...] = ()
        while True:
            with self._lock:
                self._lock.wait_for(lambda last=fetched: self._requested != last)  # type: ignore[misc]
                fetched = self._requested
            self._fetch_all(fetched)

    def _fetch_all(self, shards: tuple[RemoteTar, ...]) -> None:
        needed = {self.path(shard).name for shard in shards}
        for shard in shards:
            if self._requested != shards:
                return
            try:
                if not self.path(shard).exists():
                    self._fetch(shard, needed)
            except (SourceError, OSError):
                continue  # reading its byte ranges reports what is wrong, if anything is

    def _fetch(self, shard: RemoteTar, needed: set[str]) -> None:
        size = size_of(shard.url)
        if size is None or size > self.max_bytes:
            return
        path = self.path(shard)
        # the size in the name reserves the room that the finished file will take
        unfinished = Path(self.folder, f"{path.stem}.{size}{_UNFINISHED}")
        with _locked(unfinished) as locked:
            if not locked or path.exists() or not self._make_room(needed):
                return
            fetch_file(shard.url, str(unfinished))
            if unfinished.stat().st_size == size:
                unfinished.rename(path)

    def _make_room(self, needed: set[str]) -> bool:
        """Remove shards that are not needed, the least recently used first, until all files fit.

        Files that killed processes left unfinished are removed as well.

        Returns:
            Whether all files fit, with the room that unfinished files reserve.
        """
        with _waiting_for_lock(Path(self.folder, ".lock")):
            removable, total = [], 0
            for path in Path(self.folder).iterdir():
                if path.name.endswith(_UNFINISHED):
                    if not _remove_abandoned(path):
                        total += int(path.name.split(".")[1])
                elif path.suffix == ".tar":
                    state = path.stat()
                    total += state.st_size
                    if path.name not in needed:
                        removable.append((state.st_mtime_ns, state.st_size, path))
            for _, size, path in sorted(removable):
                if total <= self.max_bytes:
                    break
                path.unlink(missing_ok=True)
                total -= size
            return total <= self.max_bytes


@contextmanager
def _waiting_for_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a file, after waiting for it; others hold it for a short time only."""
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


@contextmanager
def _locked(unfinished: Path) -> Iterator[bool]:
    """Hold the lock on an unfinished file, without waiting; afterwards the file is removed.

    Yields:
        Whether the lock is held; False where another process holds it.
    """
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(unfinished, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the lock may be free because the file was finished, or removed
            locked = os.fstat(file).st_ino == unfinished.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            locked = False
        try:
            yield locked
        finally:
            if locked:
                unfinished.unlink(missing_ok=True)
    finally:
        os.close(file)


def _remove_abandoned(unfinished: Path) -> bool:
    """Remove an unfinished file that no process has locked; whether it was removed."""
    with _locked(unfinished) as locked:
        return locked
