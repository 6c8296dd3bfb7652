"""Palette PNG -> RGB, on one core: our reader, Pillow's and OpenCV's, on real segmentation targets.

All read the same bytes and must give the same pixels. Our reader stays only while it is the fastest
on pictures of the size that corpora have (512 to 1024 pixels). Targets of drawn scenes of 48 pixels
a side, as in `make experiment`, are shown as well: fixed costs decide there, and OpenCV is faster.

All readers work on one thread, so CPU time is compared, which waiting does not change.

python benchmarks/palette_png.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from measuring import (
    Cell,
    Pictures,
    Timing,
    pictures,
    report,
    threads_used,
    timed_in_turns,
    verdict,
)
from numpy.typing import NDArray
from PIL import Image
from segmentation_sample import Engine, members

from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.palette_png import decode_palette
from sgt_data.scenes.write_samples import write_samples

GOAL = 1.0
"""The fastest other reader takes at least so many times as long as ours, at the size of corpora."""

TARGETS_MAX = 40
"""Targets of one kind, at most."""
SMALL_SIDE = 48
SMALL = f"drawn scenes of {SMALL_SIDE} pixels"

Read = Callable[[bytes], NDArray[np.uint8] | None]


def read_ours(png: bytes) -> NDArray[np.uint8] | None:
    return decode_palette(png, MAX_PIXELS)


def read_pillow(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def read_pillow_indices(png: bytes) -> NDArray[np.uint8]:
    """Indices by Pillow, colours by numpy."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
        return palette.take(np.asarray(image), axis=0)


def read_opencv(png: bytes) -> NDArray[np.uint8]:
    """OpenCV expands palettes itself: IMREAD_UNCHANGED gives colours as well, in the order BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def read_opencv_unchanged(png: bytes) -> NDArray[np.uint8]:
    bgr = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED))
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


READERS: dict[str, Read] = {
    "ours": read_ours,
    "pillow": read_pillow,
    "pillow_indices": read_pillow_indices,
    "opencv_rgb": read_opencv,
    "opencv_unchanged": read_opencv_unchanged,
}


def targets_of(
    source: Mapping[str, Any], variant: str, size_rule: Mapping[str, int] | None = None
) -> list[bytes]:
    """Segmentation targets of a source that are palette PNGs, in the order of their keys."""
    engine = Engine.of(source, variant, size_rule)
    shard = members(engine.encode(engine.inputs()[:TARGETS_MAX]))
    targets = [data for name, data in shard.items() if name.endswith(".target.png")]
    return [png for png in targets if Image.open(io.BytesIO(png)).mode == "P"]


def all_targets(sources: Pictures) -> dict[str, list[bytes]]:
    """Targets by the name of their kind."""
    targets = {"SA-1B, entity": targets_of({"type": "sa1b", "tars": sources.tars}, "entity")}
    if sources.coco is not None:
        coco = {"type": "coco", "root": str(sources.coco), "annotations": ["panoptic"]}
        targets["COCO, panoptic"] = targets_of(coco, "panoptic")
    with TemporaryDirectory(prefix="sgt-bench-") as drawn:
        write_samples(
            drawn, TARGETS_MAX, size=(SMALL_SIDE, SMALL_SIDE), scenes="simple", forms=["coco"]
        )
        small = {"type": "coco", "root": f"{drawn}/coco", "annotations": ["panoptic"]}
        rule = {"min_side": SMALL_SIDE, "max_side": SMALL_SIDE, "multiple_of": SMALL_SIDE}
        targets[SMALL] = targets_of(small, "panoptic", rule)
    return targets


def read_all(read: Read, targets: Sequence[bytes]) -> None:
    for png in targets:
        read(png)


def check_equal_pixels(kind: str, targets: Sequence[bytes]) -> None:
    """Stop where two readers disagree.

    Raises:
        SystemExit: they do; names the reader.
    """
    for png in targets:
        expected = read_pillow(png)
        for name, read in READERS.items():
            pixels = read(png)
            if pixels is None or not np.array_equal(pixels, expected):
                raise SystemExit(f"{kind}: {name} reads other pixels than Pillow")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rows: list[dict[str, Cell]] = []
    notes: list[str] = []
    timings_of_ours: list[Timing] = []
    with pictures() as sources:
        targets_by_kind = all_targets(sources)
    for kind, targets in targets_by_kind.items():
        check_equal_pixels(kind, targets)
        works = {name: partial(read_all, read, targets) for name, read in READERS.items()}
        calls = dict.fromkeys(works, max(1, TARGETS_MAX // len(targets)))
        timings = timed_in_turns(works, arguments.rounds, calls)
        timings_of_ours.append(timings["ours"])
        fastest_other = min(timing.cpu for name, timing in timings.items() if name != "ours")
        rows.append(
            {
                "targets": kind,
                "count": len(targets),
                **{f"{name}_ms": timing.cpu / len(targets) for name, timing in timings.items()},
                "times_faster": fastest_other / timings["ours"].cpu,
            }
        )
        if kind != SMALL:
            times = fastest_other / timings["ours"].cpu
            notes.append(verdict(f"{kind}: fastest other / ours", times, GOAL))
    notes.append(f"{sources.origin}; ours used {threads_used(timings_of_ours):.2f} threads")
    settings = {"input": sources.origin, "rounds": arguments.rounds}
    report({"Palette PNG to RGB, ms of CPU per target": rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
