"""The stream beside webdataset on the same tars: samples per second, page cache warm.

Raw: member bytes, shuffled; ours checks every member's CRC-32, webdataset none. Decoded: input and
target as RGB at their stored size (about 512 px), with 0, 1 and 2 DataLoader workers. Also the time
to the first batch and to a batch in mid-epoch, which webdataset can only reach by reading on.

python benchmarks/stream.py [--samples N] [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Cell, report, verdict
from PIL import Image

import sgt_data
from sgt_data.manifest import parse_manifest
from sgt_data.sources.synthetic.write import write_samples
from sgt_data.stream.samples import Sample

RAW_GOAL, DECODED_GOAL = 1.0, 1.2
BATCH = 24
SHUFFLE_BUFFER = 1000
"""webdataset's own default for its shuffle buffer."""


def corpus_of(folder: Path, samples: int) -> str:
    """A corpus of drawn scenes at 512 px, each several times under different keys."""
    scenes = min(samples, 96)
    write_samples(str(folder / "scenes"), scenes, width=512, height=512)
    sources = [
        {"type": "sa1b", "name": f"s{number}", "tars": f"{folder}/scenes/sa1b/*.tar"}
        for number in range(-(-samples // scenes))
    ]
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "shard_samples": 64,
            "pictures": {"min_side": 512, "max_side": 512},
            "sources": sources,
            "proxies": [{"type": "segmentation", "name": "entity", "variant": "entity"}],
        }
    )
    report = sgt_data.build_corpus(manifest, str(folder / "corpus"), workers=0)
    assert report.succeeded
    return str(folder / "corpus")


def rgb(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def decoded(sample: Sample) -> tuple[Any, Any]:
    return sample.pictures()


def webdataset_decoded(sample: dict[str, Any]) -> tuple[Any, Any]:
    return rgb(sample["input.jpg"]), rgb(sample["target.png"])


def ours(corpus: str, workers: int, decode: bool) -> Iterator[int]:
    """Samples per batch, of one epoch."""
    stream = sgt_data.Stream(
        {corpus: ["entity"]}, batch_size=BATCH, transform=decoded if decode else None
    )
    for batch in _loader(stream, workers):
        yield len(batch["samples"])


def webdatasets(corpus: str, workers: int, decode: bool) -> Iterator[int]:
    import webdataset

    tars = sorted(map(str, Path(corpus).glob("entity/*.tar")))
    dataset = webdataset.WebDataset(tars, shardshuffle=len(tars), empty_check=False)
    dataset = dataset.shuffle(SHUFFLE_BUFFER)
    if decode:
        dataset = dataset.map(webdataset_decoded)
    for batch in _loader(dataset.batched(BATCH, collation_fn=list), workers):
        yield len(batch)


def _loader(dataset: Iterable[Any], workers: int) -> Iterable[Any]:
    if workers == 0:
        return dataset
    from torch.utils.data import DataLoader

    loader: DataLoader[Any] = DataLoader(dataset, batch_size=None, num_workers=workers)  # type: ignore[arg-type]
    return loader


def rate(way: Callable[..., Iterator[int]], *arguments: object) -> float:
    """Samples per second over an epoch, from the first request on."""
    began = time.perf_counter()
    count = sum(way(*arguments))
    return count / (time.perf_counter() - began)


def start_and_resume(corpus: str, steps: int) -> tuple[float, float]:
    """Seconds from nothing to the first batch, and to the batch after so many."""
    began = time.perf_counter()
    stream = sgt_data.Stream({corpus: ["entity"]}, batch_size=BATCH)
    next(iter(stream))
    first = time.perf_counter() - began
    for _ in islice(iter(stream), steps):
        pass
    state = stream.state_dict()
    began = time.perf_counter()
    resumed = sgt_data.Stream({corpus: ["entity"]}, batch_size=BATCH)
    resumed.load_state_dict(state)
    next(iter(resumed))
    return first, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1920)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Cell]] = []
    notes = []
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        corpus = corpus_of(Path(folder), arguments.samples)
        contests = [("raw", 0, False), *(("decoded", workers, True) for workers in (0, 1, 2))]
        for what, workers, decode in contests:
            taken: dict[str, list[float]] = {"ours": [], "webdataset": []}
            for _ in range(1 + arguments.rounds):
                for name, way in (("ours", ours), ("webdataset", webdatasets)):
                    taken[name].append(rate(way, corpus, workers, decode))
            found = {name: median(rates[1:]) for name, rates in taken.items()}
            ratio = found["ours"] / found["webdataset"]
            rows.append(
                {
                    "samples": what,
                    "workers": workers,
                    **{f"{name}_per_second": value for name, value in found.items()},
                    "ours_by_webdataset": ratio,
                }
            )
            goal = DECODED_GOAL if decode else RAW_GOAL
            notes.append(verdict(f"{what}, {workers} workers", ratio, goal))
        first, resumed = start_and_resume(corpus, arguments.samples // BATCH // 2)
    notes.append(f"first batch after {first * 1e3:.1f} ms, after a resume {resumed * 1e3:.1f} ms")
    settings = {"samples": arguments.samples, "rounds": arguments.rounds, "batch": BATCH}
    report({"samples per second, one process": rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
