"""Exports of every format beside a plain copy of the files that they write.

A corpus of drawn scenes is exported, and the export's files are copied one by one with `shutil`, in
turns. A format that waits until the disk has each file is compared with a copy that does so too.

python benchmarks/export.py [--rounds N] [--samples N] [--format NAME,...] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from measuring import Cell, report, verdict

from sgt_data import IN_PROCESS, build_corpus, export_corpus
from sgt_data.exports.formats import FORMATS
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scenes.write_samples import write_samples

GOAL = 0.6
"""Least speed of an export as a share of a plain copy of the same bytes."""

_SCENES = 16

_WHOLE_FILES = 16 << 20
"""An export of fewer, larger files than this on average waits for the disk at each of them."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of an export.

    Attributes:
        paths: relative to its folder.
        nbytes: their size.
    """

    paths: tuple[str, ...]
    nbytes: int

    @property
    def synced(self) -> bool:
        """Whether the export waits for the disk at each of its files."""
        return self.nbytes / max(1, len(self.paths)) > _WHOLE_FILES


def build(root: Path, samples: int) -> str:
    """A corpus of drawn scenes, each taken several times, with two proxies of the same pictures."""
    write_samples(str(root / "sources"), _SCENES, size=(1024, 768), forms=["coco"])
    (root / "pictures").mkdir()
    scenes = sorted((root / "sources/coco").rglob("*.jpg"))
    for number in range(samples):
        picture = scenes[number % len(scenes)].read_bytes()
        # bytes behind the end of a JPEG are not looked at, and make it another file
        (root / f"pictures/{number:06d}.jpg").write_bytes(picture + number.to_bytes(4, "big"))
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "sources": [{"type": "folder", "pictures": str(root / "pictures")}],
            "proxies": [{"type": "edge"}, {"type": "super_resolution"}],
            "pictures": {"min_side": 512, "max_side": 1024, "multiple_of": 16},
        }
    )
    assert build_corpus(manifest, str(root / "corpus"), cluster=IN_PROCESS).succeeded
    return str(root / "corpus")


def files_of(folder: Path) -> Files:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    nbytes = sum(path.stat().st_size for path in paths)
    return Files(tuple(str(path.relative_to(folder)) for path in paths), nbytes)


def copy(files: Files, origin: Path, target: Path) -> None:
    """Copy files one by one; hard links become links again, as in the export."""
    first: dict[int, Path] = {}
    made: set[Path] = set()
    for path in files.paths:
        place = target / path
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        inode = os.stat(origin / path).st_ino
        if inode in first:
            os.link(first[inode], place)
            continue
        first[inode] = place
        shutil.copyfile(origin / path, place)
        if files.synced:
            with open(place, "rb") as file:
                os.fsync(file.fileno())


def seconds(work: Callable[[Path], object], place: Path) -> float:
    """Time of work that writes a new folder, which is removed afterwards."""
    subprocess.run(["sync"], check=True)
    begin = perf_counter()
    work(place)
    took = perf_counter() - begin
    shutil.rmtree(place)
    return took


def measure(corpus: str, form: str, root: Path, rounds: int) -> dict[str, Cell]:
    """Median times of exporting and of copying, in turns."""
    export_corpus(corpus, root / "export", form)
    files = files_of(root / "export")
    exporting, copying = [], []
    for number in range(rounds):
        exporting.append(
            seconds(lambda place: export_corpus(corpus, place, form), root / f"again-{number}")
        )
        copying.append(
            seconds(lambda place: copy(files, root / "export", place), root / f"copy-{number}")
        )
    shutil.rmtree(root / "export")
    return {
        "format": form,
        "files": len(files.paths),
        "MB": files.nbytes / 1e6,
        "export_s": median(exporting),
        "copy_s": median(copying),
        "speed_of_a_copy": median(copying) / median(exporting),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=600)
    parser.add_argument("--format", default=",".join(FORMATS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        corpus = build(Path(folder), arguments.samples)
        rows = [
            measure(corpus, form, Path(folder), arguments.rounds)
            for form in arguments.format.split(",")
        ]
    notes = [verdict(str(row["format"]), float(row["speed_of_a_copy"] or 0), GOAL) for row in rows]
    settings = {"rounds": arguments.rounds, "samples": arguments.samples}
    report({"exports beside plain copies": rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
