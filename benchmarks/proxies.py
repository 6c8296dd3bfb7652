"""Time that each CPU proxy adds to a segmentation sample, on one core: SA-1B bytes in, shard out.

A shard of segmentation alone, and a shard of segmentation and one more proxy, are rendered in turn:
the difference is the cost of that proxy where the picture is decoded and its JPEG encoded anyway.
All is CPU time, which waiting does not change.
Also the bytes that shared inputs save for five proxies, and whole samples of proxies that need
classes, over COCO, beside a sample of segmentation (or of referring in white on black).

python benchmarks/proxies.py [--rounds N] [--copies N] [--fresh-memory] [--json FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from measuring import Cell, pictures, report, threads_used, timed_in_turns, verdict

from sgt_data.corpus.shard import EncodedShard
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.render import render_shard
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.records import RawInput, RawShard
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.fetch_input import fetched

ADDED_GOAL = 0.2
"""Largest added time as a share of a segmentation sample, for the proxies in `_WITH_GOAL`."""

SEGMENTATION = {"type": "segmentation", "name": "entity", "variant": "entity"}
ADDED: tuple[dict[str, Any], ...] = (
    {"type": "edge", "name": "sobel"},
    {"type": "edge", "name": "canny", "method": "canny"},
    {"type": "boxes"},
    {"type": "boxes", "name": "boxes-overlay", "look": "overlay"},
    *(
        {"type": kind}
        for kind in ("reconstruction", "inpainting", "mae", "denoise", "deblur", "derain",
                     "enhance", "super_resolution", "colorization")
    ),
    {"type": "generate", "of": "entity"},
)  # fmt: skip
_INSTANCE = {"type": "segmentation", "name": "instance", "variant": "instance"}
_COLOURED = {"type": "referring", "name": "coloured", "color": "random", "background": "random"}
BY_CLASS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    *(
        (
            {"type": "segmentation", "name": variant, "variant": variant},
            {"type": "legend", "name": f"legend-{variant}", "variant": variant},
        )
        for variant in ("semantic", "panoptic", "instance")
    ),
    (_INSTANCE, {"type": "each", "name": "each"}),
    (_INSTANCE, {"type": "each", "name": "each-random", "background": "random"}),
    ({"type": "referring", "name": "referring"}, _COLOURED),
)
"""Proxies that need classes, each after the proxy that it is compared with."""
BY_CLASS_GOAL = 1.1
"""Largest cost of their samples, as a multiple of a sample of that proxy."""
COCO_PICTURES = 48
FIVE = (SEGMENTATION, *ADDED[:3], {"type": "denoise"})
_WITH_GOAL = ("sobel", "denoise", "enhance", "super_resolution")


def renderer(
    source: Mapping[str, Any],
    inputs: Sequence[RawInput],
    proxies: Sequence[Mapping[str, Any]],
    shared: bool = False,
) -> Callable[[], list[EncodedShard]]:
    """A function that renders the inputs into shards of these proxies, as a build does it."""
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "sources": [dict(source)],
            "proxies": list(proxies),
            "inputs": "shared" if shared else "embedded",
        }
    )
    plan = plan_build(list_inputs(manifest), InProcessEngine().set_up)
    raw = RawShard("benchmark", "benchmark", str(source["type"]), tuple(inputs), True)
    folders = list(plan.recipe.fingerprints)
    return lambda: render_shard(raw, folders, {}, plan.recipe)


def tar_bytes(shards: Sequence[EncodedShard]) -> int:
    """Bytes of the tars of shards."""
    return sum(len(shard.tar or b"") for shard in shards)


def by_class(coco: Path, rounds: int) -> list[dict[str, Cell]]:
    """Milliseconds of a whole sample of each proxy that needs classes, over COCO."""
    entry = {"type": "coco", "root": str(coco), "annotations": ["panoptic"]}
    source = CocoSource(root=str(coco), annotations=("panoptic",))
    inputs = [
        fetched(raw)
        for piece in source.inventory(COCO_PICTURES).slices[:1]
        for shard in source.read(piece, COCO_PICTURES, ())
        for raw in shard.inputs
    ]
    works = {
        str(proxy["name"]): renderer(entry, inputs, [proxy]) for pair in BY_CLASS for proxy in pair
    }
    for work in works.values():
        work()
    timings = timed_in_turns(works, rounds)
    rows: list[dict[str, Cell]] = []
    for pair in BY_CLASS:
        base, other = (timings[str(proxy["name"])].cpu / len(inputs) for proxy in pair)
        names = str(pair[1]["name"]), str(pair[0]["name"])
        rows.append(
            {"proxy": names[0], "ms": other, "beside": names[1], "its_ms": base,
             "times": other / base}
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument(
        "--fresh-memory",
        action="store_true",
        help="give freed memory back, as glibc does by itself",
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not arguments.fresh_memory:
        keep_freed_memory()  # as an engine does
    with pictures() as sources:
        sa1b = {"type": "sa1b", "tars": sources.tars}
        inputs = [
            replace(raw, key=f"{raw.key}-{copy}")
            for copy in range(arguments.copies)
            for raw in sources.inputs
        ]
        works: dict[str, Callable[[], object]] = {
            "segmentation": renderer(sa1b, inputs, [SEGMENTATION])
        }
        names = [str(proxy.get("name", proxy["type"])) for proxy in ADDED]
        for name, proxy in zip(names, ADDED, strict=True):
            works[name] = renderer(sa1b, inputs, [SEGMENTATION, proxy])
        for work in works.values():
            work()
        timings = timed_in_turns(works, arguments.rounds)
        used = threads_used(list(timings.values()))
        embedded, shared = (
            tar_bytes(renderer(sa1b, inputs, FIVE, is_shared)()) for is_shared in (False, True)
        )
        origin = sources.origin
        by_class_rows = by_class(sources.coco, arguments.rounds) if sources.coco else []
    base = timings["segmentation"].cpu / len(inputs)
    rows: list[dict[str, Cell]] = [{"proxy": "segmentation (whole sample)", "ms": base}]
    notes = []
    for name in names:
        added = timings[name].cpu / len(inputs) - base
        rows.append({"proxy": f"+ {name}", "ms": added, "of_a_segmentation_sample": added / base})
        if name in _WITH_GOAL:
            notes.append(verdict(name, added / base, ADDED_GOAL, at_most=True))
    notes += [
        verdict(str(row["proxy"]), float(row["times"] or 0), BY_CLASS_GOAL, at_most=True)
        for row in by_class_rows
    ]
    saved: list[dict[str, Cell]] = [
        {"inputs": "embedded", "mb": embedded / 1e6, "of_embedded": 1.0},
        {"inputs": "shared", "mb": shared / 1e6, "of_embedded": shared / embedded},
    ]
    notes.append(f"{used:.2f} threads at work; {origin}")
    tables = {
        "ms per picture beside a segmentation sample, one core": rows,
        "ms per whole sample of proxies that need classes, COCO, one core": by_class_rows,
        "tars of five proxies (segmentation, sobel, canny, boxes, denoise)": saved,
    }
    settings = {"rounds": arguments.rounds, "copies": arguments.copies, "of": origin}
    report(tables, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
