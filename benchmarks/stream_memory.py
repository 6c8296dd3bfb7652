"""What a stream of a million samples needs, and whether a worker's memory grows over an epoch.

A million samples: the seconds to a first batch and to a batch in the middle of an epoch, and by how
much the resident memory of a process of its own grows, at once and after many more batches. All
tars are hard links to one tar (see `stream_corpora`), so the page cache is warmer than with a
million real samples. A worker: its resident memory during an epoch of small samples.

Needs the peers' environment (`make bench-stream`), as all of the stream's benchmarks.

python benchmarks/stream_memory.py [--million N] [--samples N] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.dataset  # noqa: F401  (pyarrow imports it when it first reads a table)
from measuring import Cell, in_fresh_process, report, verdict
from stream_corpora import PROXY, linked, multiplied

from sgt_data.files.urls import is_local
from sgt_data.stream.stream import Stream
from sgt_data.subsets.open_corpus import open_corpus

GROWTH_GOAL_MB = 100.0
BATCH = 24
_READ_ON = 5_000
"""Number of further batches: they need more shards than a stream keeps indexes of."""
_FLAT = 1.05


def resident_mb(process: int | None = None) -> float:
    """Resident memory in MB (1e6 bytes) of this process or another."""
    pages = Path(f"/proc/{process or os.getpid()}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_stream(corpus: str) -> Stream:
    return Stream({corpus: [PROXY]}, batch_size=BATCH)


def million(corpus: str) -> dict[str, Cell]:
    """The row for a million samples: open a stream, take a batch, resume in the middle of an epoch,
    read many batches. It needs a process of its own."""
    is_local(corpus)  # fsspec loads what it needs
    gc.collect()
    before, began = resident_mb(), time.perf_counter()
    stream = open_stream(corpus)
    next(iter(stream))
    first = time.perf_counter() - began
    grown = resident_mb() - before
    stream.set_epoch(0)
    state = {**stream.state_dict(), "step": len(stream) // 2}
    began = time.perf_counter()
    resumed = open_stream(corpus)
    resumed.load_state_dict(state)
    next(iter(resumed))
    resume = time.perf_counter() - began
    del stream
    for _ in islice(iter(resumed), _READ_ON):
        pass
    return {
        "samples": open_corpus(corpus).header.totals[PROXY]["samples"],
        "first_batch_seconds": first,
        "resume_seconds": resume,
        "grown_mb": grown,
        "grown_by_reading_on_mb": resident_mb() - before,
    }


def worker_over_epoch(corpus: str) -> list[dict[str, Cell]]:
    """Resident memory of a DataLoader's worker at several points of its epoch."""
    from torch.utils.data import DataLoader

    stream = open_stream(corpus)
    steps = len(stream)
    loader: DataLoader[Any] = DataLoader(stream, batch_size=None, num_workers=1)  # type: ignore[arg-type]
    marks = {max(1, steps * percent // 100): percent for percent in (1, 10, 25, 50, 75, 100)}
    rows: list[dict[str, Cell]] = []
    for step, _ in enumerate(loader, 1):
        if step in marks:
            (worker,) = multiprocessing.active_children()
            rows.append({"epoch_percent": marks[step], "worker_mb": resident_mb(worker.pid)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(million(arguments.child)))
        return
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        whole = linked(Path(folder) / "million", arguments.million)
        many = in_fresh_process(__file__, "--child", whole)
        rows = worker_over_epoch(multiplied(Path(folder) / "epoch", arguments.samples))
    early = next(row for row in rows if row["epoch_percent"] == 10)
    ratio = float(rows[-1]["worker_mb"]) / float(early["worker_mb"])  # type: ignore[arg-type]
    notes = [
        verdict("growth by the opened stream, MB", many["grown_mb"], GROWTH_GOAL_MB, at_most=True),
        verdict(
            "growth when it has read on, MB",
            many["grown_by_reading_on_mb"],
            GROWTH_GOAL_MB,
            at_most=True,
        ),
        verdict("worker at the end by worker at 10 %", ratio, _FLAT, at_most=True),
    ]
    settings = {"million": arguments.million, "samples": arguments.samples, "batch": BATCH}
    tables = {
        "a stream of many samples": [many],
        f"a worker over an epoch of {arguments.samples} samples": rows,
    }
    report(tables, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
