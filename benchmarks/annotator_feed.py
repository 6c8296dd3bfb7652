"""What feeds a GPU: the work of annotators on CPU threads, stage by stage, and the way back.

A GPU actor decodes, resizes and packs on threads while the model runs. Each stage is timed on one
thread and on two (more than 90 % of twice the rate means that it leaves Python's lock free), and
extrapolated to 16 threads. The goal is twice what an H100 takes of Depth Anything V2 Small: 240
pictures a second. `in_lock` stages hold the device's lock: while they run, the model does not.

python benchmarks/annotator_feed.py [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from annotators import depth_folder, sam_checkpoint
from measuring import Cell, pictures, report, verdict
from numpy.typing import NDArray
from PIL import Image

from sgt_data.annotators.depth_anything import DepthAnythingAnnotator, input_size
from sgt_data.annotators.device import set_up
from sgt_data.annotators.sam import SamAnnotator
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.engine.annotate_shard import load_annotator
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.grey_png import encode_grey
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.sources.dense_maps import parse_dense

THREADS, GOAL = 16, 240.0
_BATCH = 16
_MASKS = 67  # of an SA-1B picture, at the median of its four


@dataclass(frozen=True, slots=True)
class Stage:
    """Work of one kind on a number of pictures.

    Attributes:
        name: in the table.
        works: a function for each turn of work, all of the same kind.
        pictures: pictures of one function.
        in_lock: whether the device's lock is held meanwhile.
    """

    name: str
    works: Sequence[Callable[[], object]]
    pictures: int = 1
    in_lock: bool = False


def depth_stages(files: Sequence[bytes], folder: Path) -> list[Stage]:
    """The way of a picture through Depth Anything, without the model."""
    annotator = DepthAnythingAnnotator.model_validate({"model": str(depth_folder(folder))})
    model: Any = load_annotator(annotator, set_up(annotator)).model
    rule = SizeRule()
    views = [model.prepare(file, rule, MAX_PIXELS) for file in files]
    decoded = [_decoded(file) for file in files]
    batch = [views[0]] * _BATCH
    maps = [_smooth_map(*view.output) for view in views]
    layers = [model.finish(view, values) for view, values in zip(views, maps, strict=True)]
    codes = [parse_dense(layer).codes for layer in layers]
    return [
        Stage("decode", [lambda file=file: _decoded(file) for file in files]),  # type: ignore[misc]
        Stage("resize", [lambda image=image: _resized(image) for image in decoded]),  # type: ignore[misc]
        Stage("prepare: both and more",
              [lambda file=file: model.prepare(file, rule, MAX_PIXELS) for file in files]),  # type: ignore[misc]
        Stage("pack a batch", [lambda: model.packed(batch)], _BATCH, in_lock=True),
        Stage("back: map to layer", [
            lambda view=view, values=values: model.finish(view, values)  # type: ignore[misc]
            for view, values in zip(views, maps, strict=True)
        ]),
        Stage("back: 16-bit PNG", [lambda levels=levels: encode_grey(levels) for levels in codes]),  # type: ignore[misc]
    ]  # fmt: skip


def sam_stages(files: Sequence[bytes], folder: Path) -> list[Stage]:
    """The way of a picture through Segment Anything, without the model."""
    import torch
    from segment_anything.utils.amg import coco_encode_rle, mask_to_rle_pytorch
    from segment_anything.utils.transforms import ResizeLongestSide

    checkpoint = sam_checkpoint(folder / "sam.pth")
    annotator = SamAnnotator.model_validate({"checkpoint": str(checkpoint)})
    model: Any = load_annotator(annotator, set_up(annotator)).model
    views = [model.prepare(file, SizeRule(), MAX_PIXELS) for file in files]
    transform = ResizeLongestSide(1024)
    mask = torch.zeros(1, *views[0].pixels.shape[:2], dtype=torch.bool)
    mask[:, 100:600, 200:900] = True
    (runs,) = mask_to_rle_pytorch(mask)
    record = {
        "segmentation": coco_encode_rle(runs), "area": 350_000, "bbox": [200, 100, 699, 499],
        "predicted_iou": 0.9, "point_coords": [[1.0, 2.0]], "stability_score": 0.96,
        "crop_box": [0, 0, *views[0].output],
    }  # fmt: skip
    return [
        Stage("prepare", [
            lambda file=file: model.prepare(file, SizeRule(), MAX_PIXELS)  # type: ignore[misc]
            for file in files
        ]),
        Stage("resize by segment_anything", [
            lambda view=view: transform.apply_image(view.pixels) for view in views  # type: ignore[misc]
        ], in_lock=True),
        Stage(f"back: run lengths of {_MASKS} masks",
              [lambda: [coco_encode_rle(runs) for _ in range(_MASKS)]], in_lock=True),
        Stage("back: JSON", [lambda: model.finish(views[0], [record] * _MASKS)]),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """Pictures per second by the clock, and milliseconds of CPU of a picture over all threads."""

    per_second: float
    cpu_ms: float


def rate(stage: Stage, threads: int, seconds: float = 0.7) -> Rate:
    """How fast a stage is on some threads."""
    turns = [stage.works[number % len(stage.works)] for number in range(len(stage.works) * threads)]
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        began, cpu = time.perf_counter(), time.process_time()
        while done == 0 or time.perf_counter() - began < seconds:
            list(pool.map(lambda work: work(), turns))
            done += len(turns)
        taken, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Rate(done * stage.pictures / taken, 1000 * cpu / done / stage.pictures)


def row(model: str, stage: Stage, rounds: int) -> dict[str, Cell]:
    """A stage on one thread and on two, in turns, and what follows for 16."""
    rates = [(rate(stage, 1), rate(stage, 2)) for _ in range(rounds)]
    one, two = (median(of.per_second for of in turns) for turns in zip(*rates, strict=True))
    return {
        "model": model,
        "stage": stage.name,
        "ms": 1000 / one,
        "cpu_ms": median(of.cpu_ms for of, _ in rates),
        "two_threads": two / one,
        "in_lock": stage.in_lock,
        "per_second": one if stage.in_lock else one * THREADS * min(1.0, two / one / 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (medians are shown)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    import torch

    provide_torchvision_operators()
    torch.set_num_threads(1)
    with pictures() as sources, TemporaryDirectory(prefix="sgt-bench-") as folder:
        files = [raw.picture for raw in sources.inputs]
        depth = depth_stages(files, Path(folder) / "depth")
        sam = sam_stages(files, Path(folder))
        rows = [row("Depth Anything V2", stage, arguments.rounds) for stage in depth]
        rows += [row("SAM", stage, arguments.rounds) for stage in sam]
        origin = sources.origin
    on_threads = [
        of for of in rows
        if not of["in_lock"] and of["model"] != "SAM" and of["stage"] not in ("decode", "resize")
    ]  # fmt: skip
    whole = 1 / sum(1 / float(of["per_second"] or 0) for of in on_threads)
    notes = [verdict(f"Depth, all stages on {THREADS} threads, pictures per second", whole, GOAL)]
    report(
        {f"Feeding a GPU: per_second is that of {THREADS} threads, by extrapolation": rows},
        {"of": origin, "rounds": arguments.rounds, "threads": THREADS},
        notes,
        arguments.json,
    )


def _decoded(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        image.draft(None, input_size(*image.size))
        image.load()
        return image.copy()


def _resized(image: Image.Image) -> Image.Image:
    return image.resize(input_size(*image.size), Image.Resampling.BICUBIC)


def _smooth_map(width: int, height: int) -> NDArray[np.float32]:
    """[H, W] values like those of a depth map: smooth, with a little noise."""
    down, across = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).normal(0, 0.01, (height, width))
    return np.asarray(down / height + np.sin(across / 90) + noise, np.float32)


if __name__ == "__main__":
    main()
