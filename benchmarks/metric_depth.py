"""What metric depth costs beside a segmentation sample, and how far decoded distances are off.

The pictures are those of SA-1B with depth of drawn scenes, in files of the pictures' own size. A
shard of segmentation alone, and a shard of segmentation and a proxy of depth, are rendered in turn;
the difference is the cost of that proxy, all CPU time, one core. Reading the 16-bit file is timed
by itself: every proxy of depth needs it, and a build of several reads it once.

python benchmarks/metric_depth.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import Cell, pictures, report, threads_used, timed_in_turns, verdict
from PIL import Image

from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.render import render_shard
from sgt_data.geometry.colour_walk import (
    fraction_of_metres,
    largest_error,
    metres_of_fraction,
    walk_colours,
    walk_fractions,
)
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.records import RawInput, RawShard
from sgt_data.scenes.depth import INVERSE_PER_CODE
from sgt_data.scenes.write_samples import write_samples
from sgt_data.segmentation.pixel_sampling import centre_samples
from sgt_data.sources.dense_maps import parse_dense

GOAL = 0.6
"""Largest added time of metric depth as a share of a segmentation sample."""

DISTANCES = (0.5, 1, 2, 5, 10, 20, 50, 100)
SEGMENTATION = {"type": "segmentation", "name": "entity", "variant": "entity"}
WORKS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "segmentation": (SEGMENTATION,),
    "depth": (SEGMENTATION, {"type": "depth"}),
    "metric_depth": (SEGMENTATION, {"type": "metric_depth"}),
    "depth and metric_depth": (SEGMENTATION, {"type": "depth"}, {"type": "metric_depth"}),
}


def with_depth(inputs: Sequence[RawInput], scenes: Path) -> tuple[RawInput, ...]:
    """The inputs with a scene's depth at the size of each picture, as its depth file."""
    files = sorted(scenes.glob("*.png"))
    given = []
    for number, raw in enumerate(inputs):
        codes = np.asarray(Image.open(files[number % len(files)])).astype(np.uint16)
        with Image.open(io.BytesIO(raw.picture)) as image:
            width, height = image.size
        rows, columns = (
            centre_samples(codes.shape[0], height),
            centre_samples(codes.shape[1], width),
        )
        packed = io.BytesIO()
        Image.fromarray(codes[rows][:, columns]).save(packed, "PNG")
        given.append(replace(raw, layer_bytes={"depth": packed.getvalue()}))
    return tuple(given)


def renderer(
    tars: str, depth: Path, inputs: Sequence[RawInput], proxies: Sequence[Mapping[str, Any]]
) -> Callable[[], object]:
    """A function that renders the inputs into shards of these proxies, as a build does it."""
    unit = {"depth": str(depth), "depth_is": "inverse", "depth_unit": INVERSE_PER_CODE}
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "sources": [{"type": "sa1b", "tars": tars, **unit}],
            "proxies": list(proxies),
        }
    )
    plan = plan_build(list_inputs(manifest), InProcessEngine().set_up)
    raw = RawShard("benchmark", "benchmark", "sa1b", tuple(inputs), True)
    folders = list(plan.recipe.fingerprints)
    return lambda: render_shard(raw, folders, {}, plan.recipe)


def distance_rows() -> list[dict[str, Cell]]:
    """Largest error of some distances, and the largest share of its own bound that any of many
    distances around each has: 1 at most."""
    rows: list[dict[str, Cell]] = []
    for distance in DISTANCES:
        around = distance * np.linspace(0.98, 1.02, 100_001)
        back = metres_of_fraction(walk_fractions(walk_colours(fraction_of_metres(around))))
        stated = float(largest_error(np.array(distance)))
        seen = float((np.abs(back - around) / largest_error(around)).max())
        red, green, blue = walk_colours(fraction_of_metres(np.array(distance))).tolist()
        rows.append(
            {"metres": distance, "colour": f"({red}, {green}, {blue})", "bound_mm": 1000 * stated,
             "bound_percent": 100 * stated / distance, "largest_seen_of_bound": seen}
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    keep_freed_memory()  # as an engine does
    with pictures() as sources, TemporaryDirectory(prefix="sgt-bench-") as drawn:
        write_samples(drawn, 4, size=(1280, 960))
        depth = Path(drawn) / "depth"
        inputs = with_depth(sources.inputs, depth)
        works = {
            name: renderer(sources.tars, depth, inputs, proxies) for name, proxies in WORKS.items()
        }
        files = [raw.layer_bytes["depth"] for raw in inputs]
        works["reading depth files"] = lambda: [parse_dense(data) for data in files]
        for work in works.values():
            work()
        timings = timed_in_turns(works, arguments.rounds)
        used = threads_used(list(timings.values()))
        origin = sources.origin
    base = timings["segmentation"].cpu / len(inputs)
    reading = timings.pop("reading depth files").cpu / len(inputs)
    rows: list[dict[str, Cell]] = [
        {"proxies": "segmentation (whole sample)", "ms": base, "of_a_segmentation_sample": 1.0},
        {
            "proxies": "reading a depth file", "ms": reading,
            "of_a_segmentation_sample": reading / base,
        },
    ]  # fmt: skip
    for name in list(WORKS)[1:]:
        added = timings[name].cpu / len(inputs) - base
        rows.append(
            {"proxies": f"+ {name}", "ms": added, "of_a_segmentation_sample": added / base,
             "without_reading": (added - reading) / base}
        )  # fmt: skip
    added = timings["metric_depth"].cpu / len(inputs) - base
    share = (added - reading) / base
    notes = [
        verdict("metric_depth, without reading its file", share, GOAL, at_most=True),
        f"{used:.2f} threads at work; {origin}",
    ]  # fmt: skip
    tables = {
        "ms per picture beside a segmentation sample, one core": rows,
        "decoded distances, lambda = -3, c = 10/3": distance_rows(),
    }
    report(tables, {"rounds": arguments.rounds, "of": origin}, notes, arguments.json)


if __name__ == "__main__":
    main()
