"""Corpora for tests, and how to compare them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sgt_data.manifest.manifest import Manifest, parse_manifest


def both_sources_document(sources: Path, shard_samples: int) -> dict[str, Any]:
    """A manifest over sample sources, SA-1B's and COCO's form, with all four variants."""
    return {
        "name": "both",
        "shard_samples": shard_samples,
        "pictures": {"min_side": 64, "max_side": 256, "multiple_of": 8},
        "sources": [
            {"type": "sa1b", "tars": f"{sources}/sa1b/sa_*.tar"},
            {"type": "coco", "root": f"{sources}/coco", "annotations": ["instances", "panoptic"]},
        ],
        "proxies": [
            {"type": "segmentation", "name": "entity", "variant": "entity"},
            *(
                {"type": "segmentation", "name": variant, "variant": variant, "sources": ["coco"]}
                for variant in ("instance", "panoptic", "semantic")
            ),
        ],
    }


def both_sources(sources: Path, shard_samples: int) -> Manifest:
    return parse_manifest(both_sources_document(sources, shard_samples))


def file_digests(corpus: Path) -> dict[str, str]:
    """SHA-256 of every file but those that add up all others, by path; hidden files count too."""
    return {
        str(path.relative_to(corpus)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(corpus.rglob("*"))
        if path.is_file() and path.name not in ("corpus.json", "README.md")
    }
