"""What `sgt-data score` says of copies of targets that have a value for every pixel, and its speed.

Each target is drawn as it is, through JPEG 75 (4:2:0), through bicubic resizing to half its size
and back, through both, at half its size, and not at all. Printed are the measures of each proxy
over its pictures, and pictures a second in CPU time, the target's decoding included, scaled to
512x512 pixels.

python benchmarks/score_dense.py [CORPUS] [--pictures N] [--filters] [--json FILE]

Without a corpus, drawn scenes are built. With `--filters`: what a median of the walk's points
would do to the errors of metric depth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import Cell, report
from numpy.typing import NDArray
from score_decoding import COPIES

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import CorpusError
from sgt_data.geometry.colour_walk import metres_of_points, projected_points
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.proxies.metric_depth import MetricDepthProxy
from sgt_data.scenes.write_samples import write_samples
from sgt_data.scoring.dense_measures import dense_measure
from sgt_data.scoring.depth_errors import depth_errors
from sgt_data.scoring.measure import Measure, ScoredSample
from sgt_data.scoring.metric_depth_measure import FARTHEST, NEAREST
from sgt_data.subsets.open_corpus import open_corpus

_SCENES = 8
_UNIT = 1 / (65535 * 0.5)  # 1/m a code, as the scenes' own depth.json says
_MEDIANS = (1, 3, 5)
_PIXELS = 512 * 512

Pixels = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--filters", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    tables: dict[str, Sequence[Mapping[str, Cell]]] = {}
    with TemporaryDirectory() as folder:
        corpus = open_corpus(arguments.corpus or built(Path(folder)))
        for proxy in corpus.proxies:
            samples = [
                ScoredSample(stored.key, stored.target, stored.facts)
                for stored, _ in zip(corpus.samples(proxy), range(arguments.pictures), strict=False)
            ]
            try:
                measure = dense_measure(samples[0].facts)
            except CorpusError:
                continue
            tables[proxy] = list(scores(measure, samples))
            if arguments.filters and samples[0].facts["type"] == "metric_depth":
                tables[f"{proxy}: median of points"] = list(filters(samples))
    notes = ["pictures a second of one thread's CPU time, scaled to 512x512 pixels"]
    report(tables, {"pictures": arguments.pictures}, notes, arguments.json)


def built(folder: Path) -> str:
    """A corpus of drawn scenes of every proxy whose targets have a value for every pixel."""
    write_samples(str(folder / "sources"), _SCENES, seed=0)
    document = {
        "name": "score-dense",
        "sources": [
            {
                "type": "coco", "root": f"{folder}/sources/coco", "annotations": ["instances"],
                "depth": f"{folder}/sources/depth", "depth_is": "inverse", "depth_unit": _UNIT,
                "normals": f"{folder}/sources/normals",
            }
        ],
        "proxies": [
            {"type": "depth"},
            {"type": "depth", "name": "depth-inferno", "colormap": "inferno"},
            {"type": "depth", "name": "depth-16", "bits": 16},
            {"type": "metric_depth"},
            {"type": "normals"},
            {"type": "edge"},
            {"type": "edge", "name": "canny", "method": "canny"},
            {"type": "mae"},
        ],
    }  # fmt: skip
    output = str(folder / "corpus")
    build_corpus(parse_manifest(document), output, cluster=IN_PROCESS)
    return output


def scores(measure: Measure[Any], samples: Sequence[ScoredSample]) -> Iterator[Mapping[str, Cell]]:
    """A row of measures for each way of copying, and one for missing drawings."""
    targets = [rgb_pixels(sample.target) for sample in samples]
    measure.picture(targets[0], samples[0])  # compiles
    share = np.mean([target.shape[0] * target.shape[1] for target in targets]) / _PIXELS
    for name, copied in COPIES.items():
        rows, seconds = timed(measure, [copied(target) for target in targets], samples)
        yield {
            "copy": name,
            **{key: round(each.value, 5) for key, each in measure.overall(rows, 0).items()},
            "pictures/s": round(len(samples) / seconds * share, 1),
        }
    missing = measure.overall([measure.absent(sample) for sample in samples], 0)
    yield {"copy": "missing", **{key: round(each.value, 5) for key, each in missing.items()}}


def timed(
    measure: Measure[Any], drawings: Sequence[Pixels], samples: Sequence[ScoredSample]
) -> tuple[list[Any], float]:
    begin = time.thread_time()
    rows = [
        measure.picture(drawing, sample) for drawing, sample in zip(drawings, samples, strict=True)
    ]
    return rows, time.thread_time() - begin


def filters(samples: Sequence[ScoredSample]) -> Iterator[Mapping[str, Cell]]:
    """Errors of metric depth where a median of the walk's points follows the projection."""
    from scipy.ndimage import median_filter  # type: ignore[import-untyped]

    ways: Mapping[str, Callable[[Pixels], Pixels]] = COPIES
    for name, copied in ways.items():
        for side in _MEDIANS:
            errors = []
            for sample in samples:
                decoded = MetricDepthProxy.decode(sample.target, sample.facts)
                true = decoded.metres.astype(np.float64)
                points = median_filter(projected_points(copied(rgb_pixels(sample.target))), side)
                if points.shape != true.shape:
                    continue
                metres = metres_of_points(decoded.lam, decoded.c).astype(np.float32)[points]
                counts = (true >= NEAREST) & (true <= FARTHEST)
                drawn = np.clip(metres.astype(np.float64), NEAREST, FARTHEST)
                errors.append(depth_errors(drawn[counts], true[counts], 0))
            if errors:
                yield {
                    "copy": name,
                    "median": side,
                    "AbsRel": round(float(np.mean([e.absolute_relative for e in errors])), 5),
                    "delta1": round(float(np.mean([e.near[0] for e in errors])), 5),
                    "RMSE": round(float(np.mean([e.root_mean_square for e in errors])), 4),
                }


if __name__ == "__main__":
    main()
