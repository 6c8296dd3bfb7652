"""The page of a corpus of a million samples: its first answer, its memory, its filters.

    python benchmarks/view.py [--json FILE]

The corpus is made up: `corpus.json`, receipts and indexes as builds write them, and no tars, as a
gallery reads none of them but for what is on its page. (Cards say that their instruction cannot be
read.) Instructions lie in tars: their search is measured on a smaller corpus that has some. All is
read from the page cache. The server's answers are measured without the browser, in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from measuring import Cell, in_fresh_process, report, verdict

from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.index import INDEX_SCHEMA, index_bytes
from sgt_data.corpus.paths import index_path, quarantine_path, receipt_path
from sgt_data.corpus.receipt import Receipt, add_up, commit
from sgt_data.corpus.shard import (
    EncodedSample,
    ShardOrigin,
    ShardWriter,
    file_digest,
    receipt_bytes,
)
from sgt_data.files.writing import write_atomic
from sgt_data.view.answers import Answers
from sgt_data.view.open_collection import open_collection
from sgt_data.view.query import Query

PROXY, SOURCES = "segmentation", ("coco", "sa1b")
FIRST_SECONDS_MAX, FILTER_SECONDS_MAX, MEMORY_MAX = 1.0, 0.5, 1000.0
_CATEGORIES = [f"category-{number}" for number in range(133)]
_LICENCES = [f"licence {number}" for number in range(8)]
_SEEN_BYTES = 48_000


def index_of(shard: int, count: int, chance: np.random.Generator) -> pa.Table:
    """The index of a made-up shard: names, sizes and places of members as those of SA-1B."""
    lengths = chance.integers(0, 9, count)
    categories = chance.integers(0, len(_CATEGORIES), int(lengths.sum()))
    names = pa.array(_CATEGORIES).take(pa.array(categories))
    lists = pa.ListArray.from_arrays(pa.array(np.cumsum([0, *lengths]), pa.int32()), names)
    offsets = 512 + _SEEN_BYTES * np.arange(count)
    columns: dict[str, Any] = {
        "key": [f"{SOURCES[shard % 2]}_{shard * count + number:09d}" for number in range(count)],
        "source": [SOURCES[shard % 2]] * count,
        "member": [f"{shard * count + number:09d}.jpg" for number in range(count)],
        "licence": [_LICENCES[number] for number in chance.integers(0, 8, count)],
        "source_sha256": [f"{number:064x}" for number in range(count)],
        "source_width": [2250] * count,
        "source_height": [1500] * count,
        "width": chance.choice([1024, 688, 512], count),
        "height": [683] * count,
        "segments": chance.integers(1, 150, count),
        "categories": lists,
        "target_extension": ["png"] * count,
    }
    for place, member in enumerate(("input", "target", "instruction", "facts")):
        columns[f"{member}_offset"] = offsets + place * 12_000
        columns[f"{member}_size"] = [9_000] * count
        columns[f"{member}_crc32"] = chance.integers(0, 1 << 32, count)
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in INDEX_SCHEMA}
    )


def write_indexes(root: str, shards: int, count: int) -> None:
    """A corpus without tars."""
    chance = np.random.default_rng(0)
    receipts = []
    ledger = b""
    for number in range(shards):
        shard = f"{SOURCES[number % 2]}-part-{number:05d}"
        index = index_bytes(index_of(number, count, chance))
        summary = {
            "version": 1, "proxy": PROXY, "shard": shard, "source": SOURCES[number % 2],
            "slice": "part", "last": False, "inputs": count, "samples": count, "damaged": 0,
            "filtered": 0, "segments": 75 * count, "source_bytes": 0, "fingerprint": "0" * 64,
            "tar": {"bytes": _SEEN_BYTES * count, "sha256": "0" * 64},
            "index": file_digest(index), "quarantine": file_digest(ledger),
        }  # fmt: skip
        for path, data in (
            (index_path, index), (quarantine_path, ledger), (receipt_path, receipt_bytes(summary)),
        ):  # fmt: skip
            write_atomic(f"{root}/{path(PROXY, shard)}", data, synced=False)
        receipts.append(summary)
    _write_header(root, receipts)


def write_instructions(root: str, shards: int, count: int) -> None:
    """A corpus whose pictures are empty, and whose instructions can be searched."""
    receipts = []
    for number in range(shards):
        writer = ShardWriter()
        for row in index_of(number, count, np.random.default_rng(number)).to_pylist():
            text = f"Paint every segment of {row['key']} in a colour of its own."
            described = {name: row[name] for name in row if not name.endswith(("_size", "_offset"))}
            fields = {n: v for n, v in described.items() if n not in ("key", "target_extension")}
            fields = {n: v for n, v in fields.items() if not n.endswith("_crc32")}
            writer.samples.append(
                EncodedSample(row["key"], b"", b"", "png", text, {"key": row["key"]}, fields)
            )
        shard = f"{SOURCES[number % 2]}-part-{number:05d}"
        origin = ShardOrigin(PROXY, shard, SOURCES[number % 2], "part", False, 0, "0" * 64)
        receipts.append(commit(root, writer.encode(origin)))
    _write_header(root, receipts)


def _write_header(root: str, receipts: list[Receipt]) -> None:
    totals = {PROXY: add_up(receipts)}
    manifest = {
        "seed": 0,
        "sources": [{"name": name, "type": name} for name in SOURCES],
        "proxies": [{"name": PROXY, "type": "segmentation", "sources": None}],
    }
    by_source = {
        source: add_up(receipt for receipt in receipts if receipt["source"] == source)
        for source in SOURCES
    }
    write_header(
        root,
        CorpusHeader(
            "million", manifest, {"proxies": {PROXY: {}}}, {}, dict.fromkeys(SOURCES, ()),
            {PROXY: "0" * 64}, True, {PROXY: tuple(receipt["shard"] for receipt in receipts)},
            {PROXY: tuple(receipt["samples"] for receipt in receipts)}, totals, {PROXY: by_source},
        ),
    )  # fmt: skip


FILTERS = {
    "a category": Query(categories=(_CATEGORIES[3],)),
    "two categories and a licence": Query(
        categories=(_CATEGORIES[3], _CATEGORIES[4]), licences=(_LICENCES[0],)
    ),
    "a source, 10 to 20 segments": Query(sources=("sa1b",), least=10, most=20),
    "a text in the key": Query(text="31415", text_in="key"),
    "most segments first": Query(order="most"),
    "shuffled": Query(order="shuffled"),
}


def measure(url: str) -> dict[str, Any]:
    """Seconds and megabytes of the answers to a page of a corpus."""
    began, memory = time.perf_counter(), _megabytes()
    answers = Answers(open_collection(url))
    answers.overview()
    answers.samples(PROXY, Query(), 0.4)
    first, first_memory = time.perf_counter() - began, _megabytes()
    began = time.perf_counter()
    while not answers.counts(PROXY, Query(), 0.4)["complete"]:
        pass
    reading = time.perf_counter() - began
    middle = _seconds(lambda: answers.samples(PROXY, Query(page=20_000), 0))
    filters = {
        name: _seconds(lambda query=query: answers.samples(PROXY, query, 0))  # type: ignore[misc]
        for name, query in FILTERS.items()
    }
    counting = _seconds(lambda: answers.counts(PROXY, FILTERS["a category"], 0))
    return {
        "first": first, "memory": memory, "first_memory": first_memory, "reading": reading,
        "middle": middle, "filters": filters, "counting": counting, "peak": _megabytes(),
    }  # fmt: skip


def measure_search(url: str) -> dict[str, Any]:
    """Seconds of a search of all instructions of a corpus."""
    answers = Answers(open_collection(url))
    query = Query(text="000000007 ")
    while not answers.counts(PROXY, Query(), 10)["complete"]:
        pass
    began = time.perf_counter()
    while not (answer := answers.samples(PROXY, query, 0.4))["final"]:
        pass
    return {"seconds": time.perf_counter() - began, "instructions": answer["looked_at"]}


def _seconds(work: Callable[[], object], rounds: int = 5) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def _megabytes() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--shard", type=int, default=256, help="samples of each shard")
    parser.add_argument("--searched", type=int, default=50_000, help="instructions to search")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--search", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure or given.search:
        print(json.dumps(measure(given.measure) if given.measure else measure_search(given.search)))
        return
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        write_indexes(f"{folder}/corpus", -(-given.samples // given.shard), given.shard)
        page = in_fresh_process(sys.argv[0], "--measure", f"{folder}/corpus")
        write_instructions(f"{folder}/texts", -(-given.searched // given.shard), given.shard)
        search = in_fresh_process(sys.argv[0], "--search", f"{folder}/texts")
    answers: list[dict[str, Cell]] = [
        {"answer": "totals and the first page", "seconds": page["first"]},
        {"answer": "all indexes, read while the page is looked at", "seconds": page["reading"]},
        {"answer": "page 20,000", "seconds": page["middle"]},
        *({"answer": f"filter: {name}", "seconds": took} for name, took in page["filters"].items()),
        {"answer": "counts beside the gallery", "seconds": page["counting"]},
        {"answer": "1,000 instructions searched",
         "seconds": 1000 * search["seconds"] / search["instructions"]},
    ]  # fmt: skip
    memory: list[dict[str, Cell]] = [
        {"when": "before the corpus is opened", "megabytes": page["memory"]},
        {"when": "with the first page", "megabytes": page["first_memory"]},
        {"when": "at most", "megabytes": page["peak"]},
    ]
    slowest = max(page["filters"].values())
    report(
        {f"{given.samples:,} samples": answers, "memory of the server": memory},
        {"samples": given.samples, "shard": given.shard, "searched": given.searched},
        [
            verdict("seconds to the first page", page["first"], FIRST_SECONDS_MAX, at_most=True),
            verdict("seconds of the slowest filter", slowest, FILTER_SECONDS_MAX, at_most=True),
            verdict("megabytes at most", page["peak"], MEMORY_MAX, at_most=True),
        ],
        given.json,
    )


if __name__ == "__main__":
    main()
