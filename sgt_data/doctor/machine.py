"""The machine itself: Python, CPUs, memory, shared memory, disks, limits, kept compiled code."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sgt_data.doctor.check import Check
from sgt_data.doctor.compiled_code import compiled_code_check
from sgt_data.engine.cluster import cpus_of_this_process
from sgt_data.progress_text import size_text
from sgt_data.value_text import counted

_LEAST_PYTHON = (3, 11)
_LEAST_MEMORY, _MEMORY_OF_A_WORKER = 2e9, 1e9
_LEAST_SHARED_MEMORY = 1e9
_LEAST_DISK = 5e9
_LEAST_OPEN_FILES = 4096


def machine_checks() -> Iterator[Check]:
    """Findings on this machine."""
    python = platform.python_version()
    fits = tuple(map(int, platform.python_version_tuple()[:2])) >= _LEAST_PYTHON
    yield Check("Python", "good" if fits else "lacks", python, "" if fits else "Python >= 3.11")
    cpus = cpus_of_this_process()
    yield Check("CPUs", "good", f"{cpus} for this process")
    yield _memory(cpus)
    yield _shared_memory()
    for name, folder in (("disk", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        yield disk_check(name, folder)
    yield _open_files()
    yield compiled_code_check()


def disk_check(subject: str, folder: Path) -> Check:
    """Free space of a local folder, or of the nearest one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    text = f"{size_text(usage.free)} free of {size_text(usage.total)} at {folder}"
    if usage.free >= _LEAST_DISK:
        return Check(subject, "good", text)
    return Check(subject, "note", text, "`build --dry-run` says how much a corpus takes")


def _memory(cpus: int) -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")  # of a container
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    text = size_text(total)
    if total < _LEAST_MEMORY:
        return Check("memory", "lacks", text, "a build takes about 1 GB, and 1 GB more per CPU")
    if total < _LEAST_MEMORY + cpus * _MEMORY_OF_A_WORKER:
        fewer = max(1, int((total - _LEAST_MEMORY) / _MEMORY_OF_A_WORKER))
        return Check(
            "memory", "note", text, f"little for {counted(cpus, 'CPU')}: build --workers {fewer}"
        )
    return Check("memory", "good", text)


def _shared_memory() -> Check:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return Check("shared memory", "good", "this system has no /dev/shm, and needs none")
    free = shutil.disk_usage(folder).free
    text = f"{size_text(free)} free in /dev/shm"
    if free >= _LEAST_SHARED_MEMORY:
        return Check("shared memory", "good", text)
    remedy = "Ray and workers of a DataLoader need it: docker run --shm-size=8g"
    return Check("shared memory", "note", text, remedy)


def _open_files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    text = "no limit" if unlimited else f"at most {soft:,}"
    if unlimited or soft >= _LEAST_OPEN_FILES:
        return Check("open files", "good", text)
    raised = 65_536 if hard == resource.RLIM_INFINITY else min(65_536, hard)
    return Check("open files", "note", text, f"before large builds: ulimit -n {raised}")
