"""Maps of grey levels -> PNG, on one core: our writer and Pillow's, which give the same bytes.

Maps are soft edges and contours of real pictures, and their grey levels, blurred as depth is, with
8 and 16 bits. All work on one thread, so CPU time is compared, which waiting does not change.

python benchmarks/deflate_runs.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measuring import Cell, pictures, report, threads_used, timed_in_turns, verdict
from numpy.typing import NDArray
from PIL import Image

from sgt_data.pictures.canny import canny
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.gradients import GAIN_UNITS, grey_levels, sobel_magnitude
from sgt_data.pictures.grey_png import encode_grey, encode_rough
from sgt_data.pictures.size_rule import SizeRule

GOAL = 1.5
"""Pillow takes at least so many times as long as ours."""

Map = Any  # uint8 or uint16

_RAMP = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1).tobytes()
_BLUR = 9.0  # pixels


def by_pillow(levels: Map, has_palette: bool) -> bytes:
    image = Image.fromarray(levels)
    if has_palette:
        image.putpalette(_RAMP)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1, compress_type=3)
    return out.getvalue()


def maps(grey: NDArray[np.uint8]) -> dict[str, tuple[Map, Callable[[Map], bytes]]]:
    """Maps of a picture by name, with the function that stores them."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _BLUR)
    return {
        "soft edges": (sobel_magnitude(grey, GAIN_UNITS // 2), encode_rough),
        "contours": (canny(grey, 100, 200), encode_rough),
        "depth, 8 bits": (smooth.astype(np.uint8), encode_grey),
        "depth, 16 bits": ((smooth * 257).astype(np.uint16), encode_grey),
    }


def encode_all(encode: Callable[[Map], bytes], levels: Sequence[Map]) -> list[bytes]:
    return [encode(each) for each in levels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    rule = SizeRule()
    with pictures() as sources:
        drawn = [
            maps(grey_levels(prepare(inspect(raw.picture), rule, "convert").pixels))
            for raw in sources.inputs
        ]
        origin = sources.origin
    rows: list[dict[str, Cell]] = []
    notes = []
    for name in drawn[0]:
        levels = [of_picture[name][0] for of_picture in drawn]
        ours = drawn[0][name][1]
        works = {
            "ours": partial(encode_all, ours, levels),
            "Pillow": partial(
                encode_all, partial(by_pillow, has_palette=ours is encode_rough), levels
            ),
        }
        if works["ours"]() != works["Pillow"]():
            raise SystemExit(f"{name}: our bytes are not Pillow's")
        timings = timed_in_turns(works, arguments.rounds)
        threads_used(list(timings.values()))
        for what, timing in timings.items():
            rows.append({"map": name, "writer": what, "cpu_ms": timing.cpu / len(levels)})
        notes.append(verdict(name, timings["Pillow"].cpu / timings["ours"].cpu, GOAL))
    report(
        {"Maps of grey levels to PNG, one core": rows},
        {"input": origin, "rounds": arguments.rounds},
        [origin, *notes],
        arguments.json,
    )


if __name__ == "__main__":
    main()
