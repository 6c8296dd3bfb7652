"""How many scenes a second one core draws: picture, segments, parts and depth.

python benchmarks/scenes.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from sgt_data.sources.synthetic import draw_scene

SIZES = ((128, 128, 200), (640, 480, 20), (1024, 768, 10))
"""Width, height, scenes a round."""
ROUNDS = 5


def scenes_per_second(width: int, height: int, scenes: int) -> dict[str, float]:
    """Best and median rate over ROUNDS rounds of the same scenes; compilation is not counted."""
    draw_scene(0, 0, width, height)
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for index in range(scenes):
            draw_scene(0, index, width, height)
        rates.append(scenes / (time.perf_counter() - start))
    rates.sort()
    return {"best": rates[-1], "median": rates[ROUNDS // 2]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates here as JSON")
    arguments = parser.parse_args()
    results = {}
    for width, height, scenes in SIZES:
        rates = scenes_per_second(width, height, scenes)
        results[f"{width}x{height}"] = rates
        print(f"{width}x{height}: {rates['best']:.1f} scenes/s (median {rates['median']:.1f})")
    if arguments.json:
        arguments.json.write_text(json.dumps({"scenes_per_second": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
