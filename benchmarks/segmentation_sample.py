"""A whole segmentation sample on one core: SA-1B bytes in, shard bytes out.

Compared are the codecs alone as Pillow has them (decode, resize, encode both pictures), our engine,
and a plain script with pycocotools, numpy and Pillow. All work on one thread, so CPU time is
compared, which waiting does not change. Also prints the bytes per output pixel on which the
forecast of a dry run is based.

python benchmarks/segmentation_sample.py [--rounds N] [--copies N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Cell, Pictures, pictures, report, threads_used, timed_in_turns, verdict
from PIL import Image
from pycocotools import mask as coco_masks

from sgt_data.corpus.shard import EncodedShard
from sgt_data.engine.build_plan import BuildPlan, plan_build
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.render import render_shard
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import RawInput, RawShard
from sgt_data.sources.fetch_input import fetched

FLOOR_GOAL = 0.75
SCRIPT_GOAL = 40.0
JPEG_QUALITY = 95

_WHOLE_SOURCE = 100_000


@dataclass(frozen=True, slots=True)
class CodecWork:
    """A picture with all that the codecs need: its file and the finished label map."""

    file: bytes
    labels: Image.Image

    def encode(self) -> tuple[bytes, bytes]:
        """JPEG and PNG of the sample."""
        size = self.labels.size
        jpeg, png = io.BytesIO(), io.BytesIO()
        with Image.open(io.BytesIO(self.file)) as picture:
            picture.draft(None, size)
            resized = picture.resize(size, Image.Resampling.BICUBIC)
        resized.save(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:0")
        self.labels.save(png, "PNG", compress_level=1)
        return jpeg.getvalue(), png.getvalue()


def script_tar(inputs: Sequence[RawInput]) -> bytes:
    """Samples by a plain script: everything at full size, then shrunk."""
    out = io.BytesIO()
    rng = np.random.default_rng(0)
    with tarfile.open(fileobj=out, mode="w") as tar:
        for raw in inputs:
            annotations = json.loads(raw.extras["annotation"])["annotations"]
            with Image.open(io.BytesIO(raw.picture)) as picture:
                size = SizeRule().output_size(*picture.size)
                target = np.zeros((picture.height, picture.width, 3), np.uint8)
                resized = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            for annotation in sorted(annotations, key=lambda annotation: -annotation["area"]):
                mask = coco_masks.decode(annotation["segmentation"]).astype(bool)
                target[mask] = rng.integers(1, 256, 3)
            jpeg, png = io.BytesIO(), io.BytesIO()
            resized.save(jpeg, "JPEG", quality=JPEG_QUALITY)
            Image.fromarray(target).resize(size, Image.Resampling.NEAREST).save(png, "PNG")
            for extension, file in (("input.jpg", jpeg), ("target.png", png)):
                member = tarfile.TarInfo(f"{raw.key}.{extension}")
                member.size = len(file.getvalue())
                tar.addfile(member, io.BytesIO(file.getvalue()))
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Engine:
    """Our rendering of one source into one proxy, as a build sets it up."""

    plan: BuildPlan

    @classmethod
    def of(
        cls, source: Mapping[str, Any], variant: str, size_rule: Mapping[str, int] | None = None
    ) -> Engine:
        """The engine for one variant of segmentation; `size_rule` replaces the default sizes."""
        manifest = parse_manifest(
            {
                "name": "benchmark",
                "pictures": dict(size_rule or {}),
                "shard_samples": _WHOLE_SOURCE,
                "sources": [source],
                "proxies": [{"type": "segmentation", "name": variant, "variant": variant}],
            }
        )
        return cls(plan_build(list_inputs(manifest), InProcessEngine().set_up))

    def inputs(self) -> list[RawInput]:
        (source,) = self.plan.listing.manifest.typed_sources()
        return [
            fetched(raw)
            for piece in self.plan.listing.slices
            for shard in source.read(piece, _WHOLE_SOURCE, ())
            for raw in shard.inputs
        ]

    def encode(self, inputs: Sequence[RawInput]) -> EncodedShard:
        (source,) = self.plan.listing.manifest.typed_sources()
        recipe = self.plan.recipe
        raw = RawShard("benchmark", "benchmark", source.name, tuple(inputs), True)
        (encoded,) = render_shard(raw, list(recipe.fingerprints), {}, recipe)
        return encoded


def members(encoded: EncodedShard) -> dict[str, bytes]:
    """Members of a shard's tar by name."""
    with tarfile.open(fileobj=io.BytesIO(encoded.tar or b"")) as tar:
        return {member.name: _bytes(tar, member) for member in tar}


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file is not None else b""


def bytes_per_pixel(encoded: EncodedShard) -> dict[str, float]:
    """Bytes per output pixel, over all samples of a shard."""
    files = members(encoded)
    pixels = sum(
        facts["size"]["width"] * facts["size"]["height"]
        for facts in (json.loads(data) for name, data in files.items() if name.endswith(".json"))
    )
    sizes = {
        extension: sum(len(data) for name, data in files.items() if name.endswith(extension))
        for extension in (".input.jpg", ".target.png", ".json")
    }
    return {
        "input": sizes[".input.jpg"] / pixels,
        "target_and_facts": (sizes[".target.png"] + sizes[".json"]) / pixels,
    }


def codec_works(inputs: Sequence[RawInput], encoded: EncodedShard) -> list[CodecWork]:
    """The work of the codecs alone for these samples, which must give the bytes of the shard.

    Raises:
        SystemExit: it gives other bytes, so that the two cannot be compared.
    """
    files = members(encoded)
    works = []
    for raw in inputs:
        labels = Image.open(io.BytesIO(files[f"{raw.key}.target.png"]))
        labels.load()
        works.append(CodecWork(raw.picture, labels))
        if works[-1].encode() != tuple(
            files[f"{raw.key}.{extension}"] for extension in ("input.jpg", "target.png")
        ):
            raise SystemExit(f"{raw.key}: the codecs alone make other bytes than the shard holds")
    return works


def forecast_notes(sources: Pictures, sa1b: EncodedShard) -> tuple[list[str], dict[str, object]]:
    """Bytes per output pixel by source, in words and as figures."""
    figures = {"SA-1B": bytes_per_pixel(sa1b)}
    if sources.coco is not None:
        source = {"type": "coco", "root": str(sources.coco), "annotations": ["panoptic"]}
        coco = Engine.of(source, "panoptic")
        figures["COCO panoptic"] = bytes_per_pixel(coco.encode(coco.inputs()))
    lines = [
        f"{name}: {per_pixel['input']:.3f} bytes per output pixel of input, "
        f"{per_pixel['target_and_facts']:.3f} of target and facts"
        for name, per_pixel in figures.items()
    ]
    return lines, {"bytes_per_output_pixel": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (medians are shown)")
    parser.add_argument("--copies", type=int, default=8, help="of every picture, in one shard")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    with pictures() as sources:
        engine = Engine.of({"type": "sa1b", "tars": sources.tars}, "entity")
        encoded = engine.encode(sources.inputs)
        codecs = codec_works(sources.inputs, encoded)
        notes, figures = forecast_notes(sources, encoded)
    keep_freed_memory()  # as an engine does
    inputs = sources.inputs
    copies = [
        replace(raw, key=f"{raw.key}-{copy}") for copy in range(arguments.copies) for raw in inputs
    ]
    timings = timed_in_turns(
        {
            "codecs alone": lambda: [work.encode() for work in codecs * arguments.copies],
            "ours": lambda: engine.encode(copies),
            "plain script": lambda: script_tar(inputs),
        },
        arguments.rounds,
    )
    samples = {"codecs alone": len(copies), "ours": len(copies), "plain script": len(inputs)}
    per_sample = {name: timing.cpu / samples[name] for name, timing in timings.items()}
    floor = per_sample["codecs alone"]
    rows: list[dict[str, Cell]] = [
        {
            "what": name,
            "samples": samples[name],
            "cpu_ms_per_sample": value,
            "samples_per_second": 1000 / value,
            "of_codecs": value / floor,
        }
        for name, value in per_sample.items()
    ]
    ours = per_sample["ours"]
    report(
        {"Segmentation sample, one core": rows},
        {
            "input": sources.origin,
            "rounds": arguments.rounds,
            "copies": arguments.copies,
            **figures,
        },
        [
            f"{sources.origin}; ours used {threads_used([timings['ours']]):.2f} threads",
            verdict("ours / codecs", ours / floor, FLOOR_GOAL, at_most=True),
            verdict("plain script / ours", per_sample["plain script"] / ours, SCRIPT_GOAL),
            *notes,
        ],
        arguments.json,
    )


if __name__ == "__main__":
    main()
