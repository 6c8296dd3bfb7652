"""Corpora whose samples lie in several tars: shared inputs, and proxies that reverse others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpora import both_sources_document

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.manifest.manifest import parse_manifest

PROXIES: dict[str, dict[str, Any]] = {
    "generate-panoptic": {"type": "generate", "of": "panoptic"},
    "panoptic": {"type": "segmentation", "variant": "panoptic", "sources": ["coco"]},
    "edge": {"type": "edge"},
    "denoise": {"type": "denoise"},
    "generate-edge": {"type": "generate", "of": "edge"},
    "generate-denoise": {"type": "generate", "of": "denoise"},
}
"""By name: every way in which the parts of a sample lie; `panoptic` has no sample of SA-1B."""

SAMPLES = {
    name: 12 if name.endswith("panoptic") else 24 for name in PROXIES
}  # of `sample_sources`: 12 pictures in each of two forms


def build_joined(sources: Path, root: Path) -> dict[str, Path]:
    """A corpus of `PROXIES` by form of its inputs, `embedded` and `shared`."""
    document = both_sources_document(sources, shard_samples=5)
    document["proxies"] = [{"name": name, **fields} for name, fields in PROXIES.items()]
    for inputs in ("embedded", "shared"):
        manifest = parse_manifest(document | {"inputs": inputs})
        assert build_corpus(manifest, str(root / inputs), cluster=IN_PROCESS).succeeded
    return {inputs: root / inputs for inputs in ("embedded", "shared")}
