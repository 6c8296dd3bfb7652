"""Corpora that tests look at in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from making import jpeg, manifest_of, proxy_of

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.receipt import add_up, commit
from sgt_data.corpus.shard import EncodedSample, ShardOrigin, ShardWriter
from sgt_data.records import Category, QuarantineRow
from sgt_data.scenes.depth import INVERSE_PER_CODE
from sgt_data.segmentation.target_png import encode_target

PROXIES: list[dict[str, Any]] = [
    proxy_of("panoptic", sources=["coco"]),
    proxy_of("entity"),
    {"type": "referring", "sources": ["coco"]},
    {"type": "boxes", "filters": {"min_segments": 6}},
    {"type": "depth"},
    {"type": "depth", "name": "depth-inferno", "colormap": "inferno"},
    {"type": "metric_depth", "sources": ["coco"]},
    {"type": "edge"},
    {"type": "denoise"},
]

ATTACK = "<img src=x onerror=\"document.title='owned'\"></script><script>alert(1)</script>"
"""A text that runs where it is taken for HTML."""


def build_viewed(sources: Path, output: Path, **more: Any) -> str:
    """Both forms of source, with proxies of every kind of target; in this process."""
    manifest = manifest_of(
        [
            {"type": "sa1b", "tars": f"{sources}/sa1b/sa_*.tar", "depth": f"{sources}/depth"},
            {
                "type": "coco", "root": f"{sources}/coco", "depth": f"{sources}/depth",
                "annotations": ["instances", "panoptic"],
                "depth_is": "inverse", "depth_unit": INVERSE_PER_CODE,
            },
        ],
        PROXIES,
        **{"max_filtered": 1.0, "shard_samples": 5, **more},
    )  # fmt: skip
    assert build_corpus(manifest, str(output), cluster=IN_PROCESS).succeeded
    return str(output)


def write_hostile(root: Path) -> str:
    """A corpus whose texts are HTML, script and paths: of instructions, categories, reasons."""
    proxy = "segmentation"
    labels = np.zeros((48, 64), np.uint16)
    labels[8:40, 8:56] = 1
    target = encode_target(labels, np.array([[200, 40, 90]], np.uint8))
    facts = {
        "type": "segmentation", "tier": ATTACK, "proxy": proxy, "size": {"width": 64, "height": 48},
        "source": {"name": ATTACK, "member": ATTACK, "licence": ATTACK},
        "instruction": {"words": {"target": ATTACK}}, "palette": ATTACK,
        "segments": [
            {"label": 1, "color": [200, 40, 90], "category": ATTACK, "category_id": 1, "id": 7,
             "visible_area": 32 * 48, "visible_box": [8, 8, 48, 32]},
        ],
    }  # fmt: skip
    row = {
        "source": "made", "member": ATTACK, "licence": ATTACK, "width": 64, "height": 48,
        "source_width": 64, "source_height": 48, "categories": [ATTACK], "segments": 1,
        "source_sha256": "0" * 64,
    }  # fmt: skip
    writer = ShardWriter()
    for number in range(3):
        key = f"made_{number}"
        sample = EncodedSample(
            key, jpeg(64, 48, number), target, "png", f"{number} {ATTACK}", facts, row
        )
        writer.samples.append(sample)
    writer.quarantine.append(QuarantineRow("made_9", "made", "s", ATTACK, "damaged", ATTACK))
    origin = ShardOrigin(proxy, "made-s-00000", "made", "s", True, 0, "0" * 64)
    receipt = commit(str(root), writer.encode(origin))
    totals = add_up([receipt])
    manifest = {
        "seed": 0,
        "sources": [{"name": "made", "type": "folder"}],
        "proxies": [{"name": proxy, "type": "segmentation", "variant": ATTACK, "sources": None}],
    }
    header = CorpusHeader(
        "hostile", manifest, {"proxies": {proxy: {}}}, {}, {"made": (Category(1, ATTACK, True),)},
        {proxy: "0" * 64}, True, {proxy: (receipt["shard"],)}, {proxy: (3,)}, {proxy: totals},
        {proxy: {"made": totals}},
    )  # fmt: skip
    write_header(str(root), header)
    return str(root)
