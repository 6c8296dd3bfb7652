"""COCO train2017 at its real size, generated: the driver's seconds and memory, and the first shard.

The annotation file has COCO's number of pictures, instances, polygons and bytes; the zip has its
number of stored members and its bytes, mostly holes, so that it takes about a gigabyte of a disk.

    plan         `build --dry-run`: seconds, and peak resident memory of the driver
    slices       bytes that a worker is sent for a slice, which hold its annotations and places
    first shard  `build --workers 2`: seconds until a receipt is there; peak memory by process

python benchmarks/full_size_coco.py [--full] [--pictures N] [--scratch DIR] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import psutil
from full_size_files import PICTURES, write_annotations, write_zip
from measuring import Cell, in_fresh_process, report, verdict

from sgt_data.engine.listing import list_inputs
from sgt_data.manifest.manifest import load_manifest

FIRST_SHARD_GOAL, DRIVER_GOAL_MB = 60.0, 3000.0
_USUAL_PICTURES = 20_000
_POLL_SECONDS = 0.1
_FIRST_SHARD_LIMIT = 300.0
_END_LIMIT = 60.0
_DRIVER = "driver"


def write_manifest(folder: Path) -> Path:
    """Write a manifest beside the zip and the annotations; its path."""
    manifest = folder / "coco.yaml"
    manifest.write_text(
        "name: full-size\n"
        f"sources: [{{type: coco, root: {folder}, annotations: [instances], "
        f"pictures: {folder}/train2017.zip}}]\n"
        "proxies: [{type: segmentation, variant: instance}]\n"
    )
    return manifest


def plan_row(manifest: Path, folder: Path) -> dict[str, Cell]:
    """Seconds and peak memory of a dry run."""
    command = [*_build(manifest, folder / "planned"), "--dry-run"]
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        errors = child.stderr.read().decode() if child.stderr else ""
        raise SystemExit(f"the dry run failed:\n{errors[-2000:]}")
    return {"seconds": time.perf_counter() - began, "driver_peak_mb": usage.ru_maxrss / 1000}


def slice_row(manifest: str) -> dict[str, Cell]:
    """Bytes of the notes that travel to the workers. It needs a process of its own."""
    began = time.perf_counter()
    listing = list_inputs(load_manifest(manifest))
    notes = [len(piece.payload) for piece in listing.slices]
    return {
        "slices": len(notes),
        "bytes_per_slice": mean(notes),
        "largest": max(notes),
        "all_mb": sum(notes) / 1e6,
        "listing_seconds": time.perf_counter() - began,
    }


def first_shard_rows(manifest: Path, folder: Path) -> tuple[float, list[dict[str, Cell]]]:
    """Seconds until the first receipt, and the peak resident memory of each kind of process."""
    output = folder / "corpus"
    command = [*_build(manifest, output), "--workers", "2"]
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peaks: dict[str, dict[int, float]] = defaultdict(dict)
    root = psutil.Process(child.pid)
    try:
        while not any(output.glob("receipts/*/*.json")):
            if child.poll() is not None or time.perf_counter() - began > _FIRST_SHARD_LIMIT:
                raise SystemExit("the build ended, or took too long, before its first shard")
            _note_peaks(root, peaks)
            time.sleep(_POLL_SECONDS)
        seconds = time.perf_counter() - began
        _note_peaks(root, peaks)
    finally:
        _end(child)
    rows: list[dict[str, Cell]] = [
        {"process": kind, "processes": len(of_kind), "largest_peak_mb": max(of_kind.values())}
        for kind, of_kind in sorted(peaks.items())
    ]
    return seconds, rows


def _build(manifest: Path, output: Path) -> list[str]:
    return [sys.executable, "-m", "sgt_data", "build", str(manifest), "--output", str(output)]


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a build as a person does, and what it started."""
    left: list[psutil.Process] = []
    with suppress(psutil.Error):
        left = psutil.Process(child.pid).children(recursive=True)
    child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_END_LIMIT)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    child.kill()
    child.wait()


def _note_peaks(root: psutil.Process, peaks: dict[str, dict[int, float]]) -> None:
    with suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error, OSError, StopIteration):
                kind = _kind(process, root)
                # of the build's own processes: Ray's own daemons are not of its making
                if kind is not None:
                    peaks[kind][process.pid] = _peak_mb(process.pid)


def _kind(process: psutil.Process, root: psutil.Process) -> str | None:
    if process.pid == root.pid:
        return _DRIVER
    title = " ".join(process.cmdline())
    if not title.startswith("ray::"):
        return None
    return "idle worker" if title.startswith("ray::IDLE") else "worker"


def _peak_mb(process: int) -> float:
    """Largest resident memory of a process so far, with what it maps of Ray's object store."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"all {PICTURES:,} pictures")
    parser.add_argument("--pictures", type=int, default=_USUAL_PICTURES)
    parser.add_argument("--scratch", type=Path, help="folder for 2 GB; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    parser.add_argument("--slices-of", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.slices_of:
        print(json.dumps(slice_row(arguments.slices_of)))
        return
    count = PICTURES if arguments.full else arguments.pictures
    with TemporaryDirectory(prefix="sgt-bench-", dir=arguments.scratch) as scratch:
        folder = Path(scratch)
        root = folder / "coco"
        files: dict[str, Cell] = {
            "pictures": count,
            "instances": write_annotations(root / "annotations", count),
            "zip_gb": write_zip(root / "train2017.zip", count) / 1e9,
        }
        place = root / "annotations" / "instances_train2017.json"
        files["json_mb"] = place.stat().st_size / 1e6
        manifest = write_manifest(root)
        plan = plan_row(manifest, folder)
        slices = in_fresh_process(__file__, "--slices-of", str(manifest))
        seconds, memory = first_shard_rows(manifest, folder)
    driver = max(float(row["largest_peak_mb"] or 0) for row in memory if row["process"] == _DRIVER)
    notes = [
        verdict("seconds to the first shard", seconds, FIRST_SHARD_GOAL, at_most=True),
        verdict("peak MB of the driver", driver, DRIVER_GOAL_MB, at_most=True),
    ]
    tables: dict[str, list[dict[str, Cell]]] = {
        "Files": [files], "Plan (dry run)": [plan], "What workers are sent": [slices],
        "Memory until the first shard": memory,
    }  # fmt: skip
    report(tables, {"pictures": count, "workers": 2}, notes, arguments.json)


if __name__ == "__main__":
    main()
