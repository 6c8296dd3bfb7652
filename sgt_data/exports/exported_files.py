"""The files of an export: each is kept, linked to one of the same bytes, or written.

A file gets its name when it is whole, so an export that was stopped is continued, and a file of the
right size is one that an earlier run finished. On object stores, where a file takes some ten
milliseconds, several are written at a time.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sgt_data.errors import StorageError
from sgt_data.exports.export_report import ExportReport
from sgt_data.files.read_ahead import threads_for
from sgt_data.files.reading import list_files
from sgt_data.files.spooled_writing import open_spooled
from sgt_data.files.unfinished import unfinished_name
from sgt_data.files.urls import below, is_local, join
from sgt_data.files.writing import Writable, open_atomic, write_atomic, write_small
from sgt_data.names import checked_path

_WAITING = 4
"""Files for each thread that may wait to be written."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """Bytes that an export takes as they are.

    Attributes:
        nbytes: how many.
        pieces: reads them in order.
        place: path of a file of a local disk that holds them and no others; None where there is
            none.
    """

    nbytes: int
    pieces: Callable[[], Iterator[bytes | memoryview]]
    place: str | None = None


class ExportedFiles:
    """Writes the files of one export, and counts them in its report.

    Paths are relative to the export's folder, with `/`.
    """

    def __init__(self, root: str, report: ExportReport) -> None:
        """
        Args:
            root: absolute path or URL of the export's folder.
            report: counts the files.
        """
        self.root, self._report = root, report
        self._local = is_local(root)
        self._sizes: dict[str, dict[str, int]] = {}
        self._writing: deque[Future[None]] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._counting = threading.Lock()
        self._folders: dict[str, str] = {}
        self._made: set[str] = set()
        self._new: set[str] = set()

    def place(self, path: str) -> str:
        """Absolute path or URL of a file of the export.

        Raises:
            LeavesRoot: the path leads out of the export.
        """
        folder, name = posixpath.split(path)
        if folder not in self._folders:
            self._folders[folder] = below(self.root, folder) if folder else self.root
        return join(self._folders[folder], checked_path(name))

    def put(self, path: str, data: bytes, same: Sequence[str] = ()) -> None:
        """Make sure that a file holds `data`: keep it, link it to a file of the same bytes, or
        write it.

        Args:
            path: of the file.
            data: the whole content.
            same: paths of files that may hold the same bytes; they need not exist.

        Raises:
            StorageError: it cannot be written.
        """
        if self._size_of(path) == len(data):
            self._report.kept += 1
            return
        if not self._local:
            self._write_soon(path, data)
        elif self._linked(path, data, same):
            self._report.linked += 1
            return
        else:
            self._write_local(path, data)
        self._report.written += 1
        self._report.nbytes += len(data)

    def take(self, path: str, whole: WholeFile) -> None:
        """Make sure that a file holds the bytes of another: keep it, link it, or copy them.

        Safe to call on several threads.

        Raises:
            StorageError: it cannot be written.
            Exception: what reading the bytes raises.
        """
        if self._size_of(path) == whole.nbytes:
            with self._counting:
                self._report.kept += 1
            return
        if self._local and whole.place is not None and self._link(whole.place, self.place(path)):
            with self._counting:
                self._report.linked += 1
            return
        with open_spooled(self.place(path)) as out:
            for piece in whole.pieces():
                out.write(piece)
        with self._counting:
            self._report.written += 1
            self._report.nbytes += whole.nbytes

    @contextmanager
    def open(self, path: str) -> Iterator[Writable]:
        """A list or configuration to write anew, which appears when the block ends."""
        with open_atomic(self.place(path)) as file:
            yield file

    def write(self, path: str, data: bytes) -> str:
        """Write a list or configuration anew; its absolute path."""
        place = self.place(path)
        write_atomic(place, data)
        return place

    def flush(self) -> None:
        """Wait until every file is written.

        Raises:
            StorageError: one cannot be written.
        """
        while self._writing:
            self._writing.popleft().result()

    def close(self) -> None:
        """Drop what is not written yet, and end the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _size_of(self, path: str) -> int | None:
        """Size of a file that an earlier run wrote, in bytes; None where it wrote none."""
        folder, name = posixpath.split(path)
        if self._local:
            place = self.place(path)
            self._make_folder(os.path.dirname(place))
            return None if os.path.dirname(place) in self._new else _local_size(place)
        if folder not in self._sizes:
            self._sizes[folder] = list_files(self.place(folder)) if folder else {}
        return self._sizes[folder].get(name)

    def _write_soon(self, path: str, data: bytes) -> None:
        threads = threads_for(self.root)
        self._pool = self._pool or ThreadPoolExecutor(threads)
        while len(self._writing) >= _WAITING * threads:
            self._writing.popleft().result()
        self._writing.append(self._pool.submit(write_atomic, self.place(path), data))

    def _write_local(self, path: str, data: bytes) -> None:
        # nothing waits for the disk: a file that a crash of the machine cut short has another size,
        # and is written again
        write_small(self.place(path), data)

    def _linked(self, path: str, data: bytes, same: Sequence[str]) -> bool:
        """Make a file a hard link to one of the same bytes; False where there is none, or the file
        system has no (more) links."""
        place = self.place(path)
        for candidate in map(self.place, same):
            if _local_size(candidate) != len(data):
                continue
            try:
                with open(candidate, "rb") as file:
                    is_same = file.read() == data
            except OSError:
                continue
            if is_same and self._link(candidate, place):
                return True
        return False

    def _link(self, existing: str, place: str) -> bool:
        link = os.path.join(os.path.dirname(place), unfinished_name())
        try:
            os.link(existing, link)
            os.replace(link, place)
        except OSError:
            return False
        finally:
            # it is still there where another export has made the same link by now: a file that
            # replaces itself keeps both names
            with suppress(OSError):
                os.unlink(link)
        return True

    def _make_folder(self, folder: str) -> None:
        """Make a local folder; of one that is new, nobody need ask what it holds."""
        if folder in self._made:
            return
        try:
            if not os.path.isdir(folder):
                os.makedirs(folder, exist_ok=True)
                self._new.add(folder)
        except OSError as why:
            raise StorageError(f"cannot make {folder}: {why.strerror or why}") from why
        self._made.add(folder)


def _local_size(place: str) -> int | None:
    try:
        return os.stat(place).st_size
    except OSError:
        return None
