"""Time that targets of files beside the pictures add to a segmentation sample, on one core: the
sample scenes' depth, metric depth and normals, from their files or from metric depth and a camera.

A shard of segmentation alone, and a shard of segmentation and one more proxy, are rendered in turn,
as in proxies.py. All is CPU time, and it contains reading the PNG of the map.

python benchmarks/beside.py [--rounds N] [--scenes N] [--size WIDTHxHEIGHT] [--json FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Cell, report, threads_used, timed_in_turns, verdict

from sgt_data.corpus.shard import EncodedShard
from sgt_data.engine.build_plan import Recipe, plan_build
from sgt_data.engine.build_stages import corpus_stages
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.render import render_shard
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.records import RawShard
from sgt_data.scenes.depth import INVERSE_PER_CODE
from sgt_data.scenes.write_samples import write_samples

ADDED_GOAL = 0.6
"""Largest added time as a share of a segmentation sample."""

SEGMENTATION = {"type": "segmentation", "name": "entity", "variant": "entity"}
ADDED: Mapping[str, tuple[dict[str, Any], frozenset[str]]] = {
    "depth": ({"type": "depth"}, frozenset({"depth"})),
    "metric_depth": ({"type": "metric_depth"}, frozenset({"depth"})),
    "normals, of maps": ({"type": "normals"}, frozenset({"normals"})),
    "normals, of depth": ({"type": "normals"}, frozenset({"depth", "intrinsics"})),
}
"""By name: the proxy, and the fields of the source that it is drawn from."""


def renderer(
    root: str, proxies: Sequence[Mapping[str, Any]], fields: frozenset[str]
) -> Callable[[], list[EncodedShard]]:
    """A function that renders all scenes into shards of these proxies, as a build does it."""
    places = {"depth": "depth", "normals": "normals", "intrinsics": "intrinsics.json"}
    source: dict[str, Any] = {"type": "sa1b", "tars": f"{root}/sa1b/*.tar"}
    source |= {field: f"{root}/{places[field]}" for field in fields}
    if "depth" in fields:
        source |= {"depth_is": "inverse", "depth_unit": INVERSE_PER_CODE}
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "sources": [source],
            "proxies": list(proxies),
            "shard_samples": 10_000,
        }
    )
    plan = plan_build(list_inputs(manifest), InProcessEngine().set_up)
    raw = _read(plan.recipe, root)
    folders = list(plan.recipe.fingerprints)
    return lambda: render_shard(raw, folders, {}, plan.recipe)


def _read(recipe: Recipe, root: str) -> RawShard:
    """The one shard of all scenes, with the files beside."""
    stages = corpus_stages(recipe, f"{root}/corpus")
    (source,) = recipe.manifest.typed_sources()
    (piece,) = source.inventory(recipe.manifest.shard_samples).slices
    (task,) = stages.read(SliceTask(piece, tuple(recipe.fingerprints)))
    return task.raw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--size", default="640x480", metavar="WIDTHxHEIGHT")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    keep_freed_memory()  # as an engine does
    width, height = map(int, arguments.size.split("x"))
    with TemporaryDirectory(prefix="sgt-bench-") as root:
        write_samples(root, arguments.scenes, size=(width, height), forms=["sa1b"])
        works: dict[str, Callable[[], object]] = {
            "segmentation": renderer(root, [SEGMENTATION], frozenset())
        }
        for name, (proxy, fields) in ADDED.items():
            works[name] = renderer(root, [SEGMENTATION, proxy], fields)
        for work in works.values():
            work()
        timings = timed_in_turns(works, arguments.rounds)
        used = threads_used(list(timings.values()))
    base = timings["segmentation"].cpu / arguments.scenes
    rows: list[dict[str, Cell]] = [{"proxy": "segmentation (whole sample)", "ms": base}]
    notes = []
    for name in ADDED:
        added = timings[name].cpu / arguments.scenes - base
        rows.append({"proxy": f"+ {name}", "ms": added, "of_a_segmentation_sample": added / base})
        notes.append(verdict(name, added / base, ADDED_GOAL, at_most=True))
    of = f"{arguments.scenes} drawn scenes of {arguments.size}"
    notes.append(f"{used:.2f} threads at work; {of}")
    settings = {"rounds": arguments.rounds, "of": of}
    report(
        {"ms per picture beside a segmentation sample, one core": rows},
        settings,
        notes,
        arguments.json,
    )


if __name__ == "__main__":
    main()
