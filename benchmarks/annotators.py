"""Annotators in pictures per second, against the bare model and against the stock pipeline.

The architectures are the real ones (Depth Anything V2 Small and Base, SAM ViT-B), with random
weights, as speed does not depend on their values. Our annotators take JPEG bytes and give encoded
layers; they run as an actor of a build does (on a GPU two shards at once). The bare model runs on
tensors that are on the device already, in the same batches. The stock pipeline of `transformers`
(for SAM: the stock generator) takes the same bytes, picture by picture.

python benchmarks/annotators.py [--device auto|cpu|cuda] [--pictures N] [--shards N] [--rounds N]
                                [--points N] [--models Small Base sam] [--json FILE]
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
from typing import Any, Literal, cast

import numpy as np
from measuring import Cell, pictures, report, verdict
from PIL import Image

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.annotators.depth_anything import DepthAnythingAnnotator
from sgt_data.annotators.device import running, set_up
from sgt_data.annotators.sam import SamAnnotator, load_sam
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.engine.annotate_shard import load_annotator
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import RawInput

BARE_GOAL, STOCK_GOAL = 0.9, 5.0
# random weights draw no masks that pass: let some through, so that they are encoded as well
_LENIENT = {"pred_iou_thresh": -100.0, "stability_score_thresh": 0.0}

DepthSize = Literal["Small", "Base"]
_MODELS = ("Small", "Base", "sam")
_DEPTH_WIDTHS: dict[DepthSize, tuple[int, int]] = {"Small": (384, 64), "Base": (768, 128)}


@dataclass(frozen=True, slots=True)
class Contest:
    """A model and three ways to run it over the same files."""

    name: str
    ours: Callable[[], object]
    bare: Callable[[], object]
    stock: Callable[[], object]
    pictures: int
    setup: Setup


def depth_folder(folder: Path, size: DepthSize = "Small") -> Path:
    """Depth Anything V2 as its repository's `config.json` describes it, weights random."""
    import torch
    from transformers import DepthAnythingConfig as Architecture
    from transformers import DepthAnythingForDepthEstimation, Dinov2Config
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    torch.manual_seed(0)
    width, fusion = _DEPTH_WIDTHS[size]
    features: dict[str, Any] = {"out_features": ["stage3", "stage6", "stage9", "stage12"]}
    backbone = Dinov2Config(
        hidden_size=width,
        num_attention_heads=width // 64,
        num_hidden_layers=12,
        image_size=518,
        patch_size=14,
        **features,
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    architecture = Architecture(
        backbone_config=backbone,
        reassemble_hidden_size=width,
        neck_hidden_sizes=[width // 8, width // 4, width // 2, width],
        fusion_hidden_size=fusion,
        head_hidden_size=32,
        patch_size=14,
    )
    model: Any = DepthAnythingForDepthEstimation(architecture)
    with torch.no_grad():  # so that maps are not clipped to nothing at 0
        model.head.conv3.bias.fill_(2.0)
    model.save_pretrained(folder)
    DPTImageProcessorPil(
        size={"height": 518, "width": 518},
        ensure_multiple_of=14,
        keep_aspect_ratio=True,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
        resample=3,
    ).save_pretrained(folder)
    return folder


def depth_contest(
    size: DepthSize, folder: Path, device: str, files: Sequence[bytes], shards: int
) -> Contest:
    import torch
    from transformers import pipeline
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    annotator = DepthAnythingAnnotator.model_validate({"model": str(folder), "device": device})
    setup = set_up(annotator)
    shard_annotator = load_annotator(annotator, setup)
    inner: Any = shard_annotator.model
    rule = SizeRule()
    views = [inner.prepare(file, rule, MAX_PIXELS) for file in files]
    shapes: dict[tuple[int, ...], list[Any]] = {}
    for view in views:
        shapes.setdefault(view.pixels.shape, []).append(view)
    dtype = getattr(torch, setup.dtype)
    ready = [
        torch.randn(len(part), 3, *shape[:2], device=setup.device, dtype=dtype)
        for shape, group in shapes.items()
        for start in range(0, len(group), setup.batch_size)
        for part in [group[start : start + setup.batch_size]]
    ]

    def bare() -> None:
        for _ in range(shards):
            for tensor in ready:
                with running(setup):
                    inner._model(pixel_values=tensor)
        _wait(setup)

    processor = DPTImageProcessorPil.from_pretrained(folder)
    run = pipeline(
        "depth-estimation", model=str(folder), image_processor=processor, device=setup.device
    )

    def stock() -> None:
        for file in files:
            with Image.open(io.BytesIO(file)) as image:
                run(image.convert("RGB"))

    return Contest(
        f"Depth Anything V2 {size}", _actor(shard_annotator, setup, files, shards, rule),
        bare, stock, len(files), setup,
    )  # fmt: skip


def sam_contest(
    checkpoint: Path, device: str, files: Sequence[bytes], shards: int, points: int
) -> Contest:
    import torch
    from segment_anything import SamAutomaticMaskGenerator

    annotator: Annotator = SamAnnotator.model_validate(
        {"checkpoint": str(checkpoint), "device": device, "points_per_side": points, **_LENIENT}
    )
    setup = set_up(annotator)
    shard_annotator = load_annotator(annotator, setup)
    inner: Any = shard_annotator.model
    pixels = [np.array(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
    encoder_input = torch.randn(1, 3, 1024, 1024, device=setup.device)

    def bare() -> None:
        """Image encoder and mask decoder alone: no upscaling, filtering or encoding of masks."""
        grid = torch.rand(points * points, 1, 2, device=setup.device) * 1024
        labels = torch.ones(points * points, 1, device=setup.device)
        model = inner._model
        for _ in range(shards * len(files)):
            with running(setup):
                with torch.autocast(
                    setup.device, getattr(torch, setup.dtype), enabled=setup.dtype != "float32"
                ):
                    embedding = model.image_encoder(encoder_input).float()
                for start in range(0, len(grid), inner._points):
                    batch = slice(start, start + inner._points)
                    sparse, dense = model.prompt_encoder((grid[batch], labels[batch]), None, None)
                    model.mask_decoder(
                        embedding, model.prompt_encoder.get_dense_pe(), sparse, dense, True
                    )
        _wait(setup)

    stock_model = load_sam(str(checkpoint), "benchmark").to(setup.device)
    generator = SamAutomaticMaskGenerator(
        stock_model, points_per_side=points, output_mode="coco_rle", **_LENIENT
    )

    def stock() -> None:
        for picture in pixels:
            generator.generate(picture)

    return Contest(
        "SAM ViT-B", _actor(shard_annotator, setup, files, shards, SizeRule()),
        bare, stock, len(files), setup,
    )  # fmt: skip


def sam_checkpoint(file: Path) -> Path:
    import torch

    provide_torchvision_operators()
    from segment_anything import sam_model_registry

    torch.manual_seed(0)
    torch.save(sam_model_registry["vit_b"]().state_dict(), file)
    return file


def _actor(
    annotator: ShardAnnotator, setup: Setup, files: Sequence[bytes], shards: int, rule: SizeRule
) -> Callable[[], object]:
    """Annotation as by an actor of a build: shard after shard, on a GPU two at once."""
    inputs = [RawInput(str(number), "x.jpg", file) for number, file in enumerate(files)]
    callers = 2 if setup.device == "cuda" else 1

    def work() -> None:
        with ThreadPoolExecutor(callers) as calls:
            done = [
                calls.submit(annotator.annotate, inputs, rule, MAX_PIXELS) for _ in range(shards)
            ]
            for call in done:
                assert all(not raw.layer_problems for raw in call.result())

    return work


def _wait(setup: Setup) -> None:
    import torch

    if setup.device == "cuda":
        torch.cuda.synchronize()


def rates(contest: Contest, shards: int, rounds: int) -> dict[str, float]:
    """Pictures per second of each way, the median over `rounds` rounds after one to warm up."""
    import torch

    works = {"ours": contest.ours, "bare": contest.bare, "stock": contest.stock}
    done = {name: contest.pictures * (1 if name == "stock" else shards) for name in works}
    taken: dict[str, list[float]] = {name: [] for name in works}
    threads = torch.get_num_threads()
    if contest.setup.device == "cpu":
        torch.set_num_threads(1)  # as our actors run: one for each core
    for _ in range(1 + rounds):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            taken[name].append(done[name] / (time.perf_counter() - began))
    torch.set_num_threads(threads)
    return {name: median(rates_of_way[1:]) for name, rates_of_way in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--pictures", type=int, default=None, help="per shard")
    parser.add_argument("--shards", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=None, help="after one for warming up")
    parser.add_argument("--points", type=int, default=None, help="of SAM's grid, per side")
    parser.add_argument(
        "--models", nargs="+", choices=_MODELS, help="default: Small and sam; on a GPU Base too"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import torch

    provide_torchvision_operators()
    on_gpu = arguments.device != "cpu" and torch.cuda.is_available()
    count = arguments.pictures or (128 if on_gpu else 2)
    shards = arguments.shards or (4 if on_gpu else 1)
    points = arguments.points or (32 if on_gpu else 2)
    rounds = arguments.rounds or (3 if on_gpu else 1)
    rows: list[dict[str, Cell]] = []
    notes = []
    with pictures() as sources, TemporaryDirectory(prefix="sgt-bench-") as folder:
        files = [raw.picture for raw in sources.inputs]
        files = [files[number % len(files)] for number in range(count)]
        root, device = Path(folder), arguments.device
        for model in arguments.models or (_MODELS if on_gpu else ("Small", "sam")):
            of_shards = 1 if model == "sam" else shards
            if model == "sam":
                some = files[: max(1, count // 8) if on_gpu else count]
                contest = sam_contest(sam_checkpoint(root / "sam.pth"), device, some, 1, points)
            else:
                size = cast(DepthSize, model)
                contest = depth_contest(
                    size, depth_folder(root / size, size), device, files, shards
                )
            measured = rates(contest, of_shards, rounds)
            of_bare = measured["ours"] / measured["bare"]
            of_stock = measured["ours"] / measured["stock"]
            rows.append(
                {
                    "model": contest.name,
                    "device": contest.setup.device_class,
                    "dtype": contest.setup.dtype,
                    "batch": contest.setup.batch_size,
                    **{f"{name}_per_second": rate for name, rate in measured.items()},
                    "of_bare": of_bare,
                    "times_stock": of_stock,
                }
            )
            if on_gpu:
                notes.append(verdict(f"{contest.name}, share of bare", of_bare, BARE_GOAL))
                notes.append(verdict(f"{contest.name}, times stock", of_stock, STOCK_GOAL))
        origin = sources.origin
    if not on_gpu:
        notes.append("no GPU here: one CPU thread each; the goals are for a GPU")
    settings = {
        "pictures": count, "shards": shards, "points_per_side": points,
        "rounds": rounds, "of": origin,
    }  # fmt: skip
    report({"annotators, pictures per second": rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
