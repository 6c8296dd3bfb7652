"""What the decoder of `sgt-data score` recovers of copies of targets, and how fast it is.

Each target is copied exactly, through JPEG 75 with chroma subsampling (4:2:0), through bicubic
resizing to half its size and back, through both, and at half its size. Printed is the mIoU of each
copy (of classes for semantic maps and legends, of segments for the others) as the nearest of the
target's colours gives it, pixel by pixel, and as the decoder does, which is not told the colours
of class-blind targets; and the milliseconds per picture of both.

python benchmarks/score_decoding.py [CORPUS] [--pictures N] [--json FILE]

Without a corpus, one is built from SA-1B and COCO below `SGT_REAL_DATA`, else from drawn scenes.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import Cell, pictures, report
from numpy.typing import NDArray
from PIL import Image

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.scoring.decoding_options import PLAIN, ROBUST
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.segmentation_measures import segmentation_measure
from sgt_data.subsets.open_corpus import open_corpus

Pixels = NDArray[np.uint8]

NAIVE = replace(PLAIN, compare_at="target")


def through_jpeg(pixels: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def halved(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    half = width // 2, height // 2
    return np.asarray(Image.fromarray(pixels).resize(half, Image.Resampling.BICUBIC))


def half_and_back(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    small = Image.fromarray(halved(pixels))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


COPIES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "exact": lambda pixels: pixels,
    "JPEG 75": through_jpeg,
    "half and back": half_and_back,
    "half and back, JPEG 75": lambda pixels: through_jpeg(half_and_back(pixels)),
    "half size": halved,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        corpus = arguments.corpus or built(Path(folder))
        opened = open_corpus(corpus)
        tables = {}
        for proxy in opened.proxies:
            stored = list(opened.samples(proxy))
            if stored[0].facts["type"] in ("segmentation", "legend", "referring"):
                scored = [
                    ScoredSample(sample.key, sample.target, sample.facts) for sample in stored
                ]
                tables[proxy] = rows(scored[: arguments.pictures])
    notes = ["shares of segments, classes or masks recovered; milliseconds per picture, one thread"]
    report(tables, {"pictures": arguments.pictures}, notes, arguments.json)


def built(folder: Path) -> str:
    """A corpus of at most 512 pixels of every proxy whose targets show segments."""
    with pictures() as data:
        sources: list[dict[str, Any]] = [{"type": "sa1b", "tars": data.tars}]
        proxies: list[dict[str, Any]] = [
            {"type": "segmentation", "name": "entity", "variant": "entity", "sources": ["sa1b"]}
        ]
        if data.coco is not None:
            layers = ["instances", "panoptic"]
            sources.append({"type": "coco", "root": str(data.coco), "annotations": layers})
            proxies += [
                {"type": "segmentation", "name": name, "variant": name, "sources": ["coco"]}
                for name in ("panoptic", "instance", "semantic")
            ]
            proxies.append({"type": "referring", "sources": ["coco"]})
            if "legend" in proxy_kinds():
                proxies.append({"type": "legend", "sources": ["coco"]})
        document = {
            "name": "score-decoding",
            "pictures": {"min_side": 256, "max_side": 512, "multiple_of": 16},
            "sources": sources,
            "proxies": proxies,
        }
        output = str(folder / "corpus")
        build_corpus(parse_manifest(document), output, cluster=IN_PROCESS)
    return output


def rows(samples: Sequence[ScoredSample]) -> list[dict[str, Cell]]:
    """A row for each copy: what both decoders recover, and their time."""
    facts = samples[0].facts
    classes = class_colours(sample.facts for sample in samples)
    measures = {
        name: segmentation_measure(facts, classes, decoding)
        for name, decoding in (("nearest", NAIVE), ("decoder", ROBUST))
    }
    drawings = [np.asarray(Image.open(io.BytesIO(s.target)).convert("RGB")) for s in samples]
    table: list[dict[str, Cell]] = []
    for copy, make in COPIES.items():
        copies = [make(drawing) for drawing in drawings]
        row: dict[str, Cell] = {"copy": copy}
        for name, measure in measures.items():
            measure.picture(copies[0], samples[0])
            start = time.process_time()
            kept = [measure.picture(*pair) for pair in zip(copies, samples, strict=True)]
            seconds = time.process_time() - start
            overall = measure.overall(kept, 0)
            row[name] = round(overall["mIoU" if "mIoU" in overall else "gIoU"].value, 3)
            row[f"{name} ms"] = round(1000 * seconds / len(samples), 1)
        table.append(row)
    return table


if __name__ == "__main__":
    main()
