"""Own code for tests: the files that `sgt-data new` writes, and mistakes made in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from sgt_data.cli.new import write_new
from sgt_data.engine.build import build_corpus
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.manifest.manifest import Manifest, parse_manifest

MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "proxy": {"proxies": [{"type": "tone", "instructions": "edge_soft"}]},
    "source": {"proxies": [{"type": "edge"}]},
    "annotator": {
        "annotators": [{"type": "guess", "device": "cpu"}],
        "proxies": [{"type": "depth", "annotator": "guess"}],
    },
}
"""By role: what a manifest lists to use the file of `NAMES`."""

NAMES = {"proxy": "tone", "source": "posed", "annotator": "guess", "model": "tiny"}


def written(role: str, folder: Path, *changes: tuple[str, str]) -> Path:
    """The file of a role, with texts of it replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    write_new(role, NAMES[role], folder)
    file = folder / f"{NAMES[role]}.py"
    text = file.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"{file.name} has no {old!r}"
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    return file


def pictures(folder: Path, count: int = 2) -> Path:
    """A folder of small grey pictures."""
    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    for number in range(count):
        Image.new("RGB", (32, 32), (40 + 60 * number,) * 3).save(place / f"{number}.png")
    return place


def manifest_with(role: str, file: Path, **more: Any) -> Manifest:
    """A manifest that uses the file of a role on two small pictures."""
    folder = pictures(file.parent)
    kind = "posed" if role == "source" else "folder"
    fields: dict[str, Any] = {
        "name": "own",
        "plugins": [file],
        "max_quarantined": 1.0,
        "pictures": {"min_side": 32, "max_side": 32, "multiple_of": 16},
        "sources": [{"type": kind, "name": "f", "pictures": folder}],
        **MEMBERS[role],
    }
    return parse_manifest(fields | more)


def built_with(role: str, file: Path, **more: Any) -> BuildReport:
    """Build a corpus that uses the file of a role, in this process."""
    manifest = manifest_with(role, file, **more)
    return build_corpus(manifest, str(file.parent / "corpus"), cluster=IN_PROCESS)
