"""What planning and resuming a build of SA-1B's full size takes: seconds, requests, memory, bytes.

    python benchmarks/full_size_build.py [--full] [--keep FOLDER]

Plans a build from hollow tars, and resumes one from a hollow corpus (`full_size_corpus.py`): 100
tars and 4,400 shards of 256 pictures, or with `--full` 1,000 tars and 44,000 shards, 11.2 million
pictures, for which it takes about ten minutes on a busy machine and 2 GB of the disk. The store is
the same folder behind an fsspec file system that counts requests as S3 does (a listing is a request
for every thousand files) and answers each after 50 ms. Prints a line of JSON for each measurement;
each is made in a process of its own, whose peak memory it states.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import resource
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import fsspec
from fsspec.spec import AbstractFileSystem
from full_size_corpus import SHARDS, SHARDS_PER_TAR, write_full_size_corpus

from sgt_data import IN_PROCESS, build_corpus, list_inputs, load_manifest
from sgt_data.engine import finish_build as ending
from sgt_data.engine.arrow_rows import task_row
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.build_stages import corpus_stages
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.slice_tasks import pending_tasks
from sgt_data.progress import Progress
from sgt_data.sources.sa1b import PICTURES_PER_TAR

LATENCY_SECONDS = 0.05
_PAGE = 1000
_CONNECTIONS = 10  # as botocore keeps open at most
_BEGINNING = 40
_TAR_BYTES = 11_000_000_000


class CountedStore(AbstractFileSystem):  # type: ignore[misc]
    """A folder of the disk as an object store shows it; see the module."""

    protocol = "counted"
    cachable = True
    requests: ClassVar[Counter[str]] = Counter()
    connections = threading.Semaphore(_CONNECTIONS)

    def ask(self, kind: str, times: int = 1) -> None:
        """Count requests, and wait for their answers."""
        with self.connections:
            self.requests[kind] += times
            time.sleep(LATENCY_SECONDS * times)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("counted://").strip("/")

    def _entry(self, path: str) -> dict[str, Any]:
        is_folder = os.path.isdir(path)
        size = 0 if is_folder else os.path.getsize(path)
        entry = {"name": path, "size": size, "type": "directory" if is_folder else "file"}
        if not is_folder and "/receipts/" in path:  # those of other files are not looked at
            digest = hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest()
            entry["ETag"] = f'"{digest}"'
        return entry

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        self.ask("HEAD")
        return self._entry(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        folder = self._strip_protocol(path)
        names = sorted(os.listdir(folder))
        self.ask("LIST", max(1, -(-len(names) // _PAGE)))
        return [self._entry(f"{folder}/{name}") for name in names]

    def find(self, path: str, detail: bool = False, **_: Any) -> Any:
        files = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(self._strip_protocol(path))
            for name in names
        ]
        self.ask("LIST", max(1, -(-len(files) // _PAGE)))
        return {file: self._entry(file) for file in sorted(files)}

    def exists(self, path: str, **_: Any) -> bool:
        self.ask("HEAD")
        return os.path.exists(self._strip_protocol(path))

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        self.ask("GET")
        with open(self._strip_protocol(path), "rb") as file:
            file.seek(start or 0)
            return file.read() if end is None else file.read(end - (start or 0))

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        self.ask("PUT")
        place = Path(self._strip_protocol(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(value)

    def rm_file(self, path: str) -> None:
        self.ask("DELETE")
        os.unlink(self._strip_protocol(path))


def write_hollow_tars(folder: Path, count: int) -> None:
    """Tars of SA-1B's size whose members are holes: the first has all its headers, the others have
    those of their beginning and an end marker."""
    folder.mkdir()
    for number in range(count):
        with open(folder / f"sa_{number:06d}.tar", "wb") as tar:
            end = 0
            for picture in range(PICTURES_PER_TAR if number == 0 else _BEGINNING):
                for extension, size in (("jpg", 950_000), ("json", 32_000)):
                    name = f"./sa_{number * PICTURES_PER_TAR + picture + 1}.{extension}"
                    member = tarfile.TarInfo(name)
                    member.size = size
                    tar.seek(end)
                    tar.write(member.tobuf(tarfile.USTAR_FORMAT))
                    end += 512 + -(-size // 512) * 512
            tar.truncate((end if number == 0 else _TAR_BYTES // 10240 * 10240) + 10240)


def plan(folder: Path, tars: str) -> dict[str, Any]:
    """Plan a build, and look at what travels to its workers."""
    manifest = folder / "tars.yaml"
    manifest.write_text(
        "name: planned\nshard_samples: 256\n"
        f'sources:\n  - {{type: sa1b, tars: "{folder}/tars/{tars}"}}\n'
        "proxies:\n  - {type: segmentation, variant: entity}\n"
    )
    read, began = _bytes_read(), time.monotonic()
    listing = list_inputs(load_manifest(str(manifest)))
    planned = plan_build(listing, InProcessEngine().set_up)
    none: dict[str, dict[str, Any]] = {folder: {} for folder in listing.sources_of}
    tasks = pending_tasks(listing.slices, listing.folders_of, none)
    seconds = time.monotonic() - began
    return {
        "tars": len(tasks),
        "pictures": sum(piece.pictures for piece in listing.slices),
        "counted": listing.exact,
        "seconds": seconds,
        "bytes_read": _bytes_read() - read,
        "stages_bytes": len(pickle.dumps(corpus_stages(planned.recipe, "/corpus"))),
        "task_bytes": max(task_row(task).nbytes for task in tasks),
    }


def resume(manifest: Path, output: str) -> dict[str, Any]:
    """Resume a build; where shards are missing, up to the first of them, which no server has."""
    phases: dict[str, float] = {}
    began = last = time.monotonic()
    asked: Counter[str] = Counter()

    class Begun(Exception):
        pass

    def follow(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        phases[progress.phase] = phases.get(progress.phase, 0.0) + now - last
        last = now
        if progress.phase.startswith("loading compiled code"):  # all is known that is to be done
            asked.update(CountedStore.requests)
            raise Begun

    # which reads samples, and they are holes
    setattr(ending, "write_readme", lambda corpus: None)  # noqa: B010
    try:
        report = build_corpus(str(manifest), output, cluster=IN_PROCESS, progress=follow)
        result = {"shards": report.found_shards, "complete": report.complete}
        asked.update(CountedStore.requests)
    except Begun:
        result = {"complete": False}
    return result | {
        "seconds": time.monotonic() - began,
        "requests": dict(asked),
        "all_requests": sum(asked.values()),
    }


def _bytes_read() -> int:
    """Bytes that this process has read from files, by the kernel's count."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def _measured(folder: Path, name: str, *arguments: str) -> None:
    """Measure one thing in a process of its own."""
    command = [sys.executable, __file__, "--keep", str(folder), "--measure", name, *arguments]
    subprocess.run(command, check=True)


def _measure(folder: Path, name: str, store: str) -> None:
    fsspec.register_implementation("counted", CountedStore)
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "count one tar": lambda: plan(folder, "sa_000000.tar"),
        "plan": lambda: plan(folder, "*.tar"),
        "resume": lambda: resume(folder / "manifest.yaml", f"{store}{folder}/corpus"),
    }
    result = work[name.partition(",")[0]]()
    result["seconds"] = round(result["seconds"], 1)
    result["cpu_seconds"] = round(time.process_time(), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"what": name, **result, "peak_mb": peak}), flush=True)


def main() -> None:
    """Print a line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="44,000 shards instead of 4,400")
    parser.add_argument("--keep", type=Path, help="a folder for tars and corpus, which stay there")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "STORE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measure(given.keep, *given.measure)
        return
    with tempfile.TemporaryDirectory(prefix="sgt-full-size-") as scratch:
        folder = given.keep or Path(scratch)
        shards = SHARDS if given.full else SHARDS // 10
        if not (folder / "corpus").exists():
            write_full_size_corpus(folder, shards)
        if not (folder / "tars").exists():
            write_hollow_tars(folder / "tars", shards // SHARDS_PER_TAR)
        corpus = folder / "corpus"
        _measured(folder, "count one tar", "")
        _measured(folder, "plan", "")
        _measured(folder, "resume, complete, without rolled receipts", "")
        _measured(folder, "resume, complete", "")
        _measured(folder, "resume, complete", "counted://")
        receipts = sorted((corpus / "receipts").glob("*/*.json"))
        missing = receipts[-(len(receipts) // 100) :]
        contents = [place.read_bytes() for place in missing]
        for place in missing:
            place.unlink()
        try:
            _measured(folder, "resume, at 99 %", "")
            _measured(folder, "resume, at 99 %", "counted://")
        finally:
            for place, content in zip(missing, contents, strict=True):
                place.write_bytes(content)


if __name__ == "__main__":
    main()
