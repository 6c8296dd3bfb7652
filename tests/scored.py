"""A corpus of every proxy of the demo, and drawings for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sgt_data import IN_PROCESS, build_corpus, open_corpus, parse_manifest

DEMO = Path(__file__).parent.parent / "manifests" / "demo.yaml"


def build_scored(sources: Path, output: Path, **more: Any) -> str:
    """The demo's proxies over the sample sources, small; in this process."""
    document = yaml.safe_load(DEMO.read_text())
    for source in document["sources"]:
        for field, value in source.items():
            if isinstance(value, str) and value.startswith("demo/sources"):
                source[field] = value.replace("demo/sources", str(sources))
    document["pictures"] = {"min_side": 64, "max_side": 128, "multiple_of": 16}
    manifest = parse_manifest({**document, "shard_samples": 5, **more})
    assert build_corpus(manifest, str(output), cluster=IN_PROCESS).succeeded
    return str(output)


def write_targets(corpus: str, proxy: str, folder: Path, name: str = "{}.{}") -> list[str]:
    """The targets of a proxy as drawings; the keys, in the order of the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = []
    for sample in open_corpus(corpus)[proxy]:
        (folder / name.format(sample.key, sample.extension)).write_bytes(sample.target)
        keys.append(sample.key)
    return keys
