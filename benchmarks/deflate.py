"""Targets -> PNG, on one core: our writer and Pillow's, which give the same bytes.

Targets are the label maps of real pictures, their soft edges and contours, and their grey levels,
blurred as depth is, with 8 and 16 bits. All work on one thread, so CPU time is compared, which
waiting does not change.

python benchmarks/deflate.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measuring import Cell, pictures, report, threads_used, timed_in_turns, verdict
from numpy.typing import NDArray
from PIL import Image
from segmentation_sample import Engine, members

from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.pictures.canny import canny
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.gradients import GAIN_UNITS, grey_levels, sobel_magnitude
from sgt_data.pictures.grey_png import encode_grey, encode_rough
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.segmentation.target_png import encode_target

GOAL = 1.2
"""Pillow takes at least so many times as long: below it, our own writer would not be worth it."""

_RLE = 3
_BLUR = 9.0  # pixels


@dataclass(frozen=True, slots=True)
class Target:
    """A target to be stored.

    Attributes:
        values: [H, W] labels or levels.
        palette: its colours, RGB bytes; None for grey.
        strategy: zlib's, as Pillow is given it.
        ours: stores `values`.
    """

    values: NDArray[Any]
    palette: bytes | None
    strategy: int
    ours: Callable[[], bytes]

    def by_pillow(self) -> bytes:
        image = Image.fromarray(self.values)
        if self.palette is not None:
            image.putpalette(self.palette)
        out = io.BytesIO()
        image.save(out, "PNG", compress_level=1, compress_type=self.strategy)
        return out.getvalue()


def label_map(png: bytes) -> Target:
    with Image.open(io.BytesIO(png)) as image:
        labels = np.asarray(image)
        palette = bytes(image.getpalette() or ())
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)[1:]
    return Target(labels, palette, -1, partial(encode_target, labels.astype(np.uint16), colours))


def drawn_maps(grey: NDArray[np.uint8]) -> dict[str, Target]:
    """Maps of a picture's grey levels, by name."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _BLUR)
    rough = {
        "soft edges": sobel_magnitude(grey, GAIN_UNITS // 2),
        "contours": canny(grey, 100, 200),
    }
    levels: dict[str, NDArray[Any]] = {
        "depth, 8 bits": smooth.astype(np.uint8),
        "depth, 16 bits": (smooth * 257).astype(np.uint16),
    }
    return {
        **{
            n: Target(edges, ramp, _RLE, partial(encode_rough, edges)) for n, edges in rough.items()
        },
        **{
            n: Target(depth, None, _RLE, partial(encode_grey, depth)) for n, depth in levels.items()
        },
    }


def all_targets() -> tuple[dict[str, list[Target]], str]:
    """Targets of all pictures by name, and where the pictures are from."""
    rule = SizeRule()
    with pictures() as sources:
        engine = Engine.of({"type": "sa1b", "tars": sources.tars}, "entity")
        files = members(engine.encode(sources.inputs))
        pngs = [data for name, data in files.items() if name.endswith("target.png")]
        targets = {"label map": [label_map(png) for png in pngs]}
        for raw in sources.inputs:
            grey = grey_levels(prepare(inspect(raw.picture), rule, "convert").pixels)
            for name, target in drawn_maps(grey).items():
                targets.setdefault(name, []).append(target)
        return targets, sources.origin


def by_ours(targets: Sequence[Target]) -> list[bytes]:
    return [target.ours() for target in targets]


def by_pillow(targets: Sequence[Target]) -> list[bytes]:
    return [target.by_pillow() for target in targets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    keep_freed_memory()  # as an engine does
    targets, origin = all_targets()
    rows: list[dict[str, Cell]] = []
    notes = []
    for name, of_name in targets.items():
        if by_ours(of_name) != by_pillow(of_name):
            raise SystemExit(f"{name}: our bytes are not Pillow's")
        works = {"ours": partial(by_ours, of_name), "Pillow": partial(by_pillow, of_name)}
        timings = timed_in_turns(works, arguments.rounds)
        threads_used(list(timings.values()))
        for what, timing in timings.items():
            rows.append({"target": name, "writer": what, "cpu_ms": timing.cpu / len(of_name)})
        notes.append(verdict(name, timings["Pillow"].cpu / timings["ours"].cpu, GOAL))
    report(
        {"Targets to PNG, one core": rows},
        {"input": origin, "rounds": arguments.rounds},
        [origin, *notes],
        arguments.json,
    )


if __name__ == "__main__":
    main()
