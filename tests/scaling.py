"""Corpora to take subsets of: two sources, and a first proxy that lacks keys which others have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sgt_data import Corpus, build_corpus
from sgt_data.manifest import parse_manifest
from sgt_data.scenes.write import write_samples

PICTURES = 36
"""Of each source."""

PROXIES = (
    {"type": "segmentation", "name": "entity", "variant": "entity", "filters": {"min_segments": 6}},
    {"type": "segmentation", "name": "panoptic", "variant": "panoptic", "sources": ["coco"]},
    {"type": "denoise"},
)
"""The first filters some pictures out of both sources; `denoise` has all."""


def write_sources(root: Path) -> Path:
    write_samples(str(root), PICTURES, seed=3, size=(128, 96), pictures_per_tar=16)
    return root


def scaling_document(sources: Path, shard_samples: int = 7, **fields: Any) -> dict[str, Any]:
    return {
        "name": "scaling",
        "seed": 11,
        "shard_samples": shard_samples,
        "pictures": {"min_side": 64, "max_side": 128, "multiple_of": 8},
        "sources": [
            {"type": "sa1b", "tars": f"{sources}/sa1b/sa_*.tar"},
            {"type": "coco", "root": f"{sources}/coco", "annotations": ["instances", "panoptic"]},
        ],
        "proxies": list(PROXIES),
        **fields,
    }


def build_scaling(sources: Path, output: Path | str, shard_samples: int = 7, **fields: Any) -> str:
    manifest = parse_manifest(scaling_document(sources, shard_samples, **fields))
    assert build_corpus(manifest, str(output), workers=0).succeeded
    return str(output)


def keys_of(corpus: Corpus, proxy: str) -> list[str]:
    """Every key of one proxy, from the index as it is seen."""
    return [
        key
        for shard in corpus.shards(proxy)
        for key in corpus.index(proxy, shard)["key"].to_pylist()
    ]


def keys_by_proxy(corpus: Corpus) -> dict[str, set[str]]:
    """Of a subset, what it takes; that its indexes show just that has a test of its own."""
    if corpus.selection is None:
        return {proxy: set(keys_of(corpus, proxy)) for proxy in corpus.proxies}
    keys = np.array(corpus.selection.keys.to_pylist(), object)
    held = corpus.selection.held
    return {proxy: set(keys[np.array(held[proxy])]) for proxy in corpus.proxies if proxy in held}
