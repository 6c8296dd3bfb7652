"""Masks -> label map at the output size: pycocotools and numpy at full size against ours.

Both begin with the parsed annotation JSON of one SA-1B picture and end with the same label map.

python benchmarks/label_map.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Cell, Timing, pictures, report, threads_used, timed_in_turns, verdict
from pycocotools import mask as coco_masks

from sgt_data.pictures.size_rule import SizeRule
from sgt_data.segmentation.label_map import LabelMap, paint, painting_order
from sgt_data.segmentation.pixel_sampling import sample_grid
from sgt_data.segmentation.run_lengths import parse_masks

CALLS = 20
"""Calls of our function in a turn."""
GOAL = 300.0
"""Our function is at least so many times as fast."""

Annotations = Sequence[Mapping[str, Any]]


def full_size_label_map(annotations: Annotations, size: tuple[int, int]) -> LabelMap:
    """Label map as scripts make it: decode every mask, paint by boolean index, then sample."""
    width, height = size
    source_height, source_width = annotations[0]["segmentation"]["size"]
    labels = np.zeros((source_height, source_width), np.uint16)
    largest_first = sorted(annotations, key=lambda mask: (-mask["area"], mask["id"]))
    for label, mask in enumerate(largest_first, 1):
        labels[coco_masks.decode(mask["segmentation"]).astype(bool)] = label
    rows = ((np.arange(height) + 0.5) * source_height / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * source_width / width).astype(np.int64)
    sampled: LabelMap = labels[rows[:, None], columns]
    return sampled


def sampled_label_map(annotations: Annotations, size: tuple[int, int]) -> LabelMap:
    """Label map by our functions: walk the run lengths once, paint the sampled pixels alone."""
    width, height = size
    source_height, source_width = annotations[0]["segmentation"]["size"]
    runs = [mask["segmentation"]["counts"].encode() for mask in annotations]
    masks = parse_masks(runs, source_height, source_width)
    order = painting_order(masks.areas, np.array([mask["id"] for mask in annotations], np.int64))
    labels = np.empty(len(masks), np.uint16)
    labels[order] = np.arange(1, len(masks) + 1)
    return paint(masks, order, labels, sample_grid(source_height, source_width, height, width))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    rows: list[dict[str, Cell]] = []
    our_timings: list[Timing] = []
    with pictures() as sources:
        for raw in sources.inputs:
            document = json.loads(raw.extras["annotation"])
            source = document["image"]["width"], document["image"]["height"]
            size = SizeRule().output_size(*source)
            annotations = document["annotations"]
            full_size = partial(full_size_label_map, annotations, size)
            sampled = partial(sampled_label_map, annotations, size)
            if not np.array_equal(full_size(), sampled()):
                raise SystemExit(f"{raw.key}: the two label maps differ")
            timings = timed_in_turns(
                {"scripts": full_size, "ours": sampled}, arguments.rounds, {"ours": CALLS}
            )
            our_timings.append(timings["ours"])
            rows.append(
                {
                    "picture": raw.key,
                    "source": "{}x{}".format(*source),
                    "output": "{}x{}".format(*size),
                    "masks": len(annotations),
                    "pycocotools_ms": timings["scripts"].wall,
                    "ours_ms": timings["ours"].wall,
                    "ratio": timings["scripts"].wall / timings["ours"].wall,
                }
            )
    scripts_ms, ours_ms = (
        sum(float(row[name] or 0) for row in rows) / len(rows)
        for name in ("pycocotools_ms", "ours_ms")
    )
    rows.append(
        {
            "picture": "mean",
            "masks": sum(int(row["masks"] or 0) for row in rows) // len(rows),
            "pycocotools_ms": scripts_ms,
            "ours_ms": ours_ms,
            "ratio": scripts_ms / ours_ms,
        }
    )
    used = threads_used(our_timings)
    report(
        {"Label map, ms per picture": rows},
        {"input": sources.origin, "rounds": arguments.rounds, "calls_of_ours_per_round": CALLS},
        [
            f"{sources.origin}; equal label maps; ours used {used:.2f} threads",
            verdict("pycocotools / ours, over all pictures", scripts_ms / ours_ms, GOAL),
        ],
        arguments.json,
    )


if __name__ == "__main__":
    main()
