"""Subsets: ranking a million keys, reading their indexes, copying samples out of shards.

    python benchmarks/subset.py [--json FILE]

A copy of a subset is compared with `shutil.copytree` of the same files. Both read from the page
cache and write to the local disk, and both end when the disk has the data: a subset's copy waits
for the disk before each receipt, and hashes all that it reads. (For information: a plain copy that
the disk does not have yet.) The first round does not count. Figures are medians; `share of best`
compares the fastest rounds of both. Memory of the copy's size is taken and given back before each
turn: a virtual machine may have to get it from its host first.
Pictures and targets are noise of the sizes that SA-1B's have at 1024 pixels.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from measuring import Cell, report, verdict

from sgt_data import (
    IN_PROCESS,
    SubsetRule,
    open_corpus,
    subset,
)
from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.receipt import add_up, commit
from sgt_data.corpus.shard import EncodedSample, ShardOrigin, ShardWriter
from sgt_data.subsets.ranked_keys import rank_keys
from sgt_data.subsets.ranking import keyed_hashes, ranked

PICTURE_BYTES, TARGET_BYTES = 380_000, 42_000
RANK_SECONDS_MAX, COPY_SHARE_MIN = 2.0, 0.7
_PROXY, _SOURCE = "segmentation", "sa1b"


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a corpus to measure on.

    Attributes:
        shards: how many.
        samples: in each shard.
        picture: bytes of each input picture.
        target: bytes of each target.
    """

    shards: int
    samples: int
    picture: int
    target: int


def draw_corpus(root: Path, size: Size) -> str:
    """Write a corpus of noise; its URL."""
    chance = np.random.default_rng(0)
    noise = chance.bytes(size.picture + size.samples)
    identity = {"proxies": {_PROXY: {}}, "banks": {_PROXY: ""}, "makers": {_PROXY: {}}}
    header = CorpusHeader(
        "noise",
        {"seed": 0, "sources": [{"name": _SOURCE}], "proxies": [{"name": _PROXY, "sources": None}]},
        identity, {}, {_SOURCE: ()}, {_PROXY: "0" * 64},
    )  # fmt: skip
    receipts = []
    for shard in range(size.shards):
        writer = ShardWriter()
        for number in range(size.samples):
            key = f"{_SOURCE}_sa_{shard * size.samples + number}"
            row = {
                "source": _SOURCE, "member": f"{key}.jpg", "licence": "SA-1B", "width": 1024,
                "height": 683, "source_width": 2250, "source_height": 1500, "categories": [],
                "source_sha256": f"{number:064x}", "segments": int(chance.integers(1, 150)),
            }  # fmt: skip
            picture = noise[number : number + size.picture]
            target = noise[number : number + size.target]
            writer.samples.append(
                EncodedSample(
                    key, picture, target, "png", "Segment this picture.", {"key": key}, row
                )
            )
        name = f"{_SOURCE}-sa_{shard:06d}-00000"
        origin = ShardOrigin(_PROXY, name, _SOURCE, name, True, 0, "0" * 64)
        receipts.append(commit(str(root), writer.encode(origin)))
    totals = {_PROXY: add_up(receipts)}
    write_header(
        str(root),
        CorpusHeader(
            header.name, header.manifest, identity, {}, {_SOURCE: ()}, header.fingerprints, True,
            {_PROXY: tuple(receipt["shard"] for receipt in receipts)},
            {_PROXY: tuple(receipt["samples"] for receipt in receipts)},
            totals, {_PROXY: {_SOURCE: totals[_PROXY]}},
        ),
    )  # fmt: skip
    return str(root)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ranking_rows(count: int, rounds: int) -> list[dict[str, Cell]]:
    keys = [f"{_SOURCE}_sa_{number}" for number in range(count)]
    chance = np.random.default_rng(0)
    rows: list[dict[str, Cell]] = []
    for what, many in (("one source", 1), ("two sources", 2), ("2 sources x 80 categories", 160)):
        strata = chance.integers(0, many, count)
        sizes = np.bincount(strata, minlength=many)
        hashes = keyed_hashes(keys, 0)
        ranked(keys[:1000], hashes[:1000], strata[:1000], sizes)  # compiled here
        hashing = median(seconds(lambda: keyed_hashes(keys, 0)) for _ in range(rounds))
        ordering = median(
            seconds(lambda given=(hashes, strata, sizes): ranked(keys, *given))  # type: ignore[misc]
            for _ in range(rounds)
        )
        rows.append(
            {
                "strata": what, "keys": count, "hash s": hashing, "order s": ordering,
                "rank s": hashing + ordering,
            }
        )  # fmt: skip
    return rows


def index_row(folder: Path, shards: int, rounds: int) -> dict[str, Cell]:
    """How long it takes to read the indexes of a corpus and to rank its keys."""
    url = draw_corpus(folder, Size(shards, 256, 1, 1))
    took = median(seconds(lambda: rank_keys(open_corpus(url), SubsetRule())) for _ in range(rounds))
    return {"keys": shards * 256, "shards": shards, "read and rank s": took}


def plain_copy(source: Path, target: Path, durable: bool) -> None:
    """Copy a folder with `shutil.copytree`; if `durable`, wait until the disk has it."""
    shutil.copytree(source, target)
    for path in target.rglob("*") if durable else ():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def seconds_of_each(
    works: Mapping[str, Callable[[], object]], target: Path, sources: Sequence[Path], nbytes: int
) -> dict[str, float]:
    """Seconds of each work, by its name. Before each the target is removed, the disk is at rest,
    `nbytes` of memory and half as many again are free, and the sources are in the page cache."""
    times = {}
    for name, work in works.items():
        shutil.rmtree(target, ignore_errors=True)
        os.sync()
        for path in (path for source in sources for path in source.rglob("*.tar")):
            path.read_bytes()
        np.ones(nbytes + nbytes // 2, np.uint8)
        times[name] = seconds(work)
    return times


def copy_row(
    folder: Path, url: str, what: str, fraction: float, whole: bool, rounds: int
) -> dict[str, Cell]:
    made, target = folder / "made", folder / "target"
    sources = (Path(url), made)
    shutil.rmtree(made, ignore_errors=True)
    rule = SubsetRule(whole_shards=whole)
    subset(url, fraction, rule=rule, output=str(made), cluster=IN_PROCESS)
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: subset(url, fraction, rule=rule, output=str(target), cluster=IN_PROCESS),
        "plain": lambda: plain_copy(made, target, durable=True),
        "unsynced": lambda: plain_copy(made, target, durable=False),
    }
    nbytes = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    seconds_of_each(works, target, sources, nbytes)
    names = list(works)
    turns = []
    for turn in range(rounds):
        order = [names[(turn + place) % len(names)] for place in range(len(names))]
        ordered = {name: works[name] for name in order}
        turns.append(seconds_of_each(ordered, target, sources, nbytes))
    speed = {name: nbytes / median(turn[name] for turn in turns) / 1e6 for name in names}
    best = {name: min(turn[name] for turn in turns) for name in names}
    return {
        "copy of": what, "megabytes": nbytes / 1e6, "ours MB/s": speed["ours"],
        "plain MB/s": speed["plain"], "share": speed["ours"] / speed["plain"],
        "share of best": best["plain"] / best["ours"],
        "plain, not on disk yet": speed["unsynced"],
    }  # fmt: skip


def copy_rows(folder: Path, size: Size, rounds: int) -> list[dict[str, Cell]]:
    url = draw_corpus(folder / "corpus", size)
    return [
        copy_row(folder, url, what, fraction, whole, rounds)
        for what, fraction, whole in (
            ("all samples", 1.0, False),
            ("a quarter", 0.25, False),
            ("half of the shards, whole", 0.5, True),
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--index-shards", type=int, default=400)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--samples", type=int, default=256, help="of each shard")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    size = Size(given.shards, given.samples, PICTURE_BYTES, TARGET_BYTES)
    with TemporaryDirectory(prefix="sgt-bench-", dir=given.folder) as folder:
        rankings = ranking_rows(given.keys, given.rounds)
        indexes = index_row(Path(folder) / "indexes", given.index_shards, given.rounds)
        copies = copy_rows(Path(folder), size, given.rounds)
    slowest = max(float(row["rank s"] or 0) for row in rankings)
    worst = min(float(row["share"] or 0) for row in copies)
    report(
        {"ranking": rankings, "from the indexes on": [indexes], "copies": copies},
        {name: str(value) for name, value in vars(given).items() if name != "json"},
        [
            verdict(
                f"seconds to rank {given.keys:,} keys", slowest, RANK_SECONDS_MAX, at_most=True
            ),
            verdict("share of a plain copy's speed", worst, COPY_SHARE_MIN),
        ],
        given.json,
    )


if __name__ == "__main__":
    main()
