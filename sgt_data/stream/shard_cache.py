"""Remote shards on a local disk: a folder of bounded size that many processes share.

Nobody ever waits for it: what is not there yet is read by ranges from where it lies, while one
thread of each process fetches whole shards, those first that are needed next. A shard is fetched by
one process at a time, which holds a lock on the unfinished file; files whose owner was killed hold
none, and are removed. The least recently used shards go when the folder is full.
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

_PART = ".part"


class ShardCache:
    """A folder of shards. Copies and pickles share the folder, each with a thread of its own."""

    def __init__(self, folder: str, max_bytes: int) -> None:
        """
        Args:
            folder: on a local disk; made where it is not there.
            max_bytes: that its files have together, unfinished ones too. Shards beyond it are read
                by ranges.
        """
        self.folder, self.max_bytes = folder, max_bytes
        self._lock = threading.Condition()
        self._wanted: tuple[RemoteTar, ...] = ()
        self._process: int | None = None  # the one whose thread is running

    def __getstate__(self) -> tuple[str, int]:
        return self.folder, self.max_bytes

    def __setstate__(self, state: tuple[str, int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def path(self, shard: RemoteTar) -> Path:
        """Where a shard is, if it is."""
        name = blake2b(f"{shard.url} {shard.fingerprint}".encode(), digest_size=16).hexdigest()
        return Path(self.folder, f"{name}.tar")

    def read(self, shard: RemoteTar, start: int, length: int) -> bytes | None:
        """A range of a shard, or None where it is not here."""
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
        """Remove a shard that is not what it should be."""
        self.path(shard).unlink(missing_ok=True)

    def want(self, shards: Sequence[RemoteTar]) -> None:
        """Shards that are needed from now on, first ones first; fetched in the background."""
        with self._lock:
            if tuple(shards) == self._wanted and self._process == os.getpid():
                return
            self._wanted = tuple(shards)
            if self._process != os.getpid():  # none yet, or left behind by a fork
                self._process = os.getpid()
                threading.Thread(target=self._fetch_wanted, daemon=True).start()
            self._lock.notify()

    def _fetch_wanted(self) -> None:
        done: tuple[RemoteTar, ...] = ()
        while True:
            with self._lock:
                self._lock.wait_for(lambda last=done: self._wanted != last)  # type: ignore[misc]
                done = self._wanted
            self._fetch(done)

    def _fetch(self, shards: tuple[RemoteTar, ...]) -> None:
        keep = {self.path(shard).name for shard in shards}
        for shard in shards:
            if self._wanted != shards:
                return
            try:
                if not self.path(shard).exists():
                    self._fetch_one(shard, keep)
            except (SourceError, OSError):
                continue  # reading its ranges says what is wrong, if anything is

    def _fetch_one(self, shard: RemoteTar, keep: set[str]) -> None:
        size = size_of(shard.url)
        if size is None or size > self.max_bytes:
            return
        path = self.path(shard)
        # the name reserves the room that the finished file will take
        with _locked(Path(self.folder, f"{path.stem}.{size}{_PART}")) as part:
            if part is None or path.exists() or not self._make_room(keep):
                return
            fetch_file(shard.url, str(part))
            if part.stat().st_size == size:
                part.rename(path)

    def _make_room(self, keep: set[str]) -> bool:
        """Whether all that is here or under way fits, once those shards have gone that were used
        longest ago and are not wanted. Sweeps up after killed processes."""
        with _lock_of(Path(self.folder, ".lock")):
            held, total = [], 0
            for place in Path(self.folder).iterdir():
                if place.name.endswith(_PART):
                    if not _swept(place):
                        total += int(place.name.split(".")[1])
                elif place.suffix == ".tar":
                    state = place.stat()
                    total += state.st_size
                    if place.name not in keep:
                        held.append((state.st_mtime_ns, state.st_size, place))
            for _, freed, place in sorted(held):
                if total <= self.max_bytes:
                    break
                place.unlink(missing_ok=True)
                total -= freed
            return total <= self.max_bytes


@contextmanager
def _lock_of(path: Path) -> Iterator[None]:
    """Wait for the lock on a file; it lasts only as long as a folder is looked through."""
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


@contextmanager
def _locked(part: Path) -> Iterator[Path | None]:
    """An unfinished file that this process alone writes, gone afterwards; None where another
    process is at it."""
    part.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(part, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the lock may have come free because the file was finished, or swept up
            ours = os.fstat(file).st_ino == part.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            ours = False
        try:
            yield part if ours else None
        finally:
            if ours:
                part.unlink(missing_ok=True)
    finally:
        os.close(file)


def _swept(part: Path) -> bool:
    """Whether an unfinished file was nobody's, and is gone."""
    with _locked(part) as found:
        return found is not None
