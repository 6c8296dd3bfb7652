"""The stream beside its peers: samples per second over a shuffled epoch, page cache warm.

Decoded: input and target as RGB at their stored size (about 512 px), with 0, 1 and 2 workers. Raw,
for information: encoded bytes; ours checks every member's CRC-32 and parses the sample's JSON, the
peers do neither. An epoch counts from the first request on, the start of its workers with it, the
opening of the data set without. Contestants take turns, each round begun by another one; the first
round does not count. Batches are dropped as soon as they are there. Before all that, every
contestant must have given the same pixels. How each is set: see `stream_peers`.

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
from stream_corpora import PROXY, drawn
from stream_peers import (
    BATCH,
    CONTESTANTS,
    Form,
    Loader,
    Stored,
    loaded,
    peer_versions,
    stored_for_all,
)

import sgt_data
from sgt_data.stream.options import Reading

DECODED_GOAL, LOSS_GOAL = 1.2, 5.0
_RAW_TURNS = 3
"""Epochs of one turn where nothing is decoded: one alone is too short to be timed."""


def best_form(name: str, workers: int) -> Form:
    """In which a contestant hands its pictures over fastest."""
    return "pil" if workers == 0 and name != "ours" else "torch"


def rate(opened: Callable[[], Loader], samples: int, epochs: int) -> float:
    """Samples per second over epochs, each of a data set opened anew.

    Raises:
        SystemExit: an epoch did not give every sample.
    """
    seconds = 0.0
    for _ in range(epochs):
        gc.collect()
        loader = opened()
        began = time.perf_counter()
        count = sum(map(len, loader))
        seconds += time.perf_counter() - began
        if count != samples:
            raise SystemExit(f"{count} samples of {samples} were given")
    return epochs * samples / seconds


def rates(
    ways: Mapping[str, Callable[[], Loader]], samples: int, rounds: int, epochs: int = 1
) -> dict[str, float]:
    """Median rates over rounds, after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(1 + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(rate(ways[name], samples, epochs))
    return {name: median(found[1:]) for name, found in taken.items()}


def check_pixels(stored: Stored, workers: int) -> None:
    """That all contestants give the same pixels.

    Raises:
        SystemExit: they do not.
    """
    sums = {}
    for name, way in CONTESTANTS.items():
        found: Counter[int] = Counter()
        for batch in way(stored, workers, best_form(name, workers)):
            for sample in batch:
                pair = (sample["input"], sample["target"]) if name == "ours" else sample
                found[hash(tuple(zlib.crc32(channels_last(picture)) for picture in pair))] += 1
        sums[name] = found
    for name, found in sums.items():
        if found != sums["ours"]:
            raise SystemExit(f"{name} gives other pixels than ours")


def channels_last(picture: Any) -> bytes:
    """[H, W, 3] of an image, an array, or a tensor that may have its channels first."""
    pixels = np.asarray(picture)
    return (pixels if pixels.shape[-1] == 3 else pixels.transpose(1, 2, 0)).tobytes()


def contest(
    stored: Stored, samples: int, rounds: int, workers: int, form: Form | None
) -> dict[str, Cell]:
    """A row of decoded samples; `form` None takes each contestant's best."""
    ways = {
        name: partial(way, stored, workers, form or best_form(name, workers))
        for name, way in CONTESTANTS.items()
    }
    found = rates(ways, samples, rounds)
    best = max(rate for name, rate in found.items() if not name.startswith("ours"))
    return {
        "samples": "decoded",
        "workers": workers,
        **found,
        "ours_by_best_peer": found["ours"] / best,
    }


def raw(stored: Stored, samples: int, rounds: int) -> dict[str, Cell]:
    ways = {
        name: partial(way, stored, 0, None)
        for name, way in CONTESTANTS.items()
        if name != "ours_by_pillow"
    }
    found = rates(ways, samples, rounds, _RAW_TURNS)
    best = max(rate for name, rate in found.items() if name != "ours")
    return {"samples": "raw", "workers": 0, **found, "ours_by_best_peer": found["ours"] / best}


def checksums(corpus: str, samples: int, rounds: int) -> dict[str, Cell]:
    """What comparing every member with its CRC-32 costs of raw samples."""

    def opened(checked: bool) -> Loader:
        stream = sgt_data.Stream(
            {corpus: [PROXY]}, batch_size=BATCH, reading=Reading(checksums=checked)
        )
        return (batch["samples"] for batch in loaded(stream, 0))

    ways = {"with": partial(opened, True), "without": partial(opened, False)}
    found = rates(ways, samples, 2 * rounds, _RAW_TURNS)
    return {**found, "loss_percent": 100 * (1 - found["with"] / found["without"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1920)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--form", choices=get_args(Form), help="for all; by default each one's best"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    samples, rounds = arguments.samples, arguments.rounds
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        stored = stored_for_all(drawn(Path(folder), samples), Path(folder))
        rows = [contest(stored, samples, rounds, workers, arguments.form) for workers in (0, 1, 2)]
        rows.append(raw(stored, samples, rounds))
        checked = checksums(stored.corpus, samples, rounds)
    notes = [
        verdict(f"decoded, {row['workers']} workers", float(row["ours_by_best_peer"]), DECODED_GOAL)  # type: ignore[arg-type]
        for row in rows[:-1]
    ]
    loss = float(checked["loss_percent"])  # type: ignore[arg-type]
    notes.append(verdict("loss by checksums, percent of raw", loss, LOSS_GOAL, at_most=True))
    settings = {
        "samples": samples,
        "rounds": rounds,
        "batch": BATCH,
        "form": arguments.form or "each one's best",
        "peers": peer_versions(),
    }
    tables = {"samples per second": rows, "our checksums, raw samples per second": [checked]}
    report(tables, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
