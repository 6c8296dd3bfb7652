"""Files of local disks that are still being written, and those that killed writers left behind.

A writer holds a lock (`flock`) on its file until the file has its name. A lock ends with its
writer, however that ends, so a file without a lock is nobody's. This holds between all writers of
one kernel, containers among them. Between machines that share a disk it holds where the disk's file
system passes locks on (NFS 4 does; NFS 3 mounted `nolock` and some clusters' file systems do not):
a file of another machine is therefore taken for nobody's only if it has also not changed for a day,
by the clock of the disk itself.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from fsspec.implementations.local import LocalFileSystem

from sgt_data.errors import StorageError
from sgt_data.files.urls import open_filesystem

TEMPORARY = ".sgt-tmp-"
"""Part of the name of every file that is still being written."""

FORGOTTEN_SECONDS = 24 * 3600.0
"""A file of another machine may be removed after so long without a change."""

_BOOT = "/proc/sys/kernel/random/boot_id"


def unfinished_name() -> str:
    """A new name for a file that is still being written; it says on which kernel."""
    return f"{TEMPORARY}{_kernel()}-{uuid.uuid4().hex}"


@contextmanager
def new_unfinished_file(folder: str) -> Iterator[str]:
    """Path of a small file that lies in a local folder for the length of a block.

    Raises:
        StorageError: it cannot be written.
    """
    place = os.path.join(folder, unfinished_name())
    try:
        with open(place, "wb") as file:
            is_locked_now(file.fileno(), place)
            file.write(b"0")
            file.flush()
            os.fsync(file.fileno())
            yield place
    except OSError as why:
        raise StorageError(f"cannot write {place}: {why.strerror or why}") from why
    finally:
        if os.path.exists(place):
            os.unlink(place)


def is_locked_now(descriptor: int, path: str) -> bool:
    """Lock a new file; whether it still has its name, so that nobody removed it before.

    Where the file system knows no locks, nobody removes it either (see `sweep_unfinished`).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def sweep_unfinished(root: str) -> int:
    """Remove the unfinished files that killed writers left below a folder; returns how many.

    The file of a writer that lives is never removed. Local disks alone: object stores show no
    unfinished file.
    """
    filesystem, path = open_filesystem(root)
    if not isinstance(filesystem, LocalFileSystem):
        return 0
    count = 0
    for folder, _, names in os.walk(path):
        unfinished = [name for name in names if name.startswith(TEMPORARY)]
        foreign = [name for name in unfinished if not name.startswith(f"{TEMPORARY}{_kernel()}-")]
        now = _clock_of_disk(folder) if foreign else 0.0
        for place in _unlocked(os.path.join(folder, name) for name in unfinished):
            is_foreign = os.path.basename(place) in foreign
            if is_foreign and now - os.stat(place).st_mtime < FORGOTTEN_SECONDS:
                continue
            os.unlink(place)
            count += 1
    return count


def _unlocked(places: Iterator[str]) -> Iterator[str]:
    """The files that nobody holds; each is held here until the next one is asked for."""
    for place in places:
        try:
            descriptor = os.open(place, os.O_RDWR)
        except OSError:  # it has its name by now, or is another user's
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                yield place
        except OSError:  # its writer lives, or nobody can tell
            continue
        finally:
            os.close(descriptor)


def _clock_of_disk(folder: str) -> float:
    """The time by the clock that dates the files of a folder: this machine's may be wrong."""
    try:
        with new_unfinished_file(folder) as place:
            return os.stat(place).st_mtime
    except StorageError:  # full or read-only: nothing is forgotten
        return 0.0


@cache
def _kernel() -> str:
    """A word for the running kernel, within which locks hold on any disk."""
    try:
        with open(_BOOT) as file:
            return uuid.UUID(file.read().strip()).hex[:12]
    except (OSError, ValueError):
        return f"{uuid.getnode():012x}"
