"""Compares the stream with its peers: samples per second over a shuffled epoch, page cache warm.

Decoded samples: input and target as RGB at their stored size (about 512 px), with 0, 1 and 2
workers; each contestant in the form that it gives fastest. Raw samples: encoded bytes; ours checks
every member's CRC-32, the peers do not. MosaicML gives a sample's members one by one, as ours does;
LitData gives parts of one buffer, and is shown for information. The time of an epoch includes the
start of its workers and, for ours, the opening of the shards' indexes, but not that of the data
set. Contestants take turns, and each round begins with another one; the first round does not count.
A batch is dropped as soon as it has come. Before all that, every contestant must have given the
same pixels. `stream_peers` says how each is set.

It ends within four minutes on two cores; rows with workers have half of the rounds.

Needs the peers' environment (`make bench-stream`).

python benchmarks/stream.py [--samples N] [--rounds N] [--form FORM] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
from measuring import Cell, report, verdict
from stream_corpora import drawn
from stream_peers import (
    BATCH,
    CONTESTANTS,
    Form,
    Loader,
    Stored,
    peer_versions,
    stored_for_all,
)

DECODED_GOAL, DECODED_GOAL_WITH_WORKERS = 1.5, 1.2
RAW_GOAL = 1.0
_RAW_TURNS = 6
"""Epochs of one turn where nothing is decoded: one alone is too short to be timed."""


def best_form(name: str, workers: int) -> Form:
    """The form in which a contestant gives its pictures fastest."""
    if workers > 0:
        return "torch"
    return "numpy" if name == "ours" else "pil"


def rate(open_loader: Callable[[], Loader], samples: int, epochs: int) -> float:
    """Samples per second over epochs; each epoch opens the data set anew.

    Raises:
        SystemExit: an epoch did not give every sample.
    """
    seconds = 0.0
    for _ in range(epochs):
        gc.collect()
        loader = open_loader()
        began = time.perf_counter()
        count = sum(map(len, loader))
        seconds += time.perf_counter() - began
        if count != samples:
            raise SystemExit(f"{count} samples of {samples} were given")
    return epochs * samples / seconds


def rates(
    contestants: Mapping[str, Callable[[], Loader]], samples: int, rounds: int, epochs: int = 1
) -> dict[str, float]:
    """Median rate of each contestant over rounds, after a round that does not count."""
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(1 + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            measured[name].append(rate(contestants[name], samples, epochs))
    return {name: median(values[1:]) for name, values in measured.items()}


def check_pixels(stored: Stored, workers: int) -> None:
    """Check that all contestants give the same pixels.

    Raises:
        SystemExit: they do not.
    """
    checksums_of = {}
    for name, open_loader in CONTESTANTS.items():
        checksums: Counter[int] = Counter()
        for batch in open_loader(stored, workers, best_form(name, workers)):
            for sample in batch:
                pictures = (sample["input"], sample["target"]) if name == "ours" else sample
                checksums[hash(tuple(zlib.crc32(channels_last(image)) for image in pictures))] += 1
        checksums_of[name] = checksums
    for name, checksums in checksums_of.items():
        if checksums != checksums_of["ours"]:
            raise SystemExit(f"{name} gives other pixels than ours")


def channels_last(picture: Any) -> bytes:
    """Bytes [H, W, 3] of an image, an array, or a tensor that may have its channels first."""
    pixels = np.asarray(picture)
    return (pixels if pixels.shape[-1] == 3 else pixels.transpose(1, 2, 0)).tobytes()


def contest(
    stored: Stored, samples: int, rounds: int, workers: int, form: Form | None
) -> dict[str, Cell]:
    """A row of the table for decoded samples.

    Args:
        stored: where the samples are.
        samples: how many there are.
        rounds: how many rounds count.
        workers: number of workers.
        form: form of the pictures; None takes the fastest form of each contestant.
    """
    contestants = {
        name: partial(open_loader, stored, workers, form or best_form(name, workers))
        for name, open_loader in CONTESTANTS.items()
    }
    measured = rates(contestants, samples, rounds)
    best = max(value for name, value in measured.items() if not name.startswith("ours"))
    return {
        "samples": "decoded",
        "workers": workers,
        **measured,
        "ours_by_best_peer": measured["ours"] / best,
    }


def raw(stored: Stored, samples: int, rounds: int) -> dict[str, Cell]:
    """A row of the table for raw samples."""
    contestants = {
        name: partial(open_loader, stored, 0, None)
        for name, open_loader in CONTESTANTS.items()
        if name != "ours_by_pillow"
    }
    measured = rates(contestants, samples, rounds, _RAW_TURNS)
    best = max(value for name, value in measured.items() if name != "ours")
    return {
        "samples": "raw",
        "workers": 0,
        **measured,
        "ours_by_best_peer": measured["ours"] / best,
        "ours_by_mosaicml": measured["ours"] / measured["mosaicml"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--form", choices=get_args(Form), help="for all; by default each one's best"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    samples, rounds = arguments.samples, arguments.rounds
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        stored = stored_for_all(drawn(Path(folder), samples), Path(folder))
        check_pixels(stored, 0)
        rows = [raw(stored, samples, 2 * rounds)]
        for workers in (0, 1, 2):
            some_rounds = rounds if workers == 0 else max(1, rounds // 2)
            rows.append(contest(stored, samples, some_rounds, workers, arguments.form))
    by_mosaicml = float(rows[0]["ours_by_mosaicml"])  # type: ignore[arg-type]
    notes = [verdict("raw, by MosaicML", by_mosaicml, RAW_GOAL)]
    for row in rows[1:]:
        goal = DECODED_GOAL if row["workers"] == 0 else DECODED_GOAL_WITH_WORKERS
        by_best = float(row["ours_by_best_peer"])  # type: ignore[arg-type]
        notes.append(verdict(f"decoded, {row['workers']} workers", by_best, goal))
    settings = {
        "samples": samples,
        "rounds": rounds,
        "batch": BATCH,
        "form": arguments.form or "each one's best",
        "peers": peer_versions(),
    }
    report({"samples per second": rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
