"""How soon the stream and its peers give a first batch, and resume in mid-epoch: seconds.

Encoded samples, no workers, page cache warm. Each figure is of a process of its own, from the
opening of the data set on, with all imports done. MosaicML's threads look ahead as far as they
do by default, which is its fastest start. Each contestant takes its state after half an epoch, then
gives one more batch; who resumes exactly begins with the same batch. webdataset has no state: it
reads all samples up to where it was.

Needs the peers' environment (`make bench-stream`).

python benchmarks/stream_start.py [--samples N] [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Cell, in_fresh_process, report
from stream_corpora import PROXY, multiplied
from stream_peers import (
    BATCH,
    Stored,
    batches_of,
    litdata_loader,
    mosaic_dataset,
    peer_versions,
    stored_for_all,
    webdatasets,
)

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.stream.stream import Stream


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened data set.

    Attributes:
        batches: its batches.
        state_after: the state to resume from, by the number of batches taken.
    """

    batches: Iterator[list[Any]]
    state_after: Callable[[int], Any]


def ours(stored: Stored, state: Any) -> Opened:
    stream = Stream({stored.corpus: [PROXY]}, batch_size=BATCH)
    if state is not None:
        stream.load_state_dict(state)
    return Opened((batch["samples"] for batch in stream), lambda _: stream.state_dict())


def webdataset(stored: Stored, state: Any) -> Opened:
    all_batches = iter(webdatasets(stored, 0, None))
    return Opened(islice(all_batches, state, None), lambda steps: steps)


def mosaicml(stored: Stored, state: Any) -> Opened:
    dataset = mosaic_dataset(stored.mds, None, None)
    if state is not None:
        dataset.load_state_dict(state)
    return Opened(batches_of(iter(dataset)), lambda steps: dataset.state_dict(steps * BATCH, True))


def litdata(stored: Stored, state: Any) -> Opened:
    loader = litdata_loader(stored.litdata, 0, None)
    if state is not None:
        loader.load_state_dict(state)
    return Opened(iter(loader), lambda _: loader.state_dict())


OPEN: dict[str, Callable[[Stored, Any], Opened]] = {
    "ours": ours,
    "webdataset": webdataset,
    "mosaicml": mosaicml,
    "litdata": litdata,
}


def child(task: dict[str, Any]) -> dict[str, Any]:
    """Open a data set in a process of its own, and take a batch.

    Args:
        task: `name` of the contestant, `stored`, and perhaps the `state` to resume from. With
            `read`, so many batches are taken.

    Returns:
        The seconds to the first batch and its keys; with `read`, the state after these batches and
        the keys of the batch that follows.
    """
    import_all(task["name"])
    began = time.perf_counter()
    opened = OPEN[task["name"]](Stored(**task["stored"]), task.get("state"))
    if "read" in task:
        read = sum(map(len, islice(opened.batches, task["read"])))
        assert read == task["read"] * BATCH
        return {"state": opened.state_after(task["read"]), "keys": keys(next(opened.batches))}
    batch = next(opened.batches)
    return {"seconds": time.perf_counter() - began, "keys": keys(batch)}


def import_all(name: str) -> None:
    """Import what a contestant imports when it is opened."""
    provide_torchvision_operators()
    import torch.utils.data  # noqa: F401

    if name == "ours":
        import pyarrow.dataset  # noqa: F401
    elif name == "webdataset":
        import webdataset  # noqa: F401
    elif name == "mosaicml":
        import streaming  # noqa: F401
    elif name == "litdata":
        import litdata  # noqa: F401


def keys(batch: list[Any]) -> list[str]:
    """Keys of the samples of a batch."""
    if not isinstance(batch[0], dict):
        return [sample.key for sample in batch]
    return [sample.get("__key__", sample.get("key")) for sample in batch]


def warm(folder: Path) -> None:
    """Read every file, so that the page cache holds all of them."""
    for file in folder.rglob("*"):
        if file.is_file():
            file.read_bytes()


def measure(stored: Stored, samples: int, rounds: int) -> list[dict[str, Cell]]:
    """A row of the table for each contestant."""

    def run(name: str, **task: Any) -> Any:
        task |= {"name": name, "stored": asdict(stored)}
        return in_fresh_process(__file__, "--child", json.dumps(task))

    half = samples // BATCH // 2
    resume_points = {name: run(name, read=half) for name in OPEN}
    first: dict[str, list[float]] = {name: [] for name in OPEN}
    resumed: dict[str, list[float]] = {name: [] for name in OPEN}
    exact = dict.fromkeys(OPEN, True)
    names = list(OPEN)
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            first[name].append(run(name)["seconds"])
            result = run(name, state=resume_points[name]["state"])
            resumed[name].append(result["seconds"])
            exact[name] &= result["keys"] == resume_points[name]["keys"]
    return [
        {
            "contestant": name,
            "first_batch_seconds": median(first[name]),
            "resume_seconds": median(resumed[name]),
            "resumes_exactly": exact[name],
        }
        for name in names
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        print(json.dumps(child(arguments.child)))
        return
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        corpus = multiplied(Path(folder), arguments.samples)
        stored = stored_for_all(corpus, Path(folder))
        warm(Path(folder))
        rows = measure(stored, arguments.samples, arguments.rounds)
    settings = {
        "samples": arguments.samples,
        "rounds": arguments.rounds,
        "batch": BATCH,
        "peers": peer_versions(),
    }
    report({"from nothing to a batch": rows}, settings, (), arguments.json)


if __name__ == "__main__":
    main()
