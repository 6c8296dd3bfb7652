"""Scenes per second that one core draws: picture, segments, parts and depth.

python benchmarks/scenes.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from sgt_data.scenes import draw_scene
from sgt_data.scenes.staging import Scenes

SIZES: tuple[tuple[Scenes, int, int, int], ...] = (
    ("simple", 48, 48, 500),
    ("varied", 128, 128, 200),
    ("varied", 640, 480, 20),
    ("varied", 1024, 768, 10),
)
"""Kind of scenes, width, height, scenes of a round."""
ROUNDS = 5
"""Rounds over the same scenes; the best and the median are reported."""


def scenes_per_second(kind: Scenes, width: int, height: int, scenes: int) -> dict[str, float]:
    """Best and median rate over ROUNDS rounds of the same scenes, without compilation."""
    draw_scene(0, 0, width, height, kind)
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for index in range(scenes):
            draw_scene(0, index, width, height, kind)
        rates.append(scenes / (time.perf_counter() - start))
    rates.sort()
    return {"best": rates[-1], "median": rates[ROUNDS // 2]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates here as JSON")
    arguments = parser.parse_args()
    results = {}
    for kind, width, height, scenes in SIZES:
        rates = scenes_per_second(kind, width, height, scenes)
        name = f"{width}x{height}" if kind == "varied" else f"{kind} {width}x{height}"
        results[name] = rates
        print(f"{name}: {rates['best']:.1f} scenes/s (median {rates['median']:.1f})")
    if arguments.json:
        arguments.json.write_text(json.dumps({"scenes_per_second": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
