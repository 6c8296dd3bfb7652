"""Corpora of input and target, small, whose pictures have several sizes or are squares of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scenes.write_samples import write_samples

PROXIES = ("panoptic", "edge", "denoise", "depth", "generate-panoptic")

SIZES = {"wide": (320, 240), "tall": (240, 320), "narrow": (208, 320)}
"""Size of the pictures of each source."""

RULES = {
    "squares": {"min_side": 64, "max_side": 64, "multiple_of": 64},
    "varied": {"min_side": 64, "max_side": 256, "multiple_of": 16},
}

PICTURES = 4
"""Of each source; every proxy has a sample of each picture."""

SAMPLES = PICTURES * len(SIZES)


def write_sources(root: Path) -> None:
    """A source in COCO's form for each size."""
    for name, size in SIZES.items():
        write_samples(str(root / name), PICTURES, seed=1, size=size, forms=["coco"])


def build_pairs(sources: Path, output: Path, pictures: str, **fields: Any) -> None:
    """Build a corpus of all sources.

    Args:
        sources: where `write_sources` wrote.
        output: folder of the corpus.
        pictures: which of `RULES` holds.
        fields: of the manifest.
    """
    document = {
        "name": "pairs",
        "shard_samples": 3,
        "pictures": RULES[pictures],
        "sources": [
            {"type": "coco", "name": name, "root": f"{sources}/{name}/coco",
             "depth": f"{sources}/{name}/depth", "annotations": ["instances", "panoptic"]}
            for name in SIZES
        ],
        "proxies": [
            {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
            {"type": "edge"},
            {"type": "denoise"},
            {"type": "depth", "bits": 16},
            {"type": "generate", "of": "panoptic"},
        ],
    }  # fmt: skip
    report = build_corpus(parse_manifest(document | fields), str(output), cluster=IN_PROCESS)
    assert report.succeeded
