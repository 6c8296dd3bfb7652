"""Masks -> label map at the output size: pycocotools and numpy at full size, and ours.

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
from measuring import Cell, Timing, pictures, report, side_by_side, threads_used, verdict
from pycocotools import mask as coco_masks

from sgt_data.pictures.size_rule import SizeRule
from sgt_data.segmentation.label_map import LabelMap, paint, painting_order
from sgt_data.segmentation.run_lengths import parse_masks
from sgt_data.segmentation.sampling import sample_grid

CALLS = 20
"""Calls of ours in one turn."""
GOAL = 300.0

Annotations = Sequence[Mapping[str, Any]]


def full_size_label_map(annotations: Annotations, size: tuple[int, int]) -> LabelMap:
    """What scripts do: decode every mask, paint by boolean index, largest first, then sample."""
    width, height = size
    source_height, source_width = annotations[0]["segmentation"]["size"]
    labels = np.zeros((source_height, source_width), np.uint16)
    largest_first = sorted(annotations, key=lambda one: (-one["area"], one["id"]))
    for label, one in enumerate(largest_first, 1):
        labels[coco_masks.decode(one["segmentation"]).astype(bool)] = label
    rows = ((np.arange(height) + 0.5) * source_height / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * source_width / width).astype(np.int64)
    sampled: LabelMap = labels[rows[:, None], columns]
    return sampled


def sampled_label_map(annotations: Annotations, size: tuple[int, int]) -> LabelMap:
    """Ours: walk the run lengths once, paint the sampled pixels alone."""
    width, height = size
    source_height, source_width = annotations[0]["segmentation"]["size"]
    runs = [one["segmentation"]["counts"].encode() for one in annotations]
    masks = parse_masks(runs, source_height, source_width)
    order = painting_order(masks.areas, np.array([one["id"] for one in annotations], np.int64))
    labels = np.empty(len(masks), np.uint16)
    labels[order] = np.arange(1, len(masks) + 1)
    return paint(masks, order, labels, sample_grid(source_height, source_width, height, width))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    rows: list[dict[str, Cell]] = []
    ours_alone: list[Timing] = []
    with pictures() as found:
        for pair in found.pairs:
            document = json.loads(pair.extras["annotation"])
            source = document["image"]["width"], document["image"]["height"]
            size = SizeRule().output_size(*source)
            annotations = document["annotations"]
            scripts = partial(full_size_label_map, annotations, size)
            ours = partial(sampled_label_map, annotations, size)
            if not np.array_equal(scripts(), ours()):
                raise SystemExit(f"{pair.key}: the two label maps differ")
            taken = side_by_side(
                {"scripts": scripts, "ours": ours}, arguments.rounds, {"ours": CALLS}
            )
            ours_alone.append(taken["ours"])
            rows.append(
                {
                    "picture": pair.key,
                    "source": "{}x{}".format(*source),
                    "output": "{}x{}".format(*size),
                    "masks": len(annotations),
                    "pycocotools_ms": taken["scripts"].wall,
                    "ours_ms": taken["ours"].wall,
                    "ratio": taken["scripts"].wall / taken["ours"].wall,
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
    used = threads_used(ours_alone)
    report(
        {"Label map, ms per picture": rows},
        {"input": found.origin, "rounds": arguments.rounds, "calls_of_ours_per_round": CALLS},
        [
            f"{found.origin}; equal label maps; ours used {used:.2f} threads",
            verdict("pycocotools / ours, over all pictures", scripts_ms / ours_ms, GOAL),
        ],
        arguments.json,
    )


if __name__ == "__main__":
    main()
