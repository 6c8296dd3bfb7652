"""Resize: our loops, Pillow and other libraries; and JPEG scales between the powers of two.

The first table compares CPU time on one core, and how many pixels differ from Pillow's: a build may
take only a resampler whose pixels are the same. The second asks whether a JPEG that is decoded at
the nearest scale n/8 above the output, in place of the nearest of 1, 1/2, 1/4 and 1/8, is ready
earlier, and how near the result is to a full decode that is resized (PSNR).

python benchmarks/resample.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from measuring import Cell, pictures, report, threads_used, timed_in_turns, verdict
from numpy.typing import NDArray
from PIL import Image

from sgt_data.pictures.resample import resized, resized_pixels

GOAL = 3.0
"""Pillow takes at least so many times as long as ours."""
SCALE_GOAL = 1.1
"""Scales of n/8 become the default only where they are so many times as fast."""

Size = tuple[int, int]
Pixels = NDArray[np.uint8]

CASES: tuple[tuple[str, str, Size, Size], ...] = (
    ("SA-1B at half scale to 1024", "RGB", (1182, 750), (1024, 650)),
    ("COCO to 512", "RGB", (640, 480), (512, 384)),
    ("full size to 1024", "RGB", (2250, 1500), (1024, 683)),
    ("full size to 320", "RGB", (2250, 1500), (320, 213)),
    ("512 enlarged to 1024", "RGB", (512, 384), (1024, 768)),
    ("grey, half scale to 1024", "L", (1182, 750), (1024, 650)),
)
OUTPUT_SIDES = (2048, 1536, 1280, 1024, 640, 512)


@dataclass(frozen=True, slots=True)
class Decode:
    """A JPEG, the size of the output, and two scales (in eighths) that are not below it.

    Attributes:
        power: the nearest of 1, 2, 4 and 8.
        nearest: the nearest of 1 to 8.
    """

    data: bytes
    size: Size
    power: int
    nearest: int

    @classmethod
    def to(cls, side: int, data: bytes) -> Decode:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        longest = max(width, height)
        nearest = math.ceil(8 * side / longest)
        size = round(width * side / longest), round(height * side / longest)
        return cls(data, size, 1 << math.ceil(math.log2(nearest)), nearest)

    def run(self, eighths: int) -> Pixels:
        """The picture, decoded at a scale of `eighths` / 8 and resized."""
        height, width, _, _ = simplejpeg.decode_jpeg_header(self.data)
        least = [math.ceil(side * eighths / 8) for side in (height, width)]
        pixels = simplejpeg.decode_jpeg(self.data, "RGB", min_height=least[0], min_width=least[1])
        return resized_pixels(pixels, self.size)


def resize_rows(photograph: Image.Image, rounds: int) -> tuple[list[dict[str, Cell]], list[str]]:
    """Rows of the first table, and the verdicts."""
    rows: list[dict[str, Cell]] = []
    notes = []
    for name, mode, source, size in CASES:
        image = photograph.resize(source).convert(mode)
        array = np.asarray(image)
        works: dict[str, Callable[[], object]] = {
            "Pillow": partial(image.resize, size, Image.Resampling.BICUBIC),
            "ours": partial(resized_pixels, array, size),
            "ours, of Pillow's images": partial(resized, image, size),
            "OpenCV cubic": partial(cv2.resize, array, size, interpolation=cv2.INTER_CUBIC),
            "OpenCV area": partial(cv2.resize, array, size, interpolation=cv2.INTER_AREA),
        }
        results = {what: np.asarray(work()) for what, work in works.items()}
        timings = timed_in_turns(works, rounds)
        threads_used(list(timings.values()))
        for what, timing in timings.items():
            rows.append(
                {
                    "case": name,
                    "resampler": what,
                    "cpu_ms": timing.cpu,
                    "times_as_fast": timings["Pillow"].cpu / timing.cpu,
                    "values_unlike_pillows": float((results[what] != results["Pillow"]).mean()),
                }
            )
        if not np.array_equal(results["ours"], results["Pillow"]):
            raise SystemExit(f"{name}: our pixels are not Pillow's")
        notes.append(verdict(name, timings["Pillow"].cpu / timings["ours"].cpu, GOAL))
    return rows, notes


def lowest_psnr(pictures: Sequence[Pixels], references: Sequence[Pixels]) -> float | None:
    """Peak signal-to-noise ratio of the worst picture, in decibels; None where all are equal."""
    largest = max(
        float(np.mean((pixels.astype(np.float64) - reference) ** 2))
        for pixels, reference in zip(pictures, references, strict=True)
    )
    return 10 * math.log10(255**2 / largest) if largest else None


def scale_rows(files: Sequence[bytes], rounds: int) -> tuple[list[dict[str, Cell]], list[str]]:
    """Rows of the second table, and the verdicts."""
    rows: list[dict[str, Cell]] = []
    notes = []
    for side in OUTPUT_SIDES:
        decodes = [Decode.to(side, data) for data in files]
        scales = {
            "1, 1/2, 1/4, 1/8": [decode.power for decode in decodes],
            "n/8": [decode.nearest for decode in decodes],
        }
        timings = timed_in_turns(
            {name: partial(_run_all, decodes, taken) for name, taken in scales.items()}, rounds
        )
        references = _run_all(decodes, [8] * len(decodes))
        for name, taken in scales.items():
            rows.append(
                {
                    "longer_side": side,
                    "scales": name,
                    "taken": ", ".join(sorted({f"{eighths}/8" for eighths in taken})),
                    "cpu_ms": timings[name].cpu / len(decodes),
                    "lowest_psnr": lowest_psnr(_run_all(decodes, taken), references),
                }
            )
        powers, eighths = (timing.cpu for timing in timings.values())
        notes.append(verdict(f"n/8, output of {side}", powers / eighths, SCALE_GOAL))
    return rows, notes


def _run_all(decodes: Sequence[Decode], eighths: Sequence[int]) -> list[Pixels]:
    return [decode.run(scale) for decode, scale in zip(decodes, eighths, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with pictures() as sources:
        files = [raw.picture for raw in sources.inputs]
        origin = sources.origin
    photograph = Image.fromarray(simplejpeg.decode_jpeg(files[0], "RGB"))
    resizes, notes = resize_rows(photograph, arguments.rounds)
    scales, more_notes = scale_rows(files, max(3, arguments.rounds // 3))
    report(
        {"Bicubic resize, one core": resizes, "JPEG to RGB at the output size": scales},
        {"input": origin, "rounds": arguments.rounds},
        [origin, *notes, *more_notes],
        arguments.json,
    )


if __name__ == "__main__":
    main()
