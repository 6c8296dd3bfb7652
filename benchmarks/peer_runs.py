"""Runs of whole builds by programs: time, memory, a kill in the middle, what can be read."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from footprints import Footprint, with_descendants
from webdataset import WebDataset

BEGAN = "SGT_BENCHMARK_BEGAN"  # as in peer_programs/job.py

_PROGRAMS = Path(__file__).parent / "peer_programs"
_SAMPLE_EVERY, _LOOK_EVERY = 0.25, 0.02  # seconds
_LIMIT = 230.0  # seconds of a run
_MEMBERS = {"input.jpg", "target.png", "txt"}


@dataclass(frozen=True, slots=True)
class Run:
    """A run to the end.

    Attributes:
        seconds: from the start of the process to its end.
        work_seconds: of these, from the first sample's begin to the last shard's end.
        peak: largest footprint of the process and its descendants.
        printed: what it wrote to stdout.
    """

    seconds: float
    work_seconds: float
    peak: Footprint
    printed: str


@dataclass(frozen=True, slots=True)
class Readable:
    """What `webdataset` reads of an output.

    Attributes:
        samples: complete samples.
        missing: keys of the input that no sample has.
        doubled: samples whose key came before.
        broken: tars that end in an error, and samples without all members.
        left_over: files of unfinished work that lie beside the tars.
    """

    samples: int
    missing: int
    doubled: int
    broken: int
    left_over: int


def run(command: Sequence[str], output: Path) -> Run:
    """Run a program to its end.

    Raises:
        SystemExit: it fails, or takes too long.
    """
    began = output.with_name(output.name + ".began")
    log = output.with_name(output.name + ".log")
    peak = Footprint(0, 0)
    start, clock = time.time(), time.monotonic()
    with _started(command, began, log) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            footprint = Footprint.of(with_descendants([root]))
            peak = max(peak, footprint, key=lambda of: of.total)
            if time.monotonic() - clock > _LIMIT:
                kill(root)
                raise SystemExit(f"{command[1]} took more than {_LIMIT:.0f} s; see {log}")
            time.sleep(_SAMPLE_EVERY)
    seconds = time.monotonic() - clock
    printed = log.with_suffix(".out").read_text()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{log.read_text()[-2000:]}")
    first = float(began.read_text()) if began.exists() else start
    last = max(tar.stat().st_mtime for tar in tars_of(output))
    return Run(seconds, last - first, peak, printed)


def run_and_kill(command: Sequence[str], output: Path, tars: int) -> None:
    """Start a program; send SIGKILL to all of its processes once so many tars are there.

    Raises:
        SystemExit: it ends before.
    """
    began = output.with_name(output.name + ".began")
    clock = time.monotonic()
    with _started(command, began, output.with_name(output.name + ".log")) as process:
        while len(tars_of(output)) < tars and time.monotonic() - clock < _LIMIT:
            if process.poll() is not None:
                raise SystemExit(f"{command[1]} ended before it was to be killed")
            time.sleep(_LOOK_EVERY)
        kill(psutil.Process(process.pid))
    began.unlink(missing_ok=True)


def kill(root: psutil.Process) -> None:
    """SIGKILL for a process and all of its descendants."""
    processes = with_descendants([root])
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)


def readable(output: Path, keys: set[str]) -> Readable:
    """Read an output with `webdataset`, tar by tar, and compare it with the ids of the input."""
    samples: Counter[str] = Counter()
    broken = 0
    for tar in tars_of(output):
        try:
            for sample in WebDataset([str(tar)], shardshuffle=False, empty_check=False):
                if sample.keys() >= _MEMBERS:
                    samples[sample["__key__"].rpartition("_")[2]] += 1  # as `sa_1` and `sa1b_1`
                else:
                    broken += 1
        except Exception:  # any class, as each reader and codec has its own
            broken += 1
    left_over = [file for file in output.rglob("*") if file.suffix == ".part"]
    return Readable(
        len(samples), len(keys - samples.keys()), samples.total() - len(samples), broken,
        len(left_over),
    )  # fmt: skip


def digests(output: Path) -> Mapping[str, str]:
    """SHA-256 of each tar of an output, by its path."""
    return {
        str(tar.relative_to(output)): hashlib.sha256(tar.read_bytes()).hexdigest()
        for tar in tars_of(output)
    }


def tars_of(output: Path) -> list[Path]:
    """The tars below a folder, in the order of their names."""
    return sorted(output.rglob("*.tar"))


def _started(command: Sequence[str], began: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        BEGAN: str(began),
        "PYTHONPATH": f"{_PROGRAMS.parents[1]}:{_PROGRAMS}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with open(log, "wb") as errors, open(log.with_suffix(".out"), "wb") as results:
        return subprocess.Popen(command, stdout=results, stderr=errors, env=environment)
