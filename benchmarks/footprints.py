"""Memory of a tree of processes, Ray's object store included."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of a build: private and file-backed memory of all its processes (each shared page
    counted once), and Ray's object store in shared memory."""

    processes: int
    shared: int

    @property
    def total(self) -> int:
        return self.processes + self.shared

    @classmethod
    def of(cls, processes: Sequence[psutil.Process]) -> Footprint:
        """The footprint of these processes at present."""
        return cls(sum(map(_resident_bytes, processes)), _object_store_bytes(processes))


def with_descendants(roots: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Processes with their children, the children's children and so on."""
    processes: list[psutil.Process] = []
    for root in roots:
        with suppress(psutil.Error):
            processes += (root, *root.children(recursive=True))
    return processes


def _resident_bytes(process: psutil.Process) -> int:
    """A process's share of anonymous and file-backed pages, without what it maps of shared
    memory."""
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:
        with suppress(psutil.Error):
            memory = process.memory_info()
            return int(memory.rss - getattr(memory, "shared", 0))
        return 0
    kilobytes = {line.split()[0]: line.split()[1] for line in rollup.splitlines()[1:]}
    return 1024 * (int(kilobytes["Pss_Anon:"]) + int(kilobytes["Pss_File:"]))


def _object_store_bytes(processes: Sequence[psutil.Process]) -> int:
    """Allocated pages of the shared-memory files that processes hold open, each file once. Ray
    unlinks its object store after opening it, so only the open files lead to it."""
    files: dict[tuple[int, int], int] = {}
    for process in processes:
        with suppress(OSError):
            for entry in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(OSError):
                    if os.readlink(entry).startswith("/dev/shm/"):
                        status = entry.stat()
                        files[status.st_dev, status.st_ino] = 512 * status.st_blocks
    return sum(files.values())
