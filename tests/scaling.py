"""Corpora to take subsets of: two sources, and a first proxy that lacks keys which others have."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from sgt_data import (
    IN_PROCESS,
    Corpus,
    SubsetRule,
    build_corpus,
)
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scenes.write_samples import write_samples

PICTURES = 36
"""Of each source."""

RULE_FIELDS = {field.name for field in fields(SubsetRule)}

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
    assert build_corpus(manifest, str(output), cluster=IN_PROCESS).succeeded
    return str(output)


def request(**terms: Any) -> dict[str, Any]:
    """Arguments of `subset`: terms of the rule put together into one."""
    rule = SubsetRule(**{name: terms[name] for name in terms.keys() & RULE_FIELDS})
    return {name: terms[name] for name in terms.keys() - RULE_FIELDS} | {"rule": rule}


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
